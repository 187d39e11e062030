"""This file is the command `export`: a recording of this program as one NWB file."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import a_file, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline

__all__ = ["command"]


@click.command("export", cls=QuietCommand)
@click.argument("session", metavar="SESSION.h5", type=a_file)
@click.option(
    "--nwb",
    "out",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    callback=is_new,
    help="The NWB file, a new one.",
)
@json_option
@click.pass_context
def command(context: click.Context, session: Path, *, out: Path, as_json: bool) -> None:
    """Write a recording of this program as Neurodata Without Borders.

    Sweeps with their stimuli, gap-free stretches, features, posterior, trust, marks and notes of SESSION.h5 go into one
    file, which gets its name when it is whole. What is lost is told.
    """
    from rig_plugin.export_process import written

    output = output_of(context)
    found = written("export", session, out)
    if as_json:
        output.line(found)
    else:
        output.text(outline(found))
