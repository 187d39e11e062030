"""This file is the command `recover`: what is left of a recording whose program died, as one NWB file."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import a_file, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline

__all__ = ["command"]


@click.command("recover", cls=QuietCommand)
@click.argument("session", metavar="SESSION.h5", type=a_file)
@click.option(
    "--nwb",
    "out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    callback=is_new,
    help="The NWB file, a new one; without it SESSION.nwb beside the recording.",
)
@json_option
@click.pass_context
def command(context: click.Context, session: Path, *, out: Path | None, as_json: bool) -> None:
    """Save what is left of a recording that was not closed.

    Every whole sweep of SESSION.h5 goes into one NWB file, an unfinished one too, with what is there of it; what is
    damaged is left out and told. The recording itself is never changed. What a killed export left behind is removed.
    """
    from rig_plugin.export_process import written

    output = output_of(context)
    found = written("recover", session, out or session.with_suffix(".nwb"))
    if as_json:
        output.line(found)
    else:
        output.text(outline(found))
