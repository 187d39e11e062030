"""This file is the output: what a command says on standard output, as JSON lines or as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

import click

from rig_plugin.quiet import quiet

if TYPE_CHECKING:
    from rig_plugin.trial import Trial

__all__ = ["Output", "QuietCommand", "json_option", "output_of", "tell_trials"]


class Output:
    """Standard output for as long as a command runs; every line is flushed, because somebody waits for it.

    Args:
        stream: The true standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def line(self, value: Mapping[str, Any]) -> None:
        """Write one JSON object on a line of its own; NaN is refused, because it is not JSON.

        Args:
            value: What `json` takes.

        Raises:
            ValueError: If a number is not finite; who made the object should have made it null.
        """
        self.text(json.dumps(value, allow_nan=False))

    def text(self, text: str) -> None:
        """Write text and a newline.

        Args:
            text: What a human reads.
        """
        self._stream.write(f"{text}\n")
        self._stream.flush()


class QuietCommand(click.Command):
    """A command that runs with the libraries silenced, and with the output as its context's object."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Args:
            ctx: Where `output_of` finds the output.

        Returns:
            What the command returns.
        """
        with quiet() as stream:
            ctx.obj = Output(stream)
            return super().invoke(ctx)


def output_of(context: click.Context) -> Output:
    """Find the output of a running command.

    Args:
        context: The command's.

    Returns:
        What to write to.

    Raises:
        TypeError: If the command is no `QuietCommand`.
    """
    if not isinstance(context.obj, Output):
        raise TypeError(f"Command '{context.info_name}' has no output: make it a QuietCommand.")
    return context.obj


def tell_trials(output: Output, trials: Iterable[Trial], *, as_json: bool) -> None:
    """Say each trial as it ends.

    Args:
        output: Where to.
        trials: As they end.
        as_json: One object a trial; else a row a trial and the posterior after the last.
    """
    from rig_plugin.commands.trial_row import HEADER, posterior_table, trial_row

    last = None
    for last in trials:
        if as_json:
            output.line(last.to_json())
        else:
            output.text(trial_row(last) if last.index else f"{HEADER}\n{trial_row(last)}")
    if last is not None and not as_json:
        output.text(f"\n{posterior_table(last)}")


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
