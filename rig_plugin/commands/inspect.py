"""This file is the command `inspect`: what a recording is, before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import a_file
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline

__all__ = ["command"]


@click.command("inspect", cls=QuietCommand)
@click.argument("file", type=a_file)
@json_option
@click.pass_context
def command(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Tell what a recording is, and what is wrong with it.

    Names the kind of FILE, its channels, units and sweeps, and where the stimulus comes from.
    """
    from hardware.inspection import inspect

    output = output_of(context)
    found = inspect(file)
    if as_json:
        output.line(found)
    else:
        output.text(outline(found))
