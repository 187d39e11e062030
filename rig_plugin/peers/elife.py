"""This file is the eLife cell: the published parameters at which every simulator is timed.

References:
    Goncalves et al. (2020), eLife 9:e56261, theta* of its single-compartment model. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import math
from types import MappingProxyType

__all__ = ["CELL", "DENSITY", "DURATION", "E_K", "E_NA", "OFFSET", "ONSET", "SPIKES", "STEPS"]

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
