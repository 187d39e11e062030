"""This file is the command `pretrain`: from a spec to a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import a_file, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of
from rig_plugin.commands.table import cell, outline

__all__ = ["command"]


@click.command("pretrain", cls=QuietCommand)
@click.argument("spec", metavar="SPEC.toml", type=a_file)
@click.option(
    "--out",
    metavar="NET",
    type=click.Path(path_type=Path),
    callback=is_new,
    required=True,
    help="The checkpoint, a new file.",
)
@click.option("--simulations", metavar="N", type=click.IntRange(min=1), help="Simulated cells; the spec's without it.")
@click.option("--device", metavar="D", default="cpu", show_default=True, help="Where to train, as torch names it.")
@click.option("--seed", metavar="S", type=click.IntRange(min=0), help="The spec's without it.")
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that simulate, each on one core; 1 is this one on all cores.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    *,
    out: Path,
    simulations: int | None,
    device: str,
    seed: int | None,
    workers: int,
    as_json: bool,
) -> None:
    """Make a network: simulate, train, calibrate, write it.

    SPEC.toml says which cells, designs, features and architecture; NET is one checkpoint.
    """
    from estimators.pretraining import pretrain

    output = output_of(context)
    for event in pretrain(spec, out, simulations=simulations, device=device, seed=seed, workers=workers):
        if as_json:
            output.line(event)
        elif event["event"] == "progress":
            told = (f"{name} {cell(value)}" for name, value in event.items() if name != "event")
            click.echo("  ".join(told), err=True)
        else:
            output.text(outline(event))
