"""This file is the command `inspect`: what a recording is, before anything is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig_plugin.commands.arguments import a_file, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline

if TYPE_CHECKING:
    from hardware.passage import History
    from simulators.sweep import Sweep

__all__ = ["command"]


@click.command("inspect", cls=QuietCommand)
@click.argument("file", type=a_file)
@click.option(
    "--html",
    metavar="PAGE",
    type=click.Path(path_type=Path),
    callback=is_new,
    help="Draw the sweeps as well, on a page for a browser.",
)
@json_option
@click.pass_context
def command(context: click.Context, file: Path, *, html: Path | None, as_json: bool) -> None:
    """Tell what a recording is, and what is wrong with it.

    Names the kind of FILE, its channels and units, the clamp mode and how it is known, sweeps, where the stimulus and
    the holding current come from, the junction potential, the epochs and which of them is taken, the spikes in it
    sweep by sweep, and the problems found.
    """
    from hardware.inspection import inspect

    output = output_of(context)
    found = inspect(file, _counted)
    if html is not None:
        _draw(file, html, found)
    if as_json:
        output.line(found)
    else:
        output.text(outline(found))


def _counted(sweep: Sweep, history: History | None) -> int | None:
    """Count the spikes of a sweep; what that takes is loaded once there is one."""
    from rig_plugin.counting import count

    return count(sweep, history)


def _draw(file: Path, html: Path, found: dict[str, Any]) -> None:
    """Write the page; of a file that is refused it has the reason and no drawing."""
    from hardware.recording import RecordingError
    from hardware.replay import Replay
    from rig_plugin.report.page import write
    from rig_plugin.report.recording import recording_page

    try:
        rig = Replay(file, speed="max")
    except RecordingError:
        write(html, recording_page(found, (), ()))
        return
    write(html, recording_page(found, rig.recording.sweeps, rig.stimuli))
