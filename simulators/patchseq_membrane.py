"""This file is the Patch-seq membrane: one compartment with six currents and a leak, in lanes, in either clamp.

All conductances are over the capacitance, so that area and capacitance appear in `constants` only. A voltage clamp is
one more conductance, to a battery that is the command. V, p and r carry a compensation term, for their smallest steps
lie below a float32's resolution.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, LANES, enter, exponential, gaussian, scramble
from simulators.patchseq_kinetics import gates, l_type, pospischil, slow_potassium, sodium

__all__ = ["CONSTANTS", "DT", "STATES", "constants", "integrate", "resting"]

DT = 0.025
"""Time step [ms]."""

STATES = 13
"""Rows of a state: V, the nine of `simulators.patchseq_kinetics.gates`, and the compensation of V, p and r."""

CONSTANTS = 18
"""Rows of a cell's constants in one epoch, filled by `constants`."""

_FLOOR = np.float32(1e-9)


@njit(error_model="numpy")
def constants(cell, bath, level, dt, row, lane):
    """Fill one lane's constants of one epoch.

    Args:
        cell: C [uF/cm2], R_in [MOhm], tau [ms], g_Nat, g_Na, g_Kd, g_M, g_Kv31, g_L [mS/cm2], E_leak [mV],
            tau_max [ms], V_T [mV], r_SS; with the doses of the epoch.
        bath: E_Na, E_K, E_Ca [mV], rate factors of the Hay and the Pospischil kinetics, noise [pA ms^0.5],
            conductance of the pipette in voltage clamp, 0 in current clamp [nS].
        level: The command in this epoch [pA, or mV in voltage clamp].
        dt: Time step [ms].
        row: Constants, shape (CONSTANTS, LANES), written to.
        lane: Column to write.
    """
    C, tau, V_T = cell[0], cell[2], cell[11]
    whole = 1000.0 * tau / cell[1]
    pipette = bath[6]
    for k in range(6):
        row[k, lane] = cell[3 + k] / C
    row[6, lane] = 1.0 / tau + pipette / whole
    row[7, lane] = cell[9] / tau + (pipette * level if pipette > 0.0 else level) / whole
    row[8, lane] = bath[5] / whole / math.sqrt(dt)
    row[9, lane] = bath[0]
    row[10, lane] = bath[1]
    row[11, lane] = bath[2]
    row[12, lane] = V_T
    row[13, lane] = math.exp(-(V_T + 35.0) / 20.0)
    row[14, lane] = bath[3] * dt
    row[15, lane] = bath[4] * dt / cell[12]
    row[16, lane] = bath[4] * dt / cell[10]
    row[17, lane] = dt


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
        trace: Voltage after each step, shape (>= steps, LANES) [mV], or (0, LANES) where it is not wanted.
    """
    work = np.empty((STATES + CONSTANTS, LANES), dtype=np.float32)
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
                    work[STATES + k, lane] = rows[epoch[lane], k, lane]
        _charge(work, seeds)
        _gate_sodium(work)
        _gate_pospischil(work)
        _gate_calcium(work)
        if keep:
            for lane in range(LANES):
                trace[t, lane] = work[0, lane]
    for lane in range(LANES):
        for k in range(STATES):
            state[k, lane] = work[k, lane]
        random[lane] = seeds[lane]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _charge(work, seeds):
    """Advance the voltage of all lanes by one step, with the gates as they are."""
    one = float32(1.0)
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        V, m_t, m, n, q = work[0, i], work[1, i], work[4, i], work[6, i], work[8, i]
        g_Na = work[13, i] * m_t * m_t * m_t * work[2, i] + work[14, i] * m * m * m * work[5, i]
        g_K = work[15, i] * n * n * n * n + work[16, i] * work[7, i] + work[17, i] * work[3, i]
        g_Ca = work[18, i] * q * q * work[9, i]
        inward = g_Na * (work[22, i] - V) + g_K * (work[23, i] - V) + g_Ca * (work[24, i] - V)
        passive = work[20, i] - work[19, i] * V + work[21, i] * gaussian(seeds[i])
        z = work[30, i] * (g_Na + g_K + g_Ca + work[19, i])
        near = abs(z) < float32(0.1)
        series = one - z * (
            float32(0.5) - z * (float32(0.16666667) - z * (float32(0.041666668) - z * float32(0.008333334)))
        )
        part = series if near else (one - exponential(-z)) / (one if near else z)
        move = (inward + passive) * work[30, i] * part - work[10, i]
        new = V + move
        work[10, i] = (new - V) - move
        work[0, i] = new


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _relaxed(x, steady, z):
    """Let a gate relax for a step of z time constants.

    The floor keeps the products of gates out of the subnormal range, where every operation takes a hundred times as
    long; a conductance of 1e-26 of its maximum is no current.
    """
    x += (steady - x) * (float32(1.0) - exponential(-z))
    return x if x > _FLOOR else _FLOOR


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _little(z):
    """Take 1 - exp(-z) for z well below 1, by its series."""
    # At most a whole time constant a step: beyond it the series would no longer fall towards its goal.
    one = float32(1.0)
    z = z if z < one else one
    return z * (one - z * (float32(0.5) - z * (float32(0.16666667) - z * float32(0.041666668))))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _crept(x, steady, z, lost):
    """Let a slow gate relax for a step of z time constants; give the gate and what rounding lost of it."""
    move = (steady - x) * _little(z) - lost
    new = x + move
    return new, (new - x) - move


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _gate_sodium(work):
    """Advance the gates of the transient sodium current."""
    for i in range(LANES):
        m, rate_m, h, rate_h = sodium(work[0, i])
        work[1, i] = _relaxed(work[1, i], m, work[27, i] * rate_m)
        h = work[2, i] + (h - work[2, i]) * _little(work[27, i] * rate_h)
        work[2, i] = h if h > _FLOOR else _FLOOR


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _gate_pospischil(work):
    """Advance the gates of Pospischil's sodium, delayed rectifier and M-current, and of Kv3.1."""
    for i in range(LANES):
        m, rate_m, h, rate_h, n, rate_n, E = pospischil(work[0, i], work[25, i])
        work[4, i] = _relaxed(work[4, i], m, work[28, i] * rate_m)
        work[5, i] = _relaxed(work[5, i], h, work[28, i] * rate_h)
        work[6, i] = _relaxed(work[6, i], n, work[28, i] * rate_n)
        v, rate_v, p, rate_p = slow_potassium(work[0, i], E, work[26, i])
        work[3, i] += (v - work[3, i]) * _little(work[27, i] * rate_v)
        work[7, i], work[11, i] = _crept(work[7, i], p, work[29, i] * rate_p, work[11, i])


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _gate_calcium(work):
    """Advance the gates of the L-type current."""
    for i in range(LANES):
        q, rate_q, r, rate_r = l_type(work[0, i])
        work[8, i] = _relaxed(work[8, i], q, work[30, i] * rate_q)
        work[9, i], work[12, i] = _crept(work[9, i], r, work[30, i] * rate_r, work[12, i])


