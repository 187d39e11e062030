"""This file is the command `app`: the window, attached to a rig."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import a_file
from rig_plugin.commands.output import QuietCommand

__all__ = ["command"]


@click.command("app", cls=QuietCommand)
@click.argument("rig_file", metavar="[RIG.toml]", type=a_file, required=False)
def command(rig_file: Path | None) -> None:
    """Open the window on a rig, or on a simulated cell.

    RIG.toml describes the rig, what is played, and where it is kept.
    """
    from rig_plugin.settings import read

    settings = read(rig_file)
    from rig_plugin.app import attach

    attach(settings)
