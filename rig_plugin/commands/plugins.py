"""This file is the command `plugins`: what is installed."""

from __future__ import annotations

import click

from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import table
from rig_plugin.plugins import KINDS, PluginError, entry, names, needs

__all__ = ["command"]


@click.command("plugins", cls=QuietCommand)
@json_option
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List what is installed: rigs, simulators and the rest, and whether all that each needs is there."""
    output = output_of(context)
    rows = []
    for kind in KINDS:
        for name in names(kind):
            found = entry(kind, name)
            distribution = found.dist
            try:
                needed = needs(found)
                missing = [package for package, there in needed.items() if there is None]
            except PluginError as error:
                # One package that is broken hides no other.
                needed, missing = {}, [str(error)]
            rows.append(
                {
                    "kind": kind,
                    "name": name,
                    "from": distribution.name if distribution else None,
                    "version": distribution.version if distribution else None,
                    "at": found.value,
                    "needs": ", ".join(needed) or None,
                    "installed": not missing,
                }
            )
    if as_json:
        output.line({"plugins": rows})
    else:
        output.text(table(rows))
