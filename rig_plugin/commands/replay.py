"""This file is the command `replay`: the same loop over a recording."""

from __future__ import annotations

from pathlib import Path

import click

from rig_plugin.commands.arguments import SPEEDS, a_file, a_network, within
from rig_plugin.commands.output import QuietCommand, json_option, output_of, tell_trials
from rig_plugin.replay_settings import ReplaySettings

__all__ = ["command"]

GOHM_PER_MOHM = 1e-3


@click.command("replay", cls=QuietCommand)
@click.argument("file", type=a_file)
@click.option(
    "--network",
    metavar="NET",
    type=a_network,
    help="A checkpoint, or the name of one that ships; without it the first of these.",
)
@click.option("--sweep", metavar="K", type=click.IntRange(min=0), help="Only this sweep, counted from 0.")
@click.option("--epoch", metavar="E", type=click.IntRange(min=0), help="Observe this current epoch, counted from 0.")
@click.option(
    "--junction-potential",
    metavar="MV",
    type=float,
    callback=within(-50.0, 50.0, "mV"),
    help="Liquid junction potential, which is subtracted from the voltage [mV].",
)
@click.option(
    "--bridge",
    metavar="MOHM",
    type=float,
    callback=within(-200.0, 200.0, "MOhm"),
    help="Series resistance that the bridge left, times the command subtracted from the voltage [MOhm].",
)
@click.option("--speed", type=SPEEDS, help="real: as recorded (the window's default); max: as fast as can be.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    *,
    network: Path | None,
    sweep: int | None,
    epoch: int | None,
    junction_potential: float | None,
    bridge: float | None,
    speed: str | None,
    as_json: bool,
) -> None:
    """Go through a recording, in the window or as JSON lines.

    FILE is an ABF, an NWB or a recording of this program.
    """
    settings = ReplaySettings(
        file,
        network=network,
        sweep=sweep,
        epoch=epoch,
        junction_potential=junction_potential,
        bridge=None if bridge is None else bridge * GOHM_PER_MOHM,
        pace=speed or ("max" if as_json else "real"),
    )
    if as_json:
        from rig_plugin import opening

        session = opening.replay(settings, opening.network(network))
        tell_trials(output_of(context), session.trials(), as_json=True)
    else:
        from rig_plugin.app import replay as replay_in_window

        replay_in_window(settings)
