"""The wider kernel obeys the published equations, solved here in float64 to fourth order."""

import math

import numpy as np
import pytest
from numba import njit

from simulators.compartments import (
    CONSTANTS,
    DENDRITE,
    HIGH_THRESHOLD,
    LOW_THRESHOLD,
    SAG,
    STATES,
    constants,
    integrate,
)
from simulators.lanes import LANES
from simulators.pospischil import DT
from simulators.published import CELLS
from simulators.rest import resting

COLUMNS = (
    *("C", "g_leak", "g_Na", "g_K", "g_M", "tau_max", "V_T", "E_leak", "rate_factor", "noise"),
    *("g_L", "g_T", "g_h", "dendrite_ratio", "coupling"),
)
ALL = HIGH_THRESHOLD + LOW_THRESHOLD + SAG + DENDRITE
REVERSALS = (50.0, -100.0, 120.25, -40.0)
EXTRAS = {
    "high threshold": (HIGH_THRESHOLD, {"g_L": 0.2}),
    "low threshold": (LOW_THRESHOLD, {"g_T": 0.6}),
    "sag": (SAG, {"g_h": 0.05}),
    "dendrite": (DENDRITE, {"dendrite_ratio": 1.5, "coupling": 10.0}),
}
STEP = (50.0, 500.0, 50.0)


@njit(cache=True)
def blocks(cells, reversals, clamp, dt, ends, levels, steps, has):
    """Integrate whole blocks from rest; V and the dendrite after each step."""
    out = np.empty((2, len(cells), steps), dtype=np.float32)
    for first in range(0, len(cells), LANES):
        row = np.zeros((CONSTANTS, LANES), dtype=np.float32)
        state = np.zeros((STATES, LANES), dtype=np.float32)
        for lane in range(LANES):
            constants(cells[first + lane], reversals[first + lane], clamp, dt, row, lane)
            resting(row, lane, levels[0, first + lane], state)
        part = slice(first, first + LANES)
        trace = np.empty((1, LANES), dtype=np.float32)
        seeds = np.arange(1, LANES + 1).astype(np.uint32)
        for t in range(steps):
            integrate(state, row, seeds, ends, levels[:, part].copy(), t, np.int64(1), trace, has)
            out[0, part, t] = trace[0]
            out[1, part, t] = state[15] + row[13]
    return out


@njit(cache=True)
def linear(x, y):
    """x / (exp(x/y) - 1), with its limit at 0."""
    return y - 0.5 * x if abs(x / y) < 1e-7 else x / math.expm1(x / y)


@njit(cache=True)
def rates(V, x):
    """Rate of opening and of closing of m, h, n, p, q, r, w and f, at V and x = V - V_T [1/ms]."""
    a, b = np.empty(8), np.empty(8)
    a[0], b[0] = 0.32 * linear(13.0 - x, 4.0), 0.28 * linear(x - 40.0, 5.0)
    a[1], b[1] = 0.128 * math.exp((17.0 - x) / 18.0), 4.0 / (1.0 + math.exp((40.0 - x) / 5.0))
    a[2], b[2] = 0.032 * linear(15.0 - x, 5.0), 0.5 * math.exp((10.0 - x) / 40.0)
    p_inf = 1.0 / (1.0 + math.exp(-(V + 35.0) / 10.0))
    tau_p = 1.0 / (3.3 * math.exp((V + 35.0) / 20.0) + math.exp(-(V + 35.0) / 20.0))
    a[3], b[3] = p_inf / tau_p, (1.0 - p_inf) / tau_p
    a[4], b[4] = 0.055 * linear(-27.0 - V, 3.8), 0.94 * math.exp((-75.0 - V) / 17.0)
    a[5], b[5] = 4.57e-4 * math.exp((-13.0 - V) / 50.0), 0.0065 / (math.exp((-15.0 - V) / 28.0) + 1.0)
    w_inf = 1.0 / (1.0 + math.exp((V + 83.0) / 4.0))
    tau_w = (30.8 + (211.4 + math.exp((V + 115.2) / 5.0)) / (1.0 + math.exp((V + 86.0) / 3.2))) / 3.0**1.2
    a[6], b[6] = w_inf / tau_w, (1.0 - w_inf) / tau_w
    a[7], b[7] = 0.00643 * linear(V + 154.9, 11.9), 0.193 * math.exp(V / 33.1)
    return a, b


