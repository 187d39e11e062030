"""This file is the cortical cell: one compartment with the kinetics of Pospischil et al. (2008), in lanes.

The voltage-dependent exponentials but one are powers of exp(-u/40) with u = V - V_T, so two are taken where eleven
are written. V and p carry a compensation term, for their smallest steps lie below a float32's resolution.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, LANES, enter, exponential, gaussian, scramble

__all__ = ["CONSTANTS", "DT", "STATES", "advance_gates", "constants", "integrate", "rates", "ratio", "resting"]

DT = 0.025
"""Time step [ms]. Against a step of 0.001 ms, the worst spike of a sweep of 500 ms is 0.08 ms off in the median draw
of the shipped prior and 1.0 ms in the 95th percentile; a weakly driven cell may gain or lose its last one."""

STATES = 7
"""Rows of a state: u, m, h, n, p and the compensation of u and p."""

_FLOOR = np.float32(1e-9)
_LOWEST, _HIGHEST = np.float32(-120.0), np.float32(180.0)

CONSTANTS = 16
"""Rows of a cell's constants, filled by `constants`."""


@njit(error_model="numpy")
def constants(cell, E_Na, E_K, dt, row, lane):
    """Fill one lane's constants from a cell's parameters.

    Args:
        cell: C [pF], g_leak, g_Na, g_K, g_M [mS/cm2], tau_max [ms], V_T, E_leak [mV], rate factor,
            noise [uA/cm2 ms^0.5].
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        dt: Time step [ms].
        row: Constants, shape (CONSTANTS, LANES), written to.
        lane: Column to write.
    """
    V_T = cell[6]
    row[0, lane] = 1.0 / cell[0]
    row[1, lane] = cell[1]
    row[2, lane] = cell[2]
    row[3, lane] = cell[3]
    row[4, lane] = cell[4]
    row[5, lane] = cell[8] * dt / cell[5]
    row[6, lane] = cell[1] * (cell[7] - V_T)
    row[7, lane] = cell[8] * dt
    row[8, lane] = cell[9] / math.sqrt(dt)
    row[9, lane] = E_Na - V_T
    row[10, lane] = E_K - V_T
    row[11, lane] = math.exp(-(V_T + 35.0) / 10.0)
    row[12, lane] = math.exp(-(V_T + 35.0) / 20.0)
    row[13, lane] = V_T
    row[14, lane] = 0.0
    row[15, lane] = -dt


@njit(fastmath=FAST, error_model="numpy")
def integrate(state, row, random, ends, levels, begin, steps, trace):
    """Integrate one block of cells under their commands.

    Args:
        state: Shape (STATES, LANES), float32; read and written.
        row: Constants, shape (CONSTANTS, LANES), float32; row 14 is used for the current.
        random: Random states, shape (LANES,), uint32; read and written.
        ends: Step at which each epoch ends, shape (e, LANES), int32, ascending.
        levels: Current of each epoch, shape (e, LANES) [pA].
        begin: First of the steps, on the clock of `ends`.
        steps: Number of steps.
        trace: Voltage after each step, shape (>= steps, LANES) [mV], or (0, LANES) where it is not wanted.
    """
    work = np.empty((STATES + CONSTANTS, LANES), dtype=np.float32)
    seeds = np.empty(LANES, dtype=np.uint32)
    epoch = np.zeros(LANES, dtype=np.int32)
    for lane in range(LANES):
        for k in range(STATES):
            work[k, lane] = state[k, lane]
        for k in range(CONSTANTS):
            work[STATES + k, lane] = row[k, lane]
        seeds[lane] = random[lane]
    keep = trace.shape[0] > 0
    change = begin
    for t in range(steps):
        if begin + t >= change:
            change = enter(epoch, ends, begin + t)
            for lane in range(LANES):
                work[STATES + 14, lane] = levels[epoch[lane], lane] * row[0, lane]
        _step(work, seeds)
        if keep:
            for lane in range(LANES):
                trace[t, lane] = work[0, lane] + work[STATES + 13, lane]
    for lane in range(LANES):
        for k in range(STATES):
            state[k, lane] = work[k, lane]
        random[lane] = seeds[lane]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _step(work, seeds):
    """Advance all lanes by one step: the voltage with the old gates, then the gates with the new voltage."""
    one = float32(1.0)
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        u, m, h, n, p = work[0, i], work[1, i], work[2, i], work[3, i], work[4, i]
        g_Na = work[9, i] * m * m * m * h
        g_K = work[10, i] * n * n * n * n + work[11, i] * p
        q = g_Na + g_K + work[8, i]
        drive = g_Na * work[16, i] + g_K * work[17, i] + work[13, i] + work[21, i] + work[15, i] * gaussian(seeds[i])
        move = (drive / q - u) * (one - exponential(work[22, i] * q)) - work[5, i]
        new = u + move
        work[5, i] = (new - u) - move
        work[0, i] = new
    advance_gates(work)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_gates(work):
    """Advance the gates of all lanes by one step at the voltage that they find.

    Args:
        work: States and constants, shape (>= STATES + CONSTANTS, LANES), float32; read and written.
    """
    one = float32(1.0)
    for i in range(LANES):
        u, m, h, n, p = work[0, i], work[1, i], work[2, i], work[3, i], work[4, i]
        dt = work[14, i]
        a_m, b_m, a_h, b_h, a_n, b_n, p_inf, w_p = rates(u, work[18, i], work[19, i])
        # The floors keep the products of gates out of the subnormal range, where every operation takes a hundred
        # times as long; a conductance of 1e-26 of its maximum is no current.
        total = a_m + b_m
        m += (a_m / total - m) * (one - exponential(-dt * total))
        work[1, i] = m if m > _FLOOR else _FLOOR
        total = a_h + b_h
        h += (a_h / total - h) * (one - exponential(-dt * total))
        work[2, i] = h if h > _FLOOR else _FLOOR
        total = a_n + b_n
        n += (a_n / total - n) * (one - exponential(-dt * total))
        work[3, i] = n if n > _FLOOR else _FLOOR
        # At most a whole time constant a step: beyond it the series would no longer fall towards its goal.
        z = work[12, i] * w_p
        z = z if z < one else one
        grown = z * (one - z * (float32(0.5) - z * (float32(0.16666667) - z * float32(0.041666668))))
        move = (p_inf - p) * grown - work[6, i]
        new = p + move
        work[6, i] = (new - p) - move
        work[4, i] = new


