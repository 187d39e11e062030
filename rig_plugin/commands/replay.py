"""This file is the command `replay`: the same loop over a recording."""

from __future__ import annotations

import math
from pathlib import Path

import click

from rig_plugin.commands.arguments import SPEEDS, a_file, a_network, within
from rig_plugin.commands.output import QuietCommand, json_option, output_of, tell_trials
from rig_plugin.replay_settings import ReplaySettings

__all__ = ["command"]

GOHM_PER_MOHM = 1e-3


def _window(
    context: click.Context, parameter: click.Parameter, value: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Refuse a window that is none, before a file is read."""
    if value is not None and not 0 <= value[0] < value[1] < math.inf:
        raise click.BadParameter(
            f"{value[0]:g} to {value[1]:g} ms was given, a start from 0 ms and a later end were wanted."
        )
    return value


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
    "--channel",
    metavar="N",
    help="Read the voltage from this channel, by its number or name as inspect lists them.",
)
@click.option(
    "--current-channel",
    metavar="N",
    help="Read the current from this channel, by its number or name as inspect lists them.",
)
@click.option(
    "--window",
    metavar="START END",
    type=(float, float),
    callback=_window,
    help="Use only this part of each sweep, from its start [ms]; at most 250 ms before the step and 300 ms after it.",
)
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
@click.option(
    "--quality",
    metavar="RIG.toml",
    type=a_file,
    help="Hold the sweeps against the rules in [quality] of this rig file; without it against the defaults.",
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
    channel: str | None,
    current_channel: str | None,
    window: tuple[float, float] | None,
    junction_potential: float | None,
    bridge: float | None,
    quality: Path | None,
    speed: str | None,
    as_json: bool,
) -> None:
    """Go through a recording, in the window or as JSON lines.

    FILE is an ABF, an NWB or a recording of this program.
    """
    from rig_plugin.settings import read

    settings = ReplaySettings(
        file,
        network=network,
        sweep=sweep,
        epoch=epoch,
        channel=channel,
        current_channel=current_channel,
        window=window,
        junction_potential=junction_potential,
        bridge=None if bridge is None else bridge * GOHM_PER_MOHM,
        quality=read(quality).quality,
        pace=speed or ("max" if as_json else "real"),
    )
    if as_json:
        from rig_plugin import opening
        from rig_plugin.commands.narrator import Narrator

        session = opening.replay(settings, opening.network(network), (Narrator(),))
        tell_trials(output_of(context), session.trials(), as_json=True)
    else:
        from rig_plugin.app import replay as replay_in_window

        replay_in_window(settings)
