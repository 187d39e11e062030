"""This file is the rigs: from the settings of a rig file to a rig; one function a kind that ships."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.model_cell import ModelCell
from hardware.pace import Speed
from hardware.port import Port
from hardware.spikerbox import SpikerBox
from rig_plugin.settings import Settings, SettingsError
from rig_plugin.simulated_cell import CELLS
from simulators.stimulus import Stimulus

__all__ = ["model_cell", "spikerbox"]

_MINUTE = 60_000.0  # [ms]


def model_cell(settings: Settings) -> ModelCell:
    """Make the simulated rig.

    Args:
        settings: Of which the tables [rig], [cell], [electrode], [limits] and [protocol] are used.

    Returns:
        The rig, closed.

    Raises:
        SettingsError: If [cell] names an unknown parameter or a value outside its bounds.
    """
    electrode = settings.electrode
    seen_through = electrode.electrode()
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
    values = {**cell.typical, **settings.cell.theta}
    leak = bounds["E_leak"]

    def simulate(stimulus: Stimulus, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        shifted = values["E_leak"] + electrode.rest_drift * rig.elapsed / _MINUTE
        # A cell that has drifted out of the simulator's bounds stays there: it is not the rig that has failed.
        now = {**values, "E_leak": min(max(shifted, leak.low), leak.high)}
        return cell.simulate(now, seen_through, stimulus, rate, rng)

    pace: Speed = "max" if settings.rig.pace == "max" else "real"
    seed = settings.rig.seed
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    rig = ModelCell(
        simulate,
        settings.rig.rate,
        settings.limits.limits(),
        seed=seed,
        pace=pace,
        interval=settings.protocol.interval,
        junction=electrode.junction,
        clamps=cell.clamps,
    )
    return rig


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