@njit(fastmath=FAST, error_model="numpy", inline="always")
def rates(u, shift, root):
    """Evaluate the rates of all gates at u = V - V_T, in float32.

    Args:
        u: Voltage above V_T [mV].
        shift: exp(-(V_T + 35)/10).
        root: exp(-(V_T + 35)/20).

    Returns:
        a_m, b_m, a_h, b_h, a_n, b_n [1/ms], p_inf, and tau_max / tau_p.

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """
    one = float32(1.0)
    # Beyond this range the rates keep their last value: there the membrane, not the gate, is what breaks.
    u = _LOWEST if u < _LOWEST else u
    u = _HIGHEST if u > _HIGHEST else u
    E = exponential(u * float32(-0.025))
    E2 = E * E
    E4 = E2 * E2
    E8 = E4 * E4
    z = (float32(13.0) - u) * float32(0.25)
    a_m = float32(1.28) * ratio(z, E8 * E2 * float32(25.790339917193062))
    # exp(x) is 1/E8 here: both terms of the ratio are multiplied by E8, so that nothing overflows.
    z = (u - float32(40.0)) * float32(0.2)
    near = abs(z) < float32(0.01)
    below = one if near else float32(3.3546262790251185e-4) - E8
    b_m = float32(1.4) * (one - z * (float32(0.5) - z * float32(0.083333336)) if near else z * E8 / below)
    a_h = float32(0.128 * 2.5712845) * exponential(u * float32(-0.055555556))
    b_h = float32(4.0) / (one + float32(2980.9579870417283) * E8)
    z = (float32(15.0) - u) * float32(0.2)
    a_n = float32(0.16) * ratio(z, E8 * float32(20.085536923187668))
    b_n = float32(0.5 * 1.2840254) * E
    p_inf = one / (one + E4 * shift)
    w = E2 * root
    return a_m, b_m, a_h, b_h, a_n, b_n, p_inf, float32(3.3) / w + w


@njit(fastmath=FAST, error_model="numpy", inline="always")
def ratio(z, grown):
    """Take z/(exp(z) - 1) by its series about the singularity.

    Args:
        z: Any float32.
        grown: exp(z).

    Returns:
        The ratio, to four digits where exp(z) is near one.
    """
    near = abs(z) < float32(0.01)
    below = float32(1.0) if near else grown - float32(1.0)
    return float32(1.0) - z * (float32(0.5) - z * float32(0.083333336)) if near else z / below


@njit(error_model="numpy")
def resting(row, lane, current, state):
    """Put a lane at its lowest fixed point under a constant current.

    The steady-state current is scanned upwards for its first sign change and the crossing is bisected; a cell
    that fires at rest has no stable one and is left there, to leave it by itself.

    Args:
        row: Constants, shape (CONSTANTS, LANES).
        lane: Column to settle.
        current: Holding current [pA].
        state: Shape (STATES, LANES), written to.
    """
    injected = current * row[0, lane]
    low, high = -250.0, 60.0
    u = low
    while u < high and _steady(row, lane, u, injected) < 0.0:
        u += 1.0
    low, high = u - 1.0, u
    for _ in range(30):
        u = 0.5 * (low + high)
        if _steady(row, lane, u, injected) < 0.0:
            low = u
        else:
            high = u
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, _ = rates(float32(u), row[11, lane], row[12, lane])
    state[0, lane] = u
    state[1, lane] = a_m / (a_m + b_m)
    state[2, lane] = a_h / (a_h + b_h)
    state[3, lane] = a_n / (a_n + b_n)
    state[4, lane] = p_inf
    state[5, lane] = 0.0
    state[6, lane] = 0.0


@njit(error_model="numpy")
def _steady(row, lane, u, injected):
    """Give the net outward current at a voltage with all gates at rest [uA/cm2]."""
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, _ = rates(float32(u), row[11, lane], row[12, lane])
    g_Na = row[2, lane] * (a_m / (a_m + b_m)) ** 3 * (a_h / (a_h + b_h))
    g_K = row[3, lane] * (a_n / (a_n + b_n)) ** 4 + row[4, lane] * p_inf
    return g_Na * (u - row[9, lane]) + g_K * (u - row[10, lane]) + row[1, lane] * u - row[6, lane] - injected
