"""This file is the command `app`: the window, attached to a rig."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig_plugin.commands.arguments import a_file
from rig_plugin.commands.output import QuietCommand

if TYPE_CHECKING:
    from simulators.stimulus import Clamp

__all__ = ["command"]


@click.command("app", cls=QuietCommand)
@click.argument("rig_file", metavar="[RIG.toml]", type=a_file, required=False)
@click.option(
    "--membrane-test",
    "clamp",
    type=click.Choice(["voltage", "current"]),
    help="Play no protocol, but membrane tests in this clamp until they are stopped.",
)
def command(rig_file: Path | None, clamp: Clamp | None) -> None:
    """Open the window on a rig, or on a simulated cell.

    RIG.toml describes the rig, what is played, and where it is kept. While a cell is being patched, membrane tests show
    seal, access and membrane; nothing is recorded then.
    """
    from rig_plugin.settings import read

    settings = read(rig_file)
    from rig_plugin.app import attach

    attach(settings, clamp, rig_file)
