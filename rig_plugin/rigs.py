"""This file is the rigs: from the settings of a rig file to a rig; one function a kind that ships."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.model_cell import ModelCell
from hardware.nidaq import Nidaq
from hardware.pace import Speed
from hardware.port import Port
from hardware.serial_rig import SerialRig
from hardware.spikerbox import SpikerBox
from rig_plugin.patch_course import PatchCourse
from rig_plugin.settings import Settings, SettingsError
from rig_plugin.simulated_cell import CELLS, added
from simulators.stimulus import Stimulus

__all__ = ["model_cell", "nidaq", "serial", "spikerbox"]


def model_cell(settings: Settings) -> ModelCell:
    """Make the simulated rig.

    Args:
        settings: Of which the tables [rig], [cell], [patch], [electrode], [limits] and [protocol] are used.

    Returns:
        The rig, closed.

    Raises:
        SettingsError: If [cell] names an unknown parameter or a value outside its bounds.
    """
    electrode = settings.electrode
    cell = CELLS[settings.cell.model or next(iter(CELLS))]
    bounds = {parameter.name: parameter for parameter in cell.parameters}
    for name, value in settings.cell.theta.items():
        if name not in bounds:
            raise SettingsError(f"[cell] {name} is unknown; known are {', '.join(bounds)}.")
        bound = bounds[name]
        if not bound.low <= value <= bound.high:
            raise SettingsError(
                f"[cell] {name} is {value:g} {bound.unit}, {bound.low:g} to {bound.high:g} {bound.unit} was wanted."
            )
    pace: Speed = "max" if settings.rig.pace == "max" else "real"
    seed = settings.rig.seed
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    values = {**cell.typical, **settings.cell.theta}
    course = PatchCourse(cell, values, electrode.electrode(), settings.patch, electrode.rest_drift, seed)

    def simulate(stimulus: Stimulus, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        return course.simulate(rig.elapsed, stimulus, rate, rng, added(rig.clamped))

    rig = ModelCell(
        simulate,
        settings.rig.rate,
        settings.limits.limits(),
        seed=seed,
        pace=pace,
        interval=settings.protocol.interval,
        junction=electrode.junction,
        clamps=cell.clamps,
        room=cell.room,
    )
    return rig


def nidaq(settings: Settings) -> Nidaq:
    """Make the rig of a board of National Instruments.

    Args:
        settings: Of which the tables [rig], [nidaq], [channels] and [limits] are used.

    Returns:
        The rig, closed.

    Raises:
        Refusal: If [nidaq] lacks the board or a scale, or names what can't be.
    """
    table = settings.nidaq
    return Nidaq(
        table.wiring(settings.channels.inputs),
        settings.rig.rate,
        settings.limits.limits(),
        exit_level=table.exit_level,
        junction=table.told,
        timeout=table.timeout,
        silence=table.silence,
    )


def serial(settings: Settings) -> SerialRig:
    """Make the rig on a serial line.

    Args:
        settings: Of which the tables [rig], [serial] and [limits] are used.

    Returns:
        The rig, closed.

    Raises:
        SettingsError: If [serial] lacks the port or a scale.
        RigError: If the line can't carry the rate, or a channel can't be used.
    """
    asked = settings.serial
    response, command, output = asked.scales()
    return SerialRig(
        asked.line,
        response,
        command,
        output,
        rate=settings.rig.rate,
        limits=settings.limits.limits(),
        channels=asked.channels,
        baud=asked.baud,
        dtr=asked.dtr == "on",
        exit_level=asked.holding,
        junction=asked.known_junction(),
    )


def spikerbox(settings: Settings) -> SpikerBox:
    """Make the rig that listens to a SpikerBox.

    Args:
        settings: Of which the table [spikerbox] is used, and [protocol] has to record without gaps.

    Returns:
        The rig, closed.

    Raises:
        SettingsError: If no port is named, steps are asked, or a channel that is not sent.
    """
    box, asked = settings.spikerbox, settings.protocol
    if box.port is None:
        raise SettingsError(
            '[spikerbox] port is missing: name where the box is, for instance port = "COM3" or "/dev/ttyACM0".'
        )
    if not asked.gap_free or asked.holding:
        raise SettingsError(
            f"[protocol] asks for {'a holding' if asked.gap_free else 'steps'} of current and a SpikerBox only "
            "listens: set gap_free_s to the seconds to record, and leave holding_pA at 0."
        )
    if box.channel > box.channels:
        raise SettingsError(
            f"[spikerbox] channel is {box.channel} of {box.channels} channels: name one of those that are sent."
        )
    port = Port(box.port, box.baud)
    return SpikerBox(port, box.rate, box.channels, box.channel, box.bits, box.calibration)
