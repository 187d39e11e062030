"""This file is the rigs: from the settings of a rig file to a rig; one function a kind that ships."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.model_cell import ModelCell
from hardware.nidaq import Nidaq
from hardware.pace import Speed
from rig_plugin.settings import Settings, SettingsError
from rig_plugin.simulated_cell import CELLS
from simulators.stimulus import Stimulus

__all__ = ["model_cell", "nidaq"]

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


def nidaq(settings: Settings) -> Nidaq:
    """Make the rig of a board of National Instruments.

    Args:
        settings: Of which the tables [rig], [nidaq] and [limits] are used.

    Returns:
        The rig, closed.

    Raises:
        Refusal: If [nidaq] lacks the board or a scale, or names what can't be.
    """
    table = settings.nidaq
    return Nidaq(
        table.wiring(),
        settings.rig.rate,
        settings.limits.limits(),
        exit_level=table.exit_level,
        junction=table.told,
        timeout=table.timeout,
        silence=table.silence,
    )
