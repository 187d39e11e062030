"""This file is the compartments: a cortical soma with whatever accessories, and a passive dendrite, in lanes.

Rows begin with those of `simulators.pospischil`, whose loops it shares; voltages are above V_T. Gates and dendrite
stand half a step off the soma, and each moves as if the others stood still meanwhile, which keeps every steady state.
What they do meanwhile enters by backward differences: under 0.06 ms in 500 ms for the worst spike of every published
cell at a step of 0.025 ms. A voltage clamp is a leak through the series resistance towards the command: both clamps are
one equation, of which the one with a clamp is stiff and asks for an exponential.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from simulators import pospischil
from simulators.accessories import advance_accessories, prepare_accessories
from simulators.beside import BESIDE, ROWS, TAIL
from simulators.compartments_step import clamped_voltage
from simulators.lanes import FAST, LANES, congruent, enter, uniform
from simulators.pospischil import advance_h, advance_m, advance_n, advance_p, inject, prepare, put, take_powers
from simulators.pospischil_step import moved_voltage

__all__ = ["CONSTANTS", "STATES", "constants", "integrate"]

STATES = pospischil.STATES + TAIL
"""Rows of a state: those of `simulators.pospischil`, then the tail of `simulators.beside`."""

CONSTANTS = 29
"""Rows of a cell's constants: those of `simulators.pospischil`, then g_L, g_T, g_h, E_Ca, E_h, the coupling per
capacitance of the soma, of the dendrite its decay in a step, its goal without the soma, the soma's share and the
weight of the soma's slope, whether the voltage needs an exponential, the slow share and g_Kv3."""

_BASE = pospischil.STATES


@njit(error_model="numpy")
def constants(cell, reversals, clamp, dt, row, lane):
    """Fill one lane's constants from a cell's parameters.

    Args:
        cell: The ten of `simulators.pospischil.constants`, g_L, g_T, g_h [mS/cm2], capacitance of the dendrite over
            that of the soma, coupling [nS], share of the sodium conductance with a slow gate, g_Kv3 [mS/cm2]. C is the
            soma's; leak and E_leak are the dendrite's too.
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
    # A series resistance is there for all cells of a call or for none, so that a lane's neighbours decide nothing.
    row[26, lane] = 1.0 if clamp > 0.0 else 0.0
    row[27, lane], row[28, lane] = cell[15], cell[16]


@njit(fastmath=FAST, error_model="numpy")
def integrate(state, row, random, ends, levels, begin, steps, trace, has):
    """Integrate one block of cells under their commands.

    Args:
        state: Shape (STATES, LANES), float32; read and written.
        row: Constants, shape (CONSTANTS, LANES), float32.
        random: Random states, shape (LANES,), uint32; read and written.
        ends: Step at which each epoch ends, shape (e, LANES), int32, ascending.
        levels: Current of each epoch, shape (e, LANES) [pA]; in voltage clamp (command - V_T) / series resistance.
        begin: First of the steps, on the clock of `ends`.
        steps: Number of steps.
        trace: Voltage of the soma after each step, shape (>= steps, LANES) [mV], or (0, LANES).
        has: Sum of the flags of `simulators.beside`; what is not in it costs nothing.
    """
    work = np.empty((ROWS, LANES), dtype=np.float32)
    seeds = random.copy()
    epoch = np.zeros(LANES, dtype=np.int32)
    work[:_BASE] = state[:_BASE]
    work[pospischil.WORK : pospischil.WORK + TAIL] = state[_BASE:]
    prepare(work, row)
    prepare_accessories(work, row, has)
    clamped = row[26].any()
    keep = trace.shape[0] > 0
    change = begin
    for t in range(steps):
        if begin + t >= change:
            change = enter(epoch, ends, begin + t)
            inject(work, row, levels, epoch)
        if clamped:
            _advance_clamped(work, seeds)
        else:
            _advance_free(work, seeds)
        take_powers(work)
        advance_m(work)
        advance_h(work)
        advance_n(work)
        advance_p(work)
        advance_accessories(work, has)
        if keep:
            put(work, trace[t])
    state[:_BASE] = work[:_BASE]
    state[_BASE:] = work[pospischil.WORK : pospischil.WORK + TAIL]
    random[:] = seeds


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_free(work, seeds):
    """Advance the soma of all lanes in current clamp."""
    for i in range(LANES):
        gated, pull, drive = _driven(work, seeds, i)
        work[0, i], work[5, i], work[8, i], work[10, i] = moved_voltage(
            work[0, i],
            work[5, i],
            gated,
            pull,
            work[7, i],
            work[8, i],
            work[9, i],
            work[10, i],
            work[_BASE, i],
            drive,
        )
        work[7, i], work[9, i] = gated, pull


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_clamped(work, seeds):
    """Advance the soma of all lanes in voltage clamp."""
    for i in range(LANES):
        gated, pull, drive = _driven(work, seeds, i)
        work[0, i], work[5, i], work[8, i], work[10, i] = clamped_voltage(
            work[0, i],
            work[5, i],
            gated,
            pull,
            work[7, i],
            work[8, i],
            work[9, i],
            work[10, i],
            work[_BASE, i],
            drive,
        )
        work[7, i], work[9, i] = gated, pull


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _driven(work, seeds, i):
    """Give a lane's gated conductance, its pull, and what leak, electrode and noise bring; nothing is beside then."""
    seeds[i] = congruent(seeds[i])
    m, n = work[1, i], work[3, i]
    g_Na = work[_BASE + 1, i] * (m * m) * (m * work[2, i])
    n2 = n * n
    g_K = work[_BASE + 2, i] * (n2 * n2) + work[_BASE + 3, i] * work[4, i]
    gated = g_Na + g_K + work[BESIDE, i]
    pull = g_Na * work[_BASE + 6, i] + g_K * work[_BASE + 7, i] + work[BESIDE + 1, i]
    work[BESIDE, i] = 0.0
    work[BESIDE + 1, i] = 0.0
    return gated, pull, work[_BASE + 4, i] + work[_BASE + 5, i] * uniform(seeds[i])
