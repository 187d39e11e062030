"""This file is the command `bench`: what this program does in numbers, beside its peers."""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
from typing import Any

import click

from rig_plugin import benchmarks
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import outline
from simulators.refusal import Refusal

__all__ = ["command"]


@click.command("bench", cls=QuietCommand)
@click.argument("name")
@click.option("--no-peers", is_flag=True, help="Leave the other programs out.")
@json_option
@click.pass_context
def command(context: click.Context, name: str, *, no_peers: bool, as_json: bool) -> None:
    """Run a benchmark, beside its peers where they are installed.

    A missed aim is reported and is no failure.
    """
    there = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    if name not in there:
        raise Refusal(f"There is no benchmark '{name}': there are {', '.join(there) or 'none'}.")
    measure = importlib.import_module(f"rig_plugin.benchmarks.{name}").measure
    measured = {"bench": name, "machine": _machine(), "figures": measure(peers=not no_peers)}
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
