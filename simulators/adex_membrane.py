"""This file is the AdEx membrane: an adaptive exponential integrate-and-fire cell, in lanes.

A step is split in three: half of it under leak and adaptation, which are linear and solved exactly; the spike current
alone for the whole step, which has a closed form and reaches infinity at a time that is known; the other half of the
linear part. Splitting is of second order, and a spike is placed between steps.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, LANES, enter, exponential, gaussian, scramble
from simulators.logarithm import logarithm_of_rest

__all__ = ["CONSTANTS", "DT", "PEAK", "STATES", "constants", "integrate", "resting"]

DT = 0.025
"""Time step [ms]."""

PEAK = 0.0
"""Voltage that a spike is drawn up to, and above which the cell is reset [mV]."""

STATES = 4
"""Rows of a state: u = V - V_T, w, and the compensation of both."""

CONSTANTS = 19
"""Rows of a cell's constants in one epoch, filled by `constants`."""

_TOP, _BELOW = np.float32(PEAK), np.float32(PEAK - 0.01)
_FLOOR = -1000.0
# Of a step's spike current, beyond which a cell that is reset so high spikes again in the next step.
_FULL = 0.5


@njit(error_model="numpy")
def constants(cell, g_leak, current, dt, row, lane):
    """Fill one lane's constants of one epoch.

    Args:
        cell: C [pF], g_leak [nS], E_leak, V_T, Delta_T [mV], a [g_leak], tau_w [ms], b [pA], V_r [mV],
            noise [pA ms^0.5].
        g_leak: The leak in this epoch, which a dose may have changed [nS].
        current: The injected current in this epoch [pA].
        dt: Time step [ms].
        row: Constants, shape (CONSTANTS, LANES), written to.
        lane: Column to write.
    """
    C, own, E, V_T, Delta_T, a, tau_w, b, V_r, noise = cell
    a *= own
    # Half a step of d(u, w)/dt = A (u, w) + c: exp(A t) - 1 and its integral over c, by the series of the exponential.
    A = np.array([[-g_leak / C, -1.0 / C], [a / tau_w, -1.0 / tau_w]])
    c = np.array([(g_leak * (E - V_T) + current) / C, a * (V_T - E) / tau_w])
    move, drift = np.zeros((2, 2)), np.zeros(2)
    term = np.eye(2) * 0.5 * dt
    for k in range(1, 20):
        drift += term @ c
        term = term @ A
        move += term
        term *= 0.5 * dt / (k + 1)
    row[0, lane], row[1, lane], row[2, lane] = move[0, 0], move[0, 1], drift[0]
    row[3, lane], row[4, lane], row[5, lane] = move[1, 0], move[1, 1], drift[1]
    spent = own / C * dt
    row[6, lane] = spent
    row[7, lane] = 1.0 / spent
    row[8, lane] = 1.0 / Delta_T
    row[9, lane] = Delta_T
    row[10, lane] = math.exp((V_T - PEAK) / Delta_T)
    row[11, lane] = V_r - V_T
    row[12, lane] = min(spent * math.exp(min((V_r - V_T) / Delta_T, 80.0)), _FULL)
    row[13, lane] = b
    row[14, lane] = noise * math.sqrt(dt) / C
    row[15, lane] = V_T
    row[16, lane] = (g_leak * (E - V_r) + current) / C * dt
    row[17, lane] = dt / C
    row[18, lane] = _FLOOR - V_T


