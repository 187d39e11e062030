"""What the tests of cells share: blocks of lanes without an electrode, and the published equations in float64."""

import math
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from estimators.spec import read_spec
from simulators.lanes import LANES
from simulators.pospischil import CONSTANTS, DT, STATES, constants, integrate, resting

SPEC = Path(__file__).resolve().parents[2] / "estimators" / "pretrained" / "cortical-steps.toml"
REVERSALS = (55.0, -93.0)


@njit(cache=True)
def _blocks(cells, reversals, dt, ends, levels, steps, seeds, start):
    """Integrate whole blocks from given states, or from rest where these are NaN."""
    trace = np.empty((len(cells), steps), dtype=np.float32)
    for first in range(0, len(cells), LANES):
        row = np.zeros((CONSTANTS, LANES), dtype=np.float32)
        state = np.zeros((STATES, LANES), dtype=np.float32)
        for lane in range(LANES):
            k = first + lane
            constants(cells[k], reversals[k, 0], reversals[k, 1], dt, row, lane)
            if np.isnan(start[k, 0]):
                resting(row, lane, levels[0, k], state)
            else:
                state[0, lane] = start[k, 0] - cells[k, 6]
                for gate in range(1, 5):
                    state[gate, lane] = start[k, gate]
        part = slice(first, first + LANES)
        out = np.empty((steps, LANES), dtype=np.float32)
        integrate(state, row, seeds[part].copy(), ends[:, part].copy(), levels[:, part].copy(), 0, steps, out)
        trace[part] = out.T
    return trace


@njit(cache=True)
def _rates(V, V_T):
    """Rates and steady states as they are published [1/ms]."""
    x = V - V_T
    a_m = 0.32 * _linear(13.0 - x, 4.0)
    b_m = 0.28 * _linear(x - 40.0, 5.0)
    a_h = 0.128 * math.exp((17.0 - x) / 18.0)
    b_h = 4.0 / (1.0 + math.exp((40.0 - x) / 5.0))
    a_n = 0.032 * _linear(15.0 - x, 5.0)
    b_n = 0.5 * math.exp((10.0 - x) / 40.0)
    p_inf = 1.0 / (1.0 + math.exp(-(V + 35.0) / 10.0))
    w_p = 3.3 * math.exp((V + 35.0) / 20.0) + math.exp(-(V + 35.0) / 20.0)
    return a_m, b_m, a_h, b_h, a_n, b_n, p_inf, w_p


@njit(cache=True)
def _linear(x, y):
    """x / (exp(x/y) - 1), with its limit at 0."""
    return y - 0.5 * x if abs(x / y) < 1e-7 else x / math.expm1(x / y)


@njit(cache=True)
def _slopes(s, cell, E_Na, E_K, current):
    """Time derivatives of V, m, h, n, p; current in pA, cell as in `simulators.pospischil.constants`."""
    C, g_leak, g_Na, g_K, g_M, tau_max, V_T, E_leak, factor = cell[:9]
    V, m, h, n, p = s
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, w_p = _rates(V, V_T)
    out = np.empty(5)
    out[0] = g_Na * m**3 * h * (E_Na - V) + (g_K * n**4 + g_M * p) * (E_K - V) + g_leak * (E_leak - V) + current / C
    out[1] = factor * (a_m * (1.0 - m) - b_m * m)
    out[2] = factor * (a_h * (1.0 - h) - b_h * h)
    out[3] = factor * (a_n * (1.0 - n) - b_n * n)
    out[4] = factor * (p_inf - p) * w_p / tau_max
    return out


@njit(cache=True)
def _runge_kutta(start, cell, E_Na, E_K, dt, ends, levels):
    """Solve one cell to fourth order; voltage after each step."""
    steps = round(ends[-1] / dt)
    out = np.empty(steps)
    s = start.copy()
    epoch = 0
    for t in range(steps):
        while t >= round(ends[epoch] / dt):
            epoch += 1
        current = levels[epoch]
        k1 = _slopes(s, cell, E_Na, E_K, current)
        k2 = _slopes(s + 0.5 * dt * k1, cell, E_Na, E_K, current)
        k3 = _slopes(s + 0.5 * dt * k2, cell, E_Na, E_K, current)
        k4 = _slopes(s + dt * k3, cell, E_Na, E_K, current)
        s = s + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        out[t] = s[0]
    return out


