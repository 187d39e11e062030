"""This file is the command `plugins`: what is installed."""

from __future__ import annotations

import click

from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import table
from rig_plugin.plugins import KINDS, entry, names

__all__ = ["command"]


@click.command("plugins", cls=QuietCommand)
@json_option
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List what is installed: rigs, simulators and the rest."""
    output = output_of(context)
    rows = []
    for kind in KINDS:
        for name in names(kind):
            found = entry(kind, name)
            distribution = found.dist
            rows.append(
                {
                    "kind": kind,
                    "name": name,
                    "from": distribution.name if distribution else None,
                    "version": distribution.version if distribution else None,
                    "at": found.value,
                }
            )
    if as_json:
        output.line({"plugins": rows})
    else:
        output.text(table(rows))
