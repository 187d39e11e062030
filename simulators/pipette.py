"""This file is the pipette: its wall's capacitance and its series resistance, in either clamp.

In current clamp what the amplifier sees is the membrane's voltage plus that across the series resistance, through one
pole at R_s C_p. The bridge takes its share of the current's step at once while the pipette still charges, so that even
a bridge in balance leaves a transient of R_s times the step. C_p is what the capacitance neutralization leaves; one
that is turned up too far rings, which is left out, and so is the delay of the current on its way into the cell. In
voltage clamp the wall is charged by the amplifier itself, ahead of the series resistance, and takes its part of the
current at every jump.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, LANES, enter

__all__ = ["CHARGE", "begin_charge", "charge", "draw"]

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


@njit(fastmath=FAST, error_model="numpy")
def draw(trace, begin, steps, series, capacitance, corner, dt, ends, commands):
    """Turn membrane voltage into what a voltage clamp sends through the pipette, in place.

    The membrane takes (command - V) / R_s, and the pipette's wall C_p times the slope of the command: at a jump the
    charge of a step, within one time step.

    Args:
        trace: Voltage, shape (>= steps, LANES), float32 [mV]; row t is the end of step begin + t.
        begin: First of the steps.
        steps: How many rows are used.
        series: Series resistance, shape (LANES,) [MOhm].
        capacitance: Shape (LANES,) [pF].
        corner: Of the low-pass behind, shape (LANES,) [kHz].
        dt: Integration step [ms].
        ends: Step at which each epoch ends, shape (e, LANES), int32.
        commands: Command of each epoch, shape (e, LANES), float32 [mV].
    """
    # mV through MOhm are nA, so that 1000/MOhm is in nS.
    level, g = np.empty(LANES, dtype=np.float32), np.empty(LANES, dtype=np.float32)
    epoch = np.zeros(LANES, dtype=np.int32)
    change = enter(epoch, ends, begin)
    for i in range(LANES):
        level[i] = commands[epoch[i], i]
        g[i] = 1000.0 / series[i]
    for t in range(steps):
        for i in range(LANES):
            trace[t, i] = (level[i] - trace[t, i]) * g[i]
        if begin + t + 1 >= change:
            change = enter(epoch, ends, begin + t + 1)
            for i in range(LANES):
                jump = commands[epoch[i], i] - level[i]
                level[i] += jump
                # A filter takes a jump that is halfway at the border; a sample there belongs to what follows.
                share = float32(0.5) if corner[i] > 0.0 else float32(1.0)
                trace[t, i] += jump * (share * g[i] + float32(capacitance[i] / dt))
