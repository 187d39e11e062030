"""This file is the stomatogastric kernel: neurons of Liu et al. (1998) and Prinz et al. (2004), alone or by threes.

A block is `WIDTH` cells in lanes: as many neurons, or sixteen networks whose cells AB/PD, LP and PY lie behind each
other. Each step moves the voltage and calcium with the old gates, then the gates with the new voltage, all by
exponential Euler; the published code takes old values everywhere, which is first order in the step.

The published noise, a current of sd 0.001 uA drawn anew in each step of 0.025 ms, has a variance per step; here it has
one per time, and `NOISE` is what it amounts to.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential, gaussian, scramble
from simulators.logarithm import logarithm
from simulators.stg_kinetics import HIGHEST, LOWEST, SLOTS, SPACING
from simulators.stg_relaxation import relax

__all__ = [
    "AREA",
    "CONDUCTANCES",
    "DT",
    "NETWORKS",
    "NOISE",
    "PARTS",
    "ROWS",
    "SCALARS",
    "WIDTH",
    "advance",
    "scalars",
]

DT = 0.025
"""Time between responses [ms]."""

PARTS = 2
"""Steps between two responses. Of neurons drawn from the prior whose spikes have times at all, all of 500 ms are within
0.35 ms in 98 of 100 cells, in the median cell within 0.02 ms; with one step they are in 90 and within 0.07 ms. The
order of the published code puts the period of a rhythm off by up to 3 % at a step of 0.025 ms."""

AREA = 0.628e-3
"""Membrane area [cm2]; capacitance is 0.6283e-3 uF."""

CONDUCTANCES = 8
"""Na, CaT, CaS, A, KCa, Kd, H, leak."""

NOISE = 0.001 * math.sqrt(0.025) / AREA
"""The published noise, 0.2518 uA/cm2 ms^0.5."""

NETWORKS = 16
WIDTH = 3 * NETWORKS

V, LOST, CA, GATE, G = 0, 1, 2, 3, 3 + SLOTS
INJECTED, CLAMP, COMMAND, SENT_G, SENT_I, FACTOR, PLACE = range(G + CONDUCTANCES, G + CONDUCTANCES + 7)
ROWS = PLACE + 1
"""Rows of a block's lanes: voltage, what rounding took from it, calcium, gates, conductances, injected current, the
conductance of a voltage clamp's series resistance and its command, synaptic conductance and current at 0 mV, factor of
m_KCa and place in the table."""

SCALARS = 5
"""Numbers that all lanes share, filled by `scalars`."""

_E_NA, _E_K, _E_H, _E_LEAK, _E_GLUT, _E_CHOL = (np.float32(E) for E in (50.0, -80.0, -20.0, -50.0, -70.0, -80.0))
_OUTSIDE = np.float32(math.log(3000.0))
_LEAST = np.float32(1e-3)
_BROKEN = np.float32(1000.0)
_LOW, _PER, _LAST = np.float32(LOWEST), np.float32(1 / SPACING), np.float32((HIGHEST - LOWEST) / SPACING - 0.001)


def scalars(dt, temperature, calcium_part, noise):
    """Collect what all lanes share.

    Args:
        dt: Time step, `DT / PARTS` in a simulator [ms].
        temperature: [K].
        calcium_part: As `simulators.stg_kinetics.table` gives it.
        noise: [uA/cm2 ms^0.5].

    Returns:
        Shape (SCALARS,), float32.
    """
    return np.array(
        [
            dt * AREA / 0.6283e-3,
            8.31451e3 * temperature / (2.0 * 96485.3415),
            calcium_part,
            14961.0 * AREA,
            noise / math.sqrt(dt),
        ],
        dtype=np.float32,
    )


@njit(error_model="numpy")
def advance(lanes, gates, lost, random, table, shared, synapses, steps, tile):
    """Advance a block of cells by some steps.

    A cell beyond 1000 mV has blown up and is NaN from there on.

    Args:
        lanes: Shape (ROWS, WIDTH), float32; read and written.
        gates: Shape (WIDTH, SLOTS), float32; read and written.
        lost: What rounding took from the gates, shape (WIDTH, SLOTS), float32; read and written.
        random: Random states, shape (WIDTH,), uint32; read and written.
        table: As in `simulators.stg_kinetics.table`.
        shared: As in `scalars`.
        synapses: Synaptic conductances AB-LP, PD-LP, AB-PY, PD-PY, LP-PD, LP-PY, PY-LP, shape (7, NETWORKS)
            [mS/cm2], or (0, NETWORKS) where cells are alone.
        steps: Number of samples, of `PARTS` steps each.
        tile: Voltage before each sample's steps, shape (>= steps, WIDTH) [mV].
    """
    # Arrays made here are known not to overlap, without which the loop over lanes stays scalar.
    work = np.empty((ROWS, WIDTH), dtype=np.float32)
    seeds = np.empty(WIDTH, dtype=np.uint32)
    for i in range(WIDTH):
        for k in range(ROWS):
            work[k, i] = lanes[k, i]
        seeds[i] = random[i]
    for t in range(PARTS * steps):
        if t % PARTS == 0:
            for i in range(WIDTH):
                tile[t // PARTS, i] = work[V, i]
        if synapses.shape[0] > 0:
            _transmit(work, synapses)
        _charge(work, seeds, shared)
        for first in range(0, WIDTH, SLOTS):
            relax(table, work, gates, lost, first, PLACE, FACTOR, GATE)
    for i in range(WIDTH):
        for k in range(ROWS):
            lanes[k, i] = work[k, i]
        random[i] = seeds[i]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _transmit(lanes, synapses):
    """Sum what each cell of a network receives: conductance, and current at 0 mV."""
    glut, chol = GATE + 11, GATE + 12
    for k in range(NETWORKS):
        PD, LP, PY = k, NETWORKS + k, 2 * NETWORKS + k
        # Nothing, or NaN for all three where one has blown up.
        broken = float32(0.0) * (lanes[V, PD] + lanes[V, LP] + lanes[V, PY])
        g = synapses[4, k] * lanes[glut, LP] + broken
        lanes[SENT_G, PD] = g
        lanes[SENT_I, PD] = g * _E_GLUT
        g = synapses[0, k] * lanes[glut, PD] + synapses[6, k] * lanes[glut, PY] + broken
        slow = synapses[1, k] * lanes[chol, PD]
        lanes[SENT_G, LP] = g + slow
        lanes[SENT_I, LP] = g * _E_GLUT + slow * _E_CHOL
        g = synapses[2, k] * lanes[glut, PD] + synapses[5, k] * lanes[glut, LP] + broken
        slow = synapses[3, k] * lanes[chol, PD]
        lanes[SENT_G, PY] = g + slow
        lanes[SENT_I, PY] = g * _E_GLUT + slow * _E_CHOL


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _charge(lanes, random, shared):
    """Move voltage and calcium of all lanes by one step, and tell where in the table they are then."""
    one = float32(1.0)
    per_C, nernst, calcium_part, influx, noise = shared[0], shared[1], shared[2], shared[3], shared[4]
    for i in range(WIDTH):
        random[i] = scramble(random[i])
        u = lanes[V, i]
        Ca = lanes[CA, i]
        m = lanes[GATE, i]
        g_Na = lanes[G, i] * m * m * m * lanes[GATE + 7, i]
        m = lanes[GATE + 1, i]
        g_Ca = lanes[G + 1, i] * m * m * m * lanes[GATE + 8, i]
        m = lanes[GATE + 2, i]
        g_Ca += lanes[G + 2, i] * m * m * m * lanes[GATE + 9, i]
        m = lanes[GATE + 3, i]
        g_K = lanes[G + 3, i] * m * m * m * lanes[GATE + 10, i]
        m = lanes[GATE + 4, i] * lanes[GATE + 4, i]
        g_K += lanes[G + 4, i] * m * m
        m = lanes[GATE + 5, i] * lanes[GATE + 5, i]
        g_K += lanes[G + 5, i] * m * m
        g_H = lanes[G + 6, i] * lanes[GATE + 6, i]
        g_leak = lanes[G + 7, i]
        I_Ca = g_Ca * (u - nernst * (_OUTSIDE - logarithm(Ca)))
        clamp = lanes[CLAMP, i]
        inward = (
            g_Na * (_E_NA - u) + g_K * (_E_K - u) + g_H * (_E_H - u) + g_leak * (_E_LEAK - u)
            + (lanes[SENT_I, i] - lanes[SENT_G, i] * u) - I_Ca + clamp * (lanes[COMMAND, i] - u)
        )  # fmt: skip
        # The mean of exp(-q t/C) over the step, by its series where numbers would cancel; z is 0 without channels
        # and negative where a dynamic clamp takes more than there is.
        z = per_C * (g_Na + g_Ca + g_K + g_H + g_leak + lanes[SENT_G, i] + clamp)
        near = abs(z) < float32(0.03)
        below = one if near else z
        mean = (
            one - z * (float32(0.5) - z * (float32(0.16666667) - z * float32(0.041666668)))
            if near
            else (one - exponential(-z)) / below
        )
        move = per_C * mean * (inward + lanes[INJECTED, i] + noise * gaussian(random[i])) - lanes[LOST, i]
        new = u + move
        lanes[LOST, i] = (new - u) - move
        new = new if abs(new) < _BROKEN else float32(np.nan)
        lanes[V, i] = new
        Ca += calcium_part * (float32(0.05) - influx * I_Ca - Ca)
        Ca = Ca if Ca > _LEAST else _LEAST
        lanes[CA, i] = Ca
        lanes[FACTOR, i] = Ca / (Ca + float32(3.0))
        # Comparisons with NaN are false, so that a broken cell reads the first row and not what lies elsewhere.
        x = (new - _LOW) * _PER
        x = x if x > float32(0.0) else float32(0.0)
        lanes[PLACE, i] = x if x < _LAST else _LAST
