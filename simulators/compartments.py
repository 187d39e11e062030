"""This file is the compartments: a cortical soma with calcium and h-currents, and a passive dendrite, in lanes.

The first rows are those of `simulators.pospischil`, of a state the first seven; voltages are above V_T. Gates and
dendrite stand half a step off the soma, and each moves as if the others stood still meanwhile, which keeps every steady
state. What they do meanwhile enters by its first two backward differences, so that the worst spike of a sweep is ten
times nearer to its time than without: under 0.06 ms in 500 ms for every published cell at a step of 0.025 ms. A voltage
clamp is a leak through the series resistance towards the command: both clamps are one equation.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators import pospischil
from simulators.channels import high_threshold, hyperpolarized, low_threshold, low_threshold_activation
from simulators.lanes import FAST, LANES, differences, enter, exponential, gaussian, little, scramble
from simulators.pospischil_rates import rates

__all__ = ["CONSTANTS", "DENDRITE", "HIGH_THRESHOLD", "LOW_THRESHOLD", "SAG", "STATES", "constants", "integrate"]

HIGH_THRESHOLD, LOW_THRESHOLD, SAG, DENDRITE = 1, 2, 4, 8
"""What a cell may have besides m, h, n and p, added up."""

STATES = 39
"""Rows of a state: the first seven of `simulators.pospischil`; q, r and its compensation, w and its compensation, s^2,
f and its compensation, dendrite and its compensation; the last two moves of the soma; the last two values of the gated
conductance and its drive, and of a and a + b of m, h, n and q."""

CONSTANTS = 26
"""Rows of a cell's constants: those of `simulators.pospischil`, then g_L, g_T, g_h, E_Ca, E_h, the coupling per
capacitance of the soma, and of the dendrite its decay in a step, its goal without the soma, the soma's share and the
weight of the soma's slope."""

_BASE = 7
_FLOOR = np.float32(1e-9)


@njit(error_model="numpy")
def constants(cell, reversals, clamp, dt, row, lane):
    """Fill one lane's constants from a cell's parameters.

    Args:
        cell: The ten of `simulators.pospischil.constants`, g_L, g_T, g_h [mS/cm2], capacitance of the dendrite over
            that of the soma, coupling [nS]. C is the soma's; leak and E_leak are the dendrite's too.
        reversals: E_Na, E_K, E_Ca, E_h [mV].
        clamp: Conductance of the series resistance [nS], 0 in current clamp.
        dt: Time step [ms].
        row: Constants, shape (CONSTANTS, LANES), written to.
        lane: Column to write.
    """
    pospischil.constants(cell[:10], reversals[0], reversals[1], dt, row, lane)
    C, g_leak, V_T, E_leak = cell[0], cell[1], cell[6], cell[7]
    row[1, lane] = g_leak + clamp / C
    row[16, lane], row[17, lane], row[18, lane] = cell[10], cell[11], cell[12]
    row[19, lane] = reversals[2] - V_T
    row[20, lane] = reversals[3] - V_T
    row[21, lane] = cell[14] / C
    # Without a dendrite it is a compartment of its own, at rest.
    inflow = cell[14] / (C * cell[13]) if cell[13] > 0.0 else 0.0
    total = g_leak + inflow
    row[22, lane] = -math.expm1(-dt * total)
    row[23, lane] = g_leak * (E_leak - V_T) / total if total != 0.0 else 0.0
    row[24, lane] = inflow / total if total != 0.0 else 0.0
    row[25, lane] = min(dt * total / 12.0, 0.25)


