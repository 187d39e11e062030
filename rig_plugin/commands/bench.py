"""This file is the command `bench`: what this program does in numbers, beside its peers."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rig_plugin import benchmarks
from rig_plugin.commands.arguments import a_file, a_network, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline
from simulators.refusal import Refusal

__all__ = ["command"]


@click.command("bench", cls=QuietCommand)
@click.argument("name")
@click.option("--no-peers", is_flag=True, help="Leave the other programs out.")
@click.option("--task", metavar="T", help="Of sbibm: two_moons, slcp, ..., or all.")
@click.option(
    "--simulations",
    metavar="N",
    type=click.IntRange(min=100),
    help="Of sbibm, inference, gains, missing and traces: how many to learn from; of families: how many sbi learns "
    "each of its fits from, without it there are none; of trust: sweeps.",
)
@click.option("--seeds", metavar="N", type=click.IntRange(min=1), help="Of sbibm: how often, from new simulations.")
@click.option("--observations", metavar="N", type=click.IntRange(min=1), help="Of sbibm, of the ten, and inference.")
@click.option("--classifier", type=click.Choice(["own", "sklearn"]), help="Of sbibm: who tells draws apart.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Of sbibm, inference and families: JSON lines of what is done, which a later run goes on with.",
)
@click.option(
    "--wheel", metavar="FILE", type=a_file, help="Of sbibm: the reference draws; the user's cache without it."
)
@click.option(
    "--data",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Of adaptive and families: recordings of real cells; the folder that RIG_DATA names without it.",
)
@click.option(
    "--network",
    metavar="NET",
    type=a_network,
    help="Of adaptive, families, robustness, tracking and trust: a checkpoint or one that ships; else the "
    "first of these (tracking wants one that tracks).",
)
@click.option(
    "--html",
    metavar="REPORT",
    type=click.Path(path_type=Path),
    callback=is_new,
    help="Of families: a page with recorded and simulated traces, a new file.",
)
@click.option(
    "--judge", metavar="NET", type=a_network, help="Of adaptive: who scores, trained by itself with another seed."
)
@click.option(
    "--cells",
    metavar="N",
    type=click.IntRange(min=1),
    help="Of adaptive: simulated cells; of robustness, clamp and tracking: the same, at each level or of each kind.",
)
@json_option
@click.pass_context
def command(context: click.Context, /, name: str, *, no_peers: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Run a benchmark, beside its peers where they are installed.

    A missed aim is reported and is no failure.
    """
    there = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    if name not in there:
        raise Refusal(f"There is no benchmark '{name}': there are {', '.join(there) or 'none'}.")
    measure = importlib.import_module(f"rig_plugin.benchmarks.{name}").measure
    given = {option: value for option, value in options.items() if value is not None}
    for option in given:
        if option not in inspect.signature(measure).parameters:
            raise Refusal(f"The benchmark '{name}' takes no --{option}; leave it out.")
    found = measure(peers=not no_peers, **given)
    # Most give figures alone; what is a matrix comes with tables of its own.
    tables = found if isinstance(found, Mapping) else {"figures": found}
    measured = {"bench": name, "machine": _machine(), **tables}
    output = output_of(context)
    if as_json:
        output.line(measured)
    else:
        output.text(outline(measured))


def _machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