@njit(error_model="numpy")
def resting(row, lane, state):
    """Put a lane at its lowest fixed point under the command of an epoch.

    The steady-state current is scanned upwards for its first sign change and the crossing is bisected; a cell that
    fires at rest has no stable one and is left there, to leave it by itself.

    Args:
        row: Constants of the epoch, shape (CONSTANTS, LANES).
        lane: Column to settle.
        state: Shape (STATES, LANES), written to.
    """
    # Below both reversal potentials, every current but the injected one flows in.
    low = min(row[10, lane], row[7, lane] / row[6, lane]) - 1.0
    high = max(low + 1.0, -200.0)
    while high < 200.0 and _steady(row, lane, high) < 0.0:
        low = high
        high += 1.0
    for _ in range(40):
        V = 0.5 * (low + high)
        if _steady(row, lane, V) < 0.0:
            low = V
        else:
            high = V
    for k, x in enumerate(gates(float32(0.5 * (low + high)), float32(row[12, lane]), float32(row[13, lane]))[0]):
        state[1 + k, lane] = x
    state[0, lane] = 0.5 * (low + high)
    for k in range(10, STATES):
        state[k, lane] = 0.0


@njit(error_model="numpy")
def _steady(row, lane, V):
    """Give the net outward current at a voltage with all gates at rest, over the capacitance [mV/ms]."""
    steady, _ = gates(float32(V), float32(row[12, lane]), float32(row[13, lane]))
    m_t, h_t, v, m, h, n, p, q, r = steady
    g_Na = row[0, lane] * m_t**3 * h_t + row[1, lane] * m**3 * h
    g_K = row[2, lane] * n**4 + row[3, lane] * p + row[4, lane] * v
    g_Ca = row[5, lane] * q**2 * r
    outward = g_Na * (V - row[9, lane]) + g_K * (V - row[10, lane]) + g_Ca * (V - row[11, lane])
    return outward + row[6, lane] * V - row[7, lane]
