"""This file is the command `check`: whether a network's intervals hold what they promise."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import a_file
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline

__all__ = ["command"]


@click.command("check", cls=QuietCommand)
@click.argument("network", metavar="NET", type=a_file)
@click.option(
    "--simulations", metavar="N", type=click.IntRange(min=1), default=5000, show_default=True, help="Fresh cells."
)
@json_option
@click.pass_context
def command(context: click.Context, network: Path, *, simulations: int, as_json: bool) -> None:
    """Check a network on cells that it has never seen.

    Measures coverage, simulation-based calibration, log probability and contraction of NET.
    """
    from estimators.calibration import check

    output = output_of(context)
    found = check(network, simulations=simulations)
    if as_json:
        output.line(found)
    else:
        output.text(outline(found))
