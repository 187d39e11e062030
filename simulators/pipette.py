"""This file is the pipette: its wall's capacitance, charged through its series resistance.

What the amplifier sees is the membrane's voltage plus that across the series resistance, through one pole at
R_s C_p. The bridge takes its share of the current's step at once while the pipette still charges, so that even a
bridge in balance leaves a transient of R_s times the step. C_p is what the capacitance neutralization leaves; one
that is turned up too far rings, which is left out, and so is the delay of the current on its way into the cell.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, LANES, enter

__all__ = ["CHARGE", "begin_charge", "charge"]

CHARGE = 3
"""Rows of what a pipette remembers: by how much it lags, the voltage one step before, and the current."""


@njit(error_model="numpy")
def begin_charge(first, level, memory):
    """Let the pipettes start charged, as if the first sample had been there for ever.

    Args:
        first: Voltage of the membrane, shape (LANES,), float32 [mV].
        level: Current of the first epoch, shape (LANES,) [pA].
        memory: Shape (CHARGE, LANES), float32, written to.
    """
    for i in range(LANES):
        memory[0, i] = float32(0.0)
        memory[1, i] = first[i]
        memory[2, i] = level[i]


@njit(fastmath=FAST, error_model="numpy")
def charge(trace, begin, steps, series, capacitance, dt, ends, levels, memory):
    """Turn membrane voltage into what the pipette passes on, less series resistance times current, in place.

    Exact for a voltage that is straight between steps and a current that is constant in them. Only the lag is kept:
    a lane without capacitance passes bit by bit.

    Args:
        trace: Voltage, shape (>= steps, LANES), float32 [mV]; row t is the end of step begin + t.
        begin: First of the steps.
        steps: How many rows are used.
        series: Series resistance before any compensation, shape (LANES,) [MOhm].
        capacitance: Shape (LANES,) [pF].
        dt: Integration step [ms].
        ends: Step at which each epoch ends, shape (e, LANES), int32.
        levels: Current of each epoch, shape (e, LANES) [pA].
        memory: Shape (CHARGE, LANES), float32; read and written.
    """
    lag, before = np.empty(LANES, dtype=np.float32), np.empty(LANES, dtype=np.float32)
    keep, slope = np.zeros(LANES, dtype=np.float32), np.zeros(LANES, dtype=np.float32)
    epoch = np.zeros(LANES, dtype=np.int32)
    for i in range(LANES):
        lag[i], before[i] = memory[0, i], memory[1, i]
        time_constant = 1e-3 * series[i] * capacitance[i]
        if time_constant > 0.0:
            keep[i] = math.exp(-dt / time_constant)
            slope[i] = -math.expm1(-dt / time_constant) * time_constant / dt
    change = begin
    for t in range(steps):
        if begin + t >= change:
            change = enter(epoch, ends, begin + t)
            for i in range(LANES):
                level = levels[epoch[i], i]
                lag[i] -= 1e-3 * series[i] * (level - memory[2, i])
                memory[2, i] = level
        for i in range(LANES):
            x = trace[t, i]
            lag[i] = keep[i] * lag[i] + slope[i] * (before[i] - x)
            before[i] = x
            trace[t, i] = x + lag[i]
    for i in range(LANES):
        memory[0, i], memory[1, i] = lag[i], before[i]