@njit(fastmath=FAST, error_model="numpy")
def integrate(state, row, random, ends, levels, begin, steps, trace, has):
    """Integrate one block of cells under their commands.

    Args:
        state: Shape (STATES, LANES), float32; read and written.
        row: Constants, shape (CONSTANTS, LANES), float32; row 14 is used for the current.
        random: Random states, shape (LANES,), uint32; read and written.
        ends: Step at which each epoch ends, shape (e, LANES), int32, ascending.
        levels: Current of each epoch, shape (e, LANES) [pA]; in voltage clamp (command - V_T) / series resistance.
        begin: First of the steps, on the clock of `ends`.
        steps: Number of steps.
        trace: Voltage of the soma after each step, shape (>= steps, LANES) [mV], or (0, LANES).
        has: Sum of HIGH_THRESHOLD, LOW_THRESHOLD, SAG and DENDRITE; what is not in it costs nothing.
    """
    work = np.empty((STATES + CONSTANTS, LANES), dtype=np.float32)
    seeds = np.empty(LANES, dtype=np.uint32)
    epoch = np.zeros(LANES, dtype=np.int32)
    for lane in range(LANES):
        for k in range(STATES):
            work[k if k < _BASE else k + pospischil.CONSTANTS, lane] = state[k, lane]
        for k in range(CONSTANTS):
            work[_BASE + k if k < pospischil.CONSTANTS else STATES + k, lane] = row[k, lane]
        seeds[lane] = random[lane]
    keep = trace.shape[0] > 0
    change = begin
    for t in range(steps):
        if begin + t >= change:
            change = enter(epoch, ends, begin + t)
            for lane in range(LANES):
                work[21, lane] = levels[epoch[lane], lane] * row[0, lane]
        _advance_voltage(work, seeds)
        _advance_gates(work)
        if has & HIGH_THRESHOLD:
            _advance_high_threshold(work)
        if has & LOW_THRESHOLD:
            _advance_low_threshold(work)
        if has & SAG:
            _advance_sag(work)
        if has & DENDRITE:
            _advance_dendrite(work)
        if keep:
            for lane in range(LANES):
                trace[t, lane] = work[0, lane] + work[20, lane]
    for lane in range(LANES):
        for k in range(STATES):
            state[k, lane] = work[k if k < _BASE else k + pospischil.CONSTANTS, lane]
        random[lane] = seeds[lane]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_voltage(work, seeds):
    """Advance the soma by one step with the gates and the dendrite as they are and as they move."""
    one = float32(1.0)
    for i in range(LANES):
        seeds[i] = scramble(seeds[i])
        u, m, h, n, p = work[0, i], work[1, i], work[2, i], work[3, i], work[4, i]
        g_Na = work[9, i] * m * m * m * h
        g_K = work[10, i] * n * n * n * n + work[11, i] * p
        g_Ca = work[55, i] * work[23, i] * work[23, i] * work[24, i] + work[56, i] * work[28, i] * work[26, i]
        g_h = work[57, i] * work[29, i]
        gated = g_Na + g_K + g_Ca + g_h
        pull = g_Na * work[16, i] + g_K * work[17, i] + g_Ca * work[58, i] + g_h * work[59, i]
        pull += work[60, i] * work[31, i]
        slope, bend = differences(gated, work[35, i], work[36, i])
        pull_slope, pull_bend = differences(pull, work[37, i], work[38, i])
        work[36, i], work[35, i], work[38, i], work[37, i] = work[35, i], gated, work[37, i], pull
        g = gated + work[8, i] + work[60, i]
        drive = pull + work[13, i] + work[21, i]
        z = work[22, i] * g
        lead = work[22, i] * float32(-0.083333336)
        lead = lead if z > float32(-3.0) else float32(0.25) / g
        drive += lead * (pull_slope * g - drive * slope) + float32(0.041666668) * (pull_bend - u * bend)
        drive += work[15, i] * gaussian(seeds[i])
        # A drug may leave no conductance or, added by a dynamic clamp, a negative one: no division by it near zero.
        near = abs(z) < float32(0.1)
        below = one if near else z
        series = one + z * (
            float32(0.5) + z * (float32(0.16666667) + z * (float32(0.041666668) + z * float32(0.008333334)))
        )
        grown = series if near else (exponential(z) - one) / below
        move = (work[22, i] * grown) * (g * u - drive) - work[5, i]
        new = u + move
        work[5, i] = (new - u) - move
        work[0, i] = new
        work[34, i], work[33, i] = work[33, i], move


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_gates(work):
    """Advance m, h, n and p by one step at the soma's voltage and its course."""
    for i in range(LANES):
        a_m, b_m, a_h, b_h, a_n, b_n, p_inf, w_p = rates(work[0, i], work[18, i], work[19, i])
        dt = work[14, i]
        work[1, i] = _moved(work[1, i], a_m, a_m + b_m, dt, work[39, i], work[40, i], work[41, i], work[42, i])
        work[40, i], work[39, i], work[42, i], work[41, i] = work[39, i], a_m, work[41, i], a_m + b_m
        work[2, i] = _moved(work[2, i], a_h, a_h + b_h, dt, work[43, i], work[44, i], work[45, i], work[46, i])
        work[44, i], work[43, i], work[46, i], work[45, i] = work[43, i], a_h, work[45, i], a_h + b_h
        work[3, i] = _moved(work[3, i], a_n, a_n + b_n, dt, work[47, i], work[48, i], work[49, i], work[50, i])
        work[48, i], work[47, i], work[50, i], work[49, i] = work[47, i], a_n, work[49, i], a_n + b_n
        p = work[4, i]
        move = (p_inf - p) * little(work[12, i] * w_p) - work[6, i]
        new = p + move
        work[6, i] = (new - p) - move
        work[4, i] = new


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _moved(gate, a, total, dt, a_1, a_2, total_1, total_2):
    """Advance a gate by one step, given its rates now and at the two steps before."""
    one = float32(1.0)
    a_slope, a_bend = differences(a, a_1, a_2)
    slope, bend = differences(total, total_1, total_2)
    inverse = one / total
    goal = a * inverse
    lead = dt * total * float32(0.083333336)
    lead = lead if lead < float32(0.25) else float32(0.25)
    further = float32(0.041666668) * (a_bend - goal * bend) + lead * (a_slope - goal * slope)
    goal += inverse * further
    goal = goal if goal < one else one
    goal = goal if goal > _FLOOR else _FLOOR
    mean = total + float32(0.041666668) * bend
    mean = mean if mean > float32(0.5) * total else float32(0.5) * total
    gate += (goal - gate) * (one - exponential(-dt * mean))
    # Products of gates stay out of the subnormal range, where every operation takes a hundred times as long.
    return gate if gate > _FLOOR else _FLOOR


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_high_threshold(work):
    """Advance q and r by one step."""
    for i in range(LANES):
        a_q, b_q, a_r, b_r = high_threshold(work[0, i] + work[20, i])
        total = a_q + b_q
        dt = work[14, i]
        work[23, i] = _moved(work[23, i], a_q, total, dt, work[51, i], work[52, i], work[53, i], work[54, i])
        work[52, i], work[51, i], work[54, i], work[53, i] = work[51, i], a_q, work[53, i], total
        total = a_r + b_r
        r = work[24, i]
        move = (a_r / total - r) * little(dt * total) - work[25, i]
        new = r + move
        work[25, i] = (new - r) - move
        work[24, i] = new


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_low_threshold(work):
    """Advance w by one step and let s^2 follow."""
    for i in range(LANES):
        V = work[0, i] + work[20, i]
        w_inf, rate = low_threshold(V)
        w = work[26, i]
        move = (w_inf - w) * little(work[14, i] * rate) - work[27, i]
        new = w + move
        work[27, i] = (new - w) - move
        work[26, i] = new
        # It has no lag: half a step ahead of the soma it is that of the voltage there.
        s = low_threshold_activation(V + float32(0.875) * work[33, i] - float32(0.375) * work[34, i])
        work[28, i] = s * s


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_sag(work):
    """Advance f by one step."""
    for i in range(LANES):
        a_f, b_f = hyperpolarized(work[0, i] + work[20, i])
        total = a_f + b_f
        f = work[29, i]
        move = (a_f / total - f) * little(work[14, i] * total) - work[30, i]
        new = f + move
        work[30, i] = (new - f) - move
        work[29, i] = new


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_dendrite(work):
    """Advance the dendrite by one step."""
    for i in range(LANES):
        D = work[31, i]
        bend = work[33, i] - work[34, i]
        V = work[0, i] + float32(0.041666668) * bend + work[64, i] * (work[33, i] + float32(0.5) * bend)
        move = (work[62, i] + work[63, i] * V - D) * work[61, i] - work[32, i]
        new = D + move
        work[32, i] = (new - D) - move
        work[31, i] = new