@njit(cache=True)
def slopes(s, cell, reversals, injected, clamp):
    """Time derivatives of V, the eight gates and the dendrite."""
    V, m, h, n, p, q, r, w, f, D = s
    C, g_leak, g_Na, g_K, g_M, tau_max, V_T, E_leak, factor = cell[:9]
    g_L, g_T, g_h, ratio, coupling = cell[10:]
    E_Na, E_K, E_Ca, E_h = reversals
    open_s = 1.0 / (1.0 + math.exp(-(V + 59.0) / 6.2))
    a, b = rates(V, V - V_T)
    out = np.empty(10)
    out[0] = g_Na * m**3 * h * (E_Na - V) + (g_K * n**4 + g_M * p) * (E_K - V) + g_leak * (E_leak - V)
    out[0] += (g_L * q**2 * r + g_T * open_s**2 * w) * (E_Ca - V) + g_h * f * (E_h - V) + coupling / C * (D - V)
    out[0] += injected / C - clamp / C * V
    for k in range(8):
        out[1 + k] = factor * (a[k] * (1.0 - s[1 + k]) - b[k] * s[1 + k])
    out[4] /= tau_max
    out[9] = g_leak * (E_leak - D)
    if ratio > 0.0:
        out[9] += coupling / (ratio * C) * (V - D)
    return out


@njit(cache=True)
def fixed(V, cell):
    """The state in which all but V stands still."""
    s = np.empty(10)
    a, b = rates(V, V - cell[6])
    s[0] = V
    s[1:9] = a / (a + b)
    inflow = cell[14] / (cell[13] * cell[0]) if cell[13] > 0.0 else 0.0
    s[9] = (cell[1] * cell[7] + inflow * V) / (cell[1] + inflow)
    return s


@njit(cache=True)
def runge_kutta(cell, reversals, clamp, dt, ends, injected):
    """Solve one cell from its lowest fixed point, in float64; V and the dendrite after each step."""
    V = -330.0
    while slopes(fixed(V, cell), cell, reversals, injected[0], clamp)[0] > 0.0 and V < 200.0:
        V += 0.25
    low, high = V - 0.25, V
    for _ in range(60):
        V = 0.5 * (low + high)
        if slopes(fixed(V, cell), cell, reversals, injected[0], clamp)[0] > 0.0:
            low = V
        else:
            high = V
    s = fixed(V, cell)
    steps = round(ends[-1] / dt)
    out = np.empty((2, steps))
    epoch = 0
    for t in range(steps):
        while t >= round(ends[epoch] / dt):
            epoch += 1
        k1 = slopes(s, cell, reversals, injected[epoch], clamp)
        k2 = slopes(s + 0.5 * dt * k1, cell, reversals, injected[epoch], clamp)
        k3 = slopes(s + 0.5 * dt * k2, cell, reversals, injected[epoch], clamp)
        k4 = slopes(s + dt * k3, cell, reversals, injected[epoch], clamp)
        s = s + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        out[0, t], out[1, t] = s[0], s[9]
    return out


def cell_of(**values):
    """A row of the kernel's parameters; 100 pF of the RS cell where nothing else is said."""
    usual = {"C": 100.0, "g_leak": 0.1, "g_Na": 50.0, "g_K": 5.0, "g_M": 0.07, "tau_max": 1000.0, "V_T": -55.0}
    usual |= {"E_leak": -70.0, "rate_factor": 1.0}
    return np.array([(usual | values).get(name, 0.0) for name in COLUMNS])


def ours(cells, durations, levels, *, dt=DT, has=ALL, resistance=None, reversals=REVERSALS):
    """V and dendrite of each row after each step, shape (2, b, steps); levels (e,) or (e, b) [pA or mV]."""
    cells = np.atleast_2d(cells)
    b = len(cells)
    clamp = 0.0 if resistance is None else 1.0 / resistance
    levels = np.broadcast_to(np.asarray(levels, dtype=float).reshape(len(durations), -1), (len(durations), b))
    if resistance is not None:
        levels = (levels - cells[:, 6]) * clamp
    ends = np.rint(np.cumsum(durations) / dt).astype(np.int32)
    more = (0, -b % LANES)
    out = blocks(
        np.pad(cells, (more, (0, 0)), mode="edge"),
        np.pad(np.broadcast_to(np.asarray(reversals, dtype=float), (b, 4)), (more, (0, 0)), mode="edge"),
        clamp,
        dt,
        np.repeat(ends[:, None], LANES, axis=1),
        np.pad(levels, ((0, 0), more), mode="edge").astype(np.float32),
        int(ends[-1]),
        has,
    )
    return out[:, :b].astype(np.float64)


def exact(cell, durations, levels, *, dt=0.01, resistance=None, reversals=REVERSALS):
    """The same of one cell by the published equations, shape (2, steps)."""
    clamp = 0.0 if resistance is None else 1.0 / resistance
    injected = np.asarray(levels, dtype=float) * (clamp if resistance is not None else 1.0)
    return runge_kutta(cell, np.asarray(reversals), clamp, dt, np.cumsum(durations), injected)
