"""This file is the Patch-seq membrane: one compartment with six currents and a leak, in lanes, in either clamp.

All conductances are over the capacitance, so that area and capacitance appear in `constants` only. A voltage clamp is
one more conductance, to a battery that is the command. V, p and r carry a compensation term, for their smallest steps
lie below a float32's resolution.

Gates stand half a step off the voltage, and each moves as if the others stood still meanwhile, which keeps every steady
state. What they do meanwhile enters by its first two backward differences: for the voltage, m, h and n of both sodium
currents and the delayed rectifier, and q. Gates that are slower than a spike (Hay's h, v, p, r) win nothing by it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, LANES, differences, enter, exponential, gaussian, little, scramble
from simulators.patchseq_kinetics import l_type, pospischil, slow_potassium, sodium

__all__ = ["CONSTANTS", "DT", "STATES", "constants", "integrate"]

DT = 0.025
"""Time step [ms]."""

STATES = 37
"""Rows of a state: V, the nine of `simulators.patchseq_kinetics.gates`, and the compensation of V, p and r; the last
two values of the gated conductance and of its drive; the last two of where m of Hay, and m, h, n and q go, and of the
time constants that a step has of each."""

CONSTANTS = 18
"""Rows of a cell's constants in one epoch, filled by `constants`."""

