"""This file is the front door: it finds the command and turns every ending into an exit status and one sentence.

Exit status 0: done. 2: what was given can't be used. 1: a defect of this program. 130: interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

import click

from rig_plugin.quiet import is_debugging
from simulators.refusal import Refusal

__all__ = ["COMMANDS", "main", "program"]

COMMANDS = ("app", "run", "replay", "pretrain", "check", "inspect", "export", "recover", "plugins", "bench")
BAD_INPUT, INTERRUPTED = 2, 130


class Program(click.Group):
    """The commands by name; a command's file is imported when it is asked for, what it needs when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order of a day at the rig."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"rig_plugin.commands.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take a bare rig file, or nothing at all, as a wish for the app."""
        is_app = not args or (args[0] not in COMMANDS and args[0].endswith(".toml"))
        return super().parse_args(ctx, ["app", *args] if is_app else args)


@click.group(cls=Program)
@click.version_option(package_name="rig-plugin", message="%(prog)s %(version)s")
def program() -> None:
    """Show which biophysical parameters are consistent with what a patched cell has done so far.

    Without a command the app opens: on the rig that RIG.toml describes, or on a simulated cell.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    A defect is left to travel up: the interpreter ends with status 1 by itself, and the hook says it in one sentence.

    Args:
        arguments: What was typed after the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    sys.excepthook = _tell_defect
    try:
        # Not `program.main`: even in non-standalone mode that ends a broken pipe with status 1.
        with program.make_context("rig-plugin", list(sys.argv[1:] if arguments is None else arguments)) as context:
            program.invoke(context)
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "rig-plugin"
        message = error.format_message().replace(". (", " (").rstrip(".")
        return _refuse(error, f"{message} (see {where} --help).")
    except (Refusal, click.ClickException) as error:
        return _refuse(error, str(error))
    except KeyboardInterrupt:
        _say("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        if not _has_reader_left():
            raise
        return 0
    except OSError as error:
        # What names a file is about the user's disk and not about this program; the rest is a defect.
        if error.filename is None:
            raise
        return _refuse(error, f"{error.filename} can't be used: {error.strerror}.")


def _refuse(error: Exception, sentence: str) -> int:
    """Say why the input can't be used."""
    if is_debugging():
        traceback.print_exception(error)
    _say(sentence)
    return BAD_INPUT


def _tell_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say that this program failed, and how to see where."""
    if is_debugging():
        traceback.print_exception(kind, error, trace)
    detail = f": {error}" if str(error) else ""
    _say(f"A defect of rig-plugin, {kind.__name__}{detail} (set RIG_PLUGIN_DEBUG=1 to see where).")


def _say(sentence: str) -> None:
    """Write one line to standard error, whatever line breaks a library put into the message."""
    click.echo(" ".join(sentence.split()), err=True)


def _has_reader_left() -> bool:
    """Tell whether it was standard output that broke, which a reader such as `head` may do as it likes."""
    try:
        # Asking takes a write; where another pipe broke, this leaves an empty line before the sentence on the defect.
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered has to go somewhere, or the interpreter complains of it when it ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