@njit(cache=True)
def _resting_state(V, V_T):
    """All gates at rest at a voltage: V, m, h, n, p."""
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, _ = _rates(V, V_T)
    return np.array([V, a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n), p_inf])


@njit(cache=True)
def _rest(cell, E_Na, E_K, current):
    """Find the lowest fixed point of a cell under a constant current, as a state."""
    low = -330.0
    while low < 0.0 and _slopes(_resting_state(low + 0.25, cell[6]), cell, E_Na, E_K, current)[0] > 0.0:
        low += 0.25
    high = low + 0.25
    for _ in range(60):
        V = 0.5 * (low + high)
        if _slopes(_resting_state(V, cell[6]), cell, E_Na, E_K, current)[0] > 0.0:
            low = V
        else:
            high = V
    return _resting_state(0.5 * (low + high), cell[6])


def _membrane(cells, durations, levels, *, dt=DT, reversals=REVERSALS, seeds=None, start=None):
    """Voltage after each step of dt, shape (b, steps), of rows of C .. noise under levels of shape (e,) or (e, b).

    Without a start (V, m, h, n, p of each) cells begin at their fixed point under the first level.
    """
    cells = np.atleast_2d(np.asarray(cells, dtype=np.float64))
    b = len(cells)
    more = -b % LANES
    ends = np.rint(np.cumsum(durations) / dt).astype(np.int32)
    levels = np.broadcast_to(np.asarray(levels, dtype=np.float32).reshape(len(durations), -1), (len(durations), b))
    seeds = np.arange(1, b + 1) * 2654435761 % 2**32 if seeds is None else np.broadcast_to(seeds, b)
    start = np.full((b, 5), np.nan) if start is None else np.broadcast_to(start, (b, 5))
    trace = _blocks(
        np.pad(cells, ((0, more), (0, 0)), mode="edge"),
        np.pad(np.broadcast_to(np.asarray(reversals, dtype=np.float64), (b, 2)), ((0, more), (0, 0)), mode="edge"),
        float(dt),
        np.repeat(ends[:, None], b + more, axis=1),
        np.pad(levels, ((0, 0), (0, more)), mode="edge"),
        int(ends[-1]),
        np.pad(seeds.astype(np.uint32), (0, more), mode="edge"),
        np.pad(start.astype(np.float64), ((0, more), (0, 0)), mode="edge"),
    )
    return trace[:b].astype(np.float64)


def _published(cell, durations, levels, *, dt=0.01, reversals=REVERSALS):
    """The same of one cell without noise, by the published equations in float64, to fourth order."""
    cell = np.asarray(cell, dtype=np.float64)
    start = _rest(cell, *reversals, float(levels[0]))
    ends = np.cumsum(np.asarray(durations, dtype=np.float64))
    return _runge_kutta(start, cell, *reversals, float(dt), ends, np.asarray(levels, dtype=np.float64))


def _crossings(trace, dt, level):
    """Times at which a trace rises through a level, interpolated [ms]."""
    i = np.flatnonzero((trace[:-1] < level) & (trace[1:] >= level))
    return (i + 1 + (level - trace[i]) / (trace[i + 1] - trace[i])) * dt


@pytest.fixture(scope="session")
def membrane():
    return _membrane


@pytest.fixture(scope="session")
def published():
    return _published


@pytest.fixture(scope="session")
def published_rates():
    return _rates


@pytest.fixture(scope="session")
def resting_state():
    return _resting_state


@pytest.fixture(scope="session")
def crossings():
    return _crossings


@pytest.fixture(scope="session")
def prior():
    """The twelve parameters that the shipped network is pretrained on."""
    return read_spec(SPEC).parameters


@pytest.fixture(scope="session")
def draws(prior):
    """Draw cells from that prior."""

    def draw(count, seed):
        u = np.random.default_rng(seed).standard_normal((count, len(prior)))
        return np.stack([parameter.constrain(u[:, k]) for k, parameter in enumerate(prior)], axis=1)

    return draw
