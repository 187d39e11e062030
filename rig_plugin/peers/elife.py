"""This file is the eLife cell: the published parameters at which every simulator is timed.

References:
    Goncalves et al. (2020), eLife 9:e56261, theta* of its single-compartment model. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import math
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

__all__ = ["CELL", "DENSITY", "DURATION", "E_K", "E_NA", "OFFSET", "ONSET", "SPIKES", "STEPS", "batch"]

CELL = MappingProxyType(
    {
        "C": 100.0,
        "g_leak": 0.1,
        "g_Na": 50.0,
        "g_K": 5.0,
        "g_M": 0.07,
        "tau_max": 600.0,
        "V_T": -60.0,
        "E_leak": -70.0,
        "rate_factor": 1.0,
        "noise": 0.1,
    }
)
"""In the order and the units of `simulators.pospischil.constants`. It starts at its E_leak, with all gates at rest."""

E_NA, E_K = 53.0, -107.0

DENSITY = 5e-4 / (math.pi * 70e-4**2)
"""Current of the step [uA/cm2]."""

ONSET, OFFSET, DURATION = 10.0, 110.0, 120.0
"""Of the step, and of the sweep [ms]."""

STEPS = 4800
"""Of 0.025 ms."""

SPIKES = 5
"""How many it fires at these parameters, whatever the noise."""


def batch(sweeps: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give as many cells as there are to be sweeps, in the form of `simulators.moments.summarize`.

    Args:
        sweeps: How many.

    Returns:
        Parameters, shape (sweeps, 10); reversal potentials, shape (sweeps, 2) [mV]; levels of the three epochs, shape
        (sweeps, 3) [pA].
    """
    cells = np.tile(np.array(list(CELL.values())), (sweeps, 1))
    return cells, np.tile([E_NA, E_K], (sweeps, 1)), np.tile([0.0, DENSITY * CELL["C"], 0.0], (sweeps, 1))
