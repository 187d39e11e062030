"""This file is the rigs: from the settings of a rig file to a rig; one function a kind that ships."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hardware.model_cell import ModelCell
from hardware.pace import Speed
from rig_plugin.settings import Settings, SettingsError
from simulators.cortical import Cortical
from simulators.stimulus import Stimulus

__all__ = ["TYPICAL", "model_cell"]

TYPICAL: Mapping[str, float] = {
    "C": 90.0,
    "g_leak": 0.06,
    "g_Na": 55.0,
    "g_K": 6.0,
    "g_M": 0.08,
    "tau_max": 800.0,
    "V_T": -56.0,
    "E_leak": -70.0,
    "rate_factor": 0.9,
    "noise": 0.03,
    "bridge": 1.5,
    "offset": 0.5,
}
"""A regular-spiking neuron on a well-kept rig: what the simulated cell is unless the rig file says otherwise."""

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
    cell = Cortical(electrode=electrode.electrode())
    bounds = {parameter.name: parameter for parameter in cell.parameters}
    for name, value in settings.cell.theta.items():
        if name not in bounds:
            raise SettingsError(f"[cell] {name} is unknown; known are {', '.join(bounds)}.")
        bound = bounds[name]
        if not bound.low <= value <= bound.high:
            raise SettingsError(
                f"[cell] {name} is {value:g} {bound.unit}, {bound.low:g} to {bound.high:g} {bound.unit} was wanted."
            )
    values = {**TYPICAL, **settings.cell.theta}
    leak = bounds["E_leak"]

    def simulate(stimulus: Stimulus, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        shifted = values["E_leak"] + electrode.rest_drift * rig.elapsed / _MINUTE
        # A cell that has drifted out of the simulator's bounds stays there: it is not the rig that has failed.
        now = {**values, "E_leak": min(max(shifted, leak.low), leak.high)}
        theta = np.array([[now[parameter.name] for parameter in cell.parameters]])
        return np.asarray(cell.simulate(theta, stimulus, rate, rng)[0])

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
