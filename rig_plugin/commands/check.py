"""This file is the command `check`: whether a network's intervals hold what they promise."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from rig_plugin.commands.arguments import a_network, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline

__all__ = ["command"]


@click.command("check", cls=QuietCommand)
@click.argument("network", metavar="NET", type=a_network)
@click.option(
    "--simulations",
    metavar="N",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    help="Fresh cells; strata that lack some get more.",
)
@click.option(
    "--html",
    "report",
    metavar="REPORT",
    type=click.Path(path_type=Path),
    callback=is_new,
    help="A page with plots, a new file.",
)
@json_option
@click.pass_context
def command(context: click.Context, network: Path, *, simulations: int, report: Path | None, as_json: bool) -> None:
    """Check a network on cells that it has never seen.

    Measures coverage, over all cells and in strata, simulation-based calibration, log probability and contraction of
    NET, and lists which aims are missed.
    """
    from estimators.calibration import check

    output = output_of(context)
    found = check(network, simulations=simulations)
    if as_json:
        output.line(found)
    else:
        output.text(outline({name: value for name, value in found.items() if name != "rank_counts"}))
    if report is not None:
        from rig_plugin.report.calibration import calibration_page
        from rig_plugin.report.page import write

        write(report, calibration_page(found, network.name, date.today().isoformat()))