@njit(fastmath=FAST, error_model="numpy")
def integrate(state, rows, random, ends, begin, steps, trace):
    """Integrate one block of cells through their epochs.

    Args:
        state: Shape (STATES, LANES), float32; read and written.
        rows: Constants of each epoch, shape (e, CONSTANTS, LANES), float32.
        random: Random states, shape (LANES,), uint32; read and written.
        ends: Step at which each epoch ends, shape (e, LANES), int32, ascending.
        begin: First of the steps, on the clock of `ends`.
        steps: Number of steps.
        trace: Voltage after each step, shape (>= steps, LANES) [mV], or (0, LANES) where it is not wanted. A step
            that holds a spike ends at its peak, `PEAK`, and no other one does.
    """
    work = np.empty((STATES + 1 + CONSTANTS, LANES), dtype=np.float32)
    seeds = np.empty(LANES, dtype=np.uint32)
    epoch = np.zeros(LANES, dtype=np.int32)
    for lane in range(LANES):
        for k in range(STATES):
            work[k, lane] = state[k, lane]
        seeds[lane] = random[lane]
    keep = trace.shape[0] > 0
    change = begin
    for t in range(steps):
        if begin + t >= change:
            change = enter(epoch, ends, begin + t)
            for lane in range(LANES):
                for k in range(CONSTANTS):
                    work[STATES + 1 + k, lane] = rows[epoch[lane], k, lane]
        _step(work, seeds)
        if keep:
            for lane in range(LANES):
                trace[t, lane] = work[STATES, lane]
    for lane in range(LANES):
        for k in range(STATES):
            state[k, lane] = work[k, lane]
        random[lane] = seeds[lane]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _step(work, seeds):
    """Advance all lanes by one step; row 4 gets the voltage that is recorded.

    With y = exp(-u/Delta_T), the spike current alone is dy/dt = -g_leak/C: y falls in a line, and a spike is there
    where it has reached its value at the peak. The lanes that spike restart there, for what is left of the step.
    """
    one, none = float32(1.0), float32(0.0)
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        u, w = work[0, i], work[1, i]
        first = work[5, i] * u + work[6, i] * w + work[7, i] + work[19, i] * gaussian(seeds[i])
        first_w = work[8, i] * u + work[9, i] * w + work[10, i]
        high, adapted = u + first, w + first_w
        x = high * work[13, i]
        x = float32(-60.0) if x < float32(-60.0) else x
        x = float32(60.0) if x > float32(60.0) else x
        y = exponential(-x)
        fired = y - work[11, i] <= work[15, i]
        part = (y - work[15, i]) * work[12, i]
        part = none if part < none else part
        z = work[17, i] * (one - part) if fired else work[11, i] / y
        z = z if z < float32(0.999999) else float32(0.999999)
        climb = -work[14, i] * logarithm_of_rest(z)
        # The linear part is split in equal halves about the spike current; a spike does not lie in the middle. Left as
        # it is, spikes would be drawn to one place in their step, and regular ones to whole steps apart.
        gained = work[18, i] + (one - part - part) * (work[8, i] * (work[16, i] - high) + work[9, i] * work[18, i])
        raised = adapted + gained
        restart = work[16, i] + (work[21, i] - work[22, i] * raised) * (float32(0.5) - part)
        middle = (restart if fired else high) + climb
        adapted = raised if fired else adapted
        second = work[5, i] * middle + work[6, i] * adapted + work[7, i]
        second_w = work[8, i] * middle + work[9, i] * adapted + work[10, i]
        move = (climb + second if fired else first + climb + second) - (none if fired else work[2, i])
        base = restart if fired else u
        new = base + move
        work[2, i] = (new - base) - move
        new = work[23, i] if new < work[23, i] else new
        work[0, i] = new
        move = first_w + second_w + (gained if fired else none) - work[3, i]
        new_w = w + move
        work[3, i] = (new_w - w) - move
        work[1, i] = new_w
        V = new + work[20, i]
        V = V if V < _BELOW else _BELOW
        work[4, i] = _TOP if fired else V


@njit(error_model="numpy")
def resting(cell, g_leak, current, lane, state):
    """Put a lane at its lower fixed point under a constant current, or at its leak where it has none.

    Args:
        cell: As in `constants`.
        g_leak: The leak, with doses [nS].
        current: Holding current [pA].
        lane: Column to settle.
        state: Shape (STATES, LANES), written to.
    """
    own, E, V_T, Delta_T = cell[1], cell[2], cell[3], cell[4]
    a = cell[5] * own
    slope = g_leak + a
    u, w = E - V_T, 0.0
    if slope > 0.0:
        # The spike current only adds: the fixed point lies above the line's root and below the least net current.
        low, high = E - V_T + current / slope, Delta_T * math.log(slope / own)
        if low < high and _net(high, slope, own, E - V_T, Delta_T, current) < 0.0:
            for _ in range(60):
                u = 0.5 * (low + high)
                if _net(u, slope, own, E - V_T, Delta_T, current) < 0.0:
                    high = u
                else:
                    low = u
            w = a * (u + V_T - E)
    state[0, lane] = max(u, _FLOOR - V_T)
    state[1, lane] = w
    state[2, lane] = 0.0
    state[3, lane] = 0.0


@njit(error_model="numpy")
def _net(u, slope, own, rest, Delta_T, current):
    """Give the net inward current at a voltage with the adaptation at rest [pA]."""
    return slope * (rest - u) + own * Delta_T * math.exp(u / Delta_T) + current