_FLOOR = np.float32(1e-9)
_C = STATES


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
                if epoch[lane] > 0 and ends[epoch[lane] - 1, lane] == begin + t:
                    _forget(work, lane)
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
    """Advance the voltage of all lanes by one step, with the gates as they are and as they move."""
    one, half = float32(1.0), float32(0.5)
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        V = work[0, i]
        g_Na, g_K, g_Ca = _conductances(work, i)
        gated, pull = _summed(work, i, g_Na, g_K, g_Ca)
        slope, bend = differences(gated, work[13, i], work[14, i])
        pull_slope, pull_bend = differences(pull, work[15, i], work[16, i])
        work[14, i], work[13, i], work[16, i], work[15, i] = work[13, i], gated, work[15, i], pull
        inward = g_Na * (work[_C + 9, i] - V) + g_K * (work[_C + 10, i] - V) + g_Ca * (work[_C + 11, i] - V)
        inward += work[_C + 7, i] - work[_C + 6, i] * V
        g = gated + work[_C + 6, i]
        z = work[_C + 17, i] * g
        near = abs(z) < half
        below = one if near else z
        left = exponential(-z)
        part = _part(z) if near else (one - left) / below
        # Of a current that grows in a line, what comes too early to have leaked away; of its bend, the rest to 1/8.
        w = z * z
        series = float32(0.083333336) - w * (float32(0.0013888889) - w * float32(3.3068783e-05))
        lead = series if near else (half * (one + left) / (one - left) - one / below) / below
        inward += work[_C + 17, i] * lead * (g * (pull_slope - slope * V) - slope * inward)
        inward += (float32(0.125) - lead) * (pull_bend - bend * V)
        move = (inward + work[_C + 8, i] * gaussian(seeds[i])) * work[_C + 17, i] * part - work[10, i]
        new = V + move
        work[10, i] = (new - V) - move
        work[0, i] = new


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _conductances(work, i):
    """Give a lane's sodium, potassium and calcium conductance over its capacitance [1/ms]."""
    m_t, m, n, q = work[1, i], work[4, i], work[6, i], work[8, i]
    g_Na = work[_C, i] * m_t * m_t * m_t * work[2, i] + work[_C + 1, i] * m * m * m * work[5, i]
    g_K = work[_C + 2, i] * n * n * n * n + work[_C + 3, i] * work[7, i] + work[_C + 4, i] * work[3, i]
    return g_Na, g_K, work[_C + 5, i] * q * q * work[9, i]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _summed(work, i, g_Na, g_K, g_Ca):
    """Give the gated conductance and its drive."""
    pull = g_Na * work[_C + 9, i] + g_K * work[_C + 10, i] + g_Ca * work[_C + 11, i]
    return g_Na + g_K + g_Ca, pull


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _forget(work, i):
    """Let a lane's conductance have been what its new epoch makes it, for a dose comes at once."""
    g_Na, g_K, g_Ca = _conductances(work, i)
    gated, pull = _summed(work, i, g_Na, g_K, g_Ca)
    work[13, i], work[14, i], work[15, i], work[16, i] = gated, gated, pull, pull


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _part(z):
    """Take (1 - exp(-z))/z of a z up to a half by its series."""
    series = float32(0.041666668) - z * (float32(0.008333334) - z * (float32(0.0013888889) - z * float32(0.0001984127)))
    return float32(1.0) - z * (float32(0.5) - z * (float32(0.16666667) - z * series))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _relaxed(work, i, gate, past, steady, z):
    """Let a gate relax for a step of z time constants, given what both are at this step and were at two before.

    The floor keeps the products of gates out of the subnormal range, where every operation takes a hundred times as
    long; a conductance of 1e-26 of its maximum is no current.
    """
    one, half, late = float32(1.0), float32(0.5), float32(0.041666668)
    steady_1, steady_2, z_1, z_2 = work[past, i], work[past + 1, i], work[past + 2, i], work[past + 3, i]
    work[past, i], work[past + 1, i], work[past + 2, i], work[past + 3, i] = steady, steady_1, z, z_1
    near, far = z_1 * (steady - steady_1), z_2 * (steady - steady_2)
    lead = z * float32(0.083333336)
    lead = lead if lead < float32(0.25) else float32(0.25)
    goal = steady + (late * (near + near - far) + lead * (near + near - half * far)) / z
    goal = goal if goal < one else one
    goal = goal if goal > _FLOOR else _FLOOR
    mean = z + late * (z - z_1 - (z_1 - z_2))
    mean = mean if mean > half * z else half * z
    x = work[gate, i] + (goal - work[gate, i]) * (one - exponential(-mean))
    work[gate, i] = x if x > _FLOOR else _FLOOR


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _followed(x, steady, z):
    """Let a gate relax for a step of z time constants, well below 1."""
    x += (steady - x) * little(z)
    return x if x > _FLOOR else _FLOOR


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _crept(x, steady, z, lost):
    """Let a slow gate relax for a step of z time constants; give the gate and what rounding lost of it."""
    move = (steady - x) * little(z) - lost
    new = x + move
    return new, (new - x) - move


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _gate_sodium(work):
    """Advance the gates of the transient sodium current."""
    for i in range(LANES):
        m, rate_m, h, rate_h = sodium(work[0, i])
        _relaxed(work, i, 1, 17, m, work[_C + 14, i] * rate_m)
        work[2, i] = _followed(work[2, i], h, work[_C + 14, i] * rate_h)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _gate_pospischil(work):
    """Advance the gates of Pospischil's sodium, delayed rectifier and M-current, and of Kv3.1."""
    for i in range(LANES):
        m, rate_m, h, rate_h, n, rate_n, E = pospischil(work[0, i], work[_C + 12, i])
        _relaxed(work, i, 4, 21, m, work[_C + 15, i] * rate_m)
        _relaxed(work, i, 5, 25, h, work[_C + 15, i] * rate_h)
        _relaxed(work, i, 6, 29, n, work[_C + 15, i] * rate_n)
        v, rate_v, p, rate_p = slow_potassium(work[0, i], E, work[_C + 13, i])
        work[3, i] = _followed(work[3, i], v, work[_C + 14, i] * rate_v)
        work[7, i], work[11, i] = _crept(work[7, i], p, work[_C + 16, i] * rate_p, work[11, i])


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _gate_calcium(work):
    """Advance the gates of the L-type current."""
    for i in range(LANES):
        q, rate_q, r, rate_r = l_type(work[0, i])
        _relaxed(work, i, 8, 33, q, work[_C + 17, i] * rate_q)
        work[9, i], work[12, i] = _crept(work[9, i], r, work[_C + 17, i] * rate_r, work[12, i])
