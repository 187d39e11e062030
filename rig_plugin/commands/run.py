"""This file is the command `run`: a session without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig_plugin.commands.arguments import SPEEDS, a_file, a_model_cell, is_new
from rig_plugin.commands.output import QuietCommand, json_option, output_of, tell_trials
from rig_plugin.commands.table import outline

if TYPE_CHECKING:
    from rig_plugin.membrane_tests import ModelCellCheck
    from simulators.stimulus import Clamp

__all__ = ["command"]


@click.command("run", cls=QuietCommand)
@click.argument("rig_file", metavar="[RIG.toml]", type=a_file, required=False)
@click.option("--sweeps", metavar="N", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@click.option("--seed", metavar="S", type=click.IntRange(min=0), help="The same seed gives the same numbers.")
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), callback=is_new, help="Keep the sweeps in this new file."
)
@click.option(
    "--gap-free",
    "gap_free",
    metavar="SECONDS",
    type=click.FloatRange(min=0.0, max=86_400.0, min_open=True),
    help="Play no step: hold the holding current and record without gaps for so long.",
)
@click.option(
    "--membrane-test",
    "clamp",
    type=click.Choice(["voltage", "current"]),
    help="Play no protocol, but as many membrane tests as --sweeps says, in this clamp.",
)
@click.option(
    "--model-cell",
    metavar="MOHM,PF[,MOHM]",
    callback=a_model_cell,
    help="Of membrane tests: what the model cell has, membrane, capacitor and pipette, to be compared with.",
)
@click.option(
    "--script",
    metavar="EXPERIMENT.toml",
    type=a_file,
    help="Play this experiment, unattended, in place of the family; each decision is told on standard error.",
)
@click.option(
    "--resume",
    metavar="FILE",
    type=a_file,
    help="Of a script: go on where this recording of it ended; what comes is kept in a file of its own.",
)
@click.option("--speed", type=SPEEDS, help="real: as long as a cell would take; max: as fast as can be.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    rig_file: Path | None,
    *,
    sweeps: int,
    seed: int | None,
    out: Path | None,
    gap_free: float | None,
    clamp: Clamp | None,
    model_cell: ModelCellCheck | None,
    script: Path | None,
    resume: Path | None,
    speed: str | None,
    as_json: bool,
) -> None:
    """Run a session without a window.

    Plays the protocol of RIG.toml, or a family of steps on a simulated cell, and infers after every sweep. A gap-free
    recording has no sweeps: what is told is how much was recorded. A membrane test tells access, membrane and holding.
    A script goes from the seal to the posterior by itself, and says why it did what it did.
    """
    if clamp is None and model_cell is not None:
        raise click.UsageError("--model-cell is compared with membrane tests, so add --membrane-test voltage.")
    if clamp is not None and (gap_free is not None or out is not None):
        raise click.UsageError("--membrane-test records nothing, so leave --gap-free and --out out.")
    if script is not None and (clamp is not None or gap_free is not None or _is_given(context, "sweeps")):
        raise click.UsageError(
            "--script says itself what is played, so leave --sweeps, --gap-free and --membrane-test."
        )
    if resume is not None and script is None:
        raise click.UsageError("--resume goes on with a script, so add --script EXPERIMENT.toml.")
    from rig_plugin.settings import read

    settings = read(rig_file)
    rig = settings.rig
    rig = replace(rig, seed=rig.seed if seed is None else seed, pace=speed or rig.pace)
    if clamp is not None:
        from rig_plugin.commands.membrane_row import tell_tests

        tell_tests(output_of(context), replace(settings, rig=rig), clamp, sweeps, model_cell, as_json=as_json)
        return
    if script is not None:
        from rig_plugin.commands.narrator import tell_experiment

        tell_experiment(output_of(context), replace(settings, rig=rig), script, out, resume, as_json=as_json)
        return
    from rig_plugin.commands.narrator import Narrator
    from rig_plugin.opening import attach, network

    protocol = settings.protocol if gap_free is None else replace(settings.protocol, gap_free=1e3 * gap_free)
    settings = replace(settings, rig=rig, protocol=protocol)
    listeners = () if protocol.chosen_by == "family" else (Narrator(),)
    session = attach(settings, network(settings.network.path), sweeps=sweeps, out=out, listeners=listeners)
    output = output_of(context)
    tell_trials(output, session.trials(), as_json=as_json)
    if protocol.gap_free:
        status = session.status
        told: dict[str, object] = {
            "gap_free_s": protocol.gap_free / 1e3,
            "samples": status.received,
            "lost_samples": status.lost,
            "on_disk": status.on_disk,
            "file": status.path,
        }
        if as_json:
            output.line(told)
        else:
            output.text(outline(told))


def _is_given(context: click.Context, name: str) -> bool:
    """Tell whether an option that has a default was typed."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
