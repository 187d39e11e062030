"""What the tests of cells share: blocks of lanes without an electrode, published equations in float64, batches."""

import math
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from numba import njit

from estimators.blame import DISCREPANCY
from estimators.spec import read_spec
from simulators.batches import simulate_batches
from simulators.lanes import LANES
from simulators.pospischil import CONSTANTS, DT, STATES, constants, integrate
from simulators.pospischil_rest import resting, still
from simulators.stimulus import step

SPEC = Path(__file__).resolve().parents[2] / "estimators" / "pretrained" / "cortical-steps.toml"
REVERSALS = (55.0, -93.0)
HERE = Path(__file__).parent
STIMULI = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))


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
                still(row, lane, state)
        part = slice(first, first + LANES)
        out = np.empty((steps, LANES), dtype=np.float32)
        integrate(state, row, seeds[part].copy(), ends[:, part].copy(), levels[:, part].copy(), np.int64(0), steps, out)
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


def _is_stable(cell, E_Na, E_K):
    """Whether a cell's fixed point without a current attracts: no eigenvalue of the linearized equations grows."""
    rest = _rest(cell, E_Na, E_K, 0.0)
    columns = []
    for k in range(5):
        apart = np.zeros(5)
        apart[k] = 1e-6 * max(1e-3, abs(rest[k]))
        higher, lower = (_slopes(rest + way, cell, E_Na, E_K, 0.0) for way in (apart, -apart))
        columns.append((higher - lower) / (2.0 * apart[k]))
    return bool(np.linalg.eigvals(np.stack(columns, axis=1)).real.max() < 0.0)


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
def is_stable():
    return _is_stable


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
    # How far the model is off is no parameter of a simulator.
    return tuple(parameter for parameter in read_spec(SPEC).parameters if parameter.name != DISCREPANCY)


@pytest.fixture(scope="session")
def draws(prior):
    """Draw cells from that prior."""

    def draw(count, seed):
        u = np.random.default_rng(seed).standard_normal((count, len(prior)))
        return np.stack([parameter.constrain(u[:, k]) for k, parameter in enumerate(prior)], axis=1)

    return draw


@njit(cache=True)
def _falling(V, half, width):
    return 1.0 / (1.0 + math.exp((V + half) / width))


@njit(cache=True)
def _stomatogastric_gates(V, Ca, goal, tau):
    """Steady states and time constants as they are published: Na, CaT, CaS, A with m and h, then KCa, Kd, H."""
    goal[0], tau[0] = _falling(V, 25.5, -5.29), 2.64 - 2.52 * _falling(V, 120.0, -25.0)
    goal[1] = _falling(V, 48.9, 5.18)
    tau[1] = 1.34 * _falling(V, 62.9, -10.0) * (1.5 + _falling(V, 34.9, 3.6))
    goal[2], tau[2] = _falling(V, 27.1, -7.2), 43.4 - 42.6 * _falling(V, 68.1, -20.5)
    goal[3], tau[3] = _falling(V, 32.1, 5.5), 210.0 - 179.6 * _falling(V, 55.0, -16.9)
    goal[4] = _falling(V, 33.0, -8.1)
    tau[4] = 2.8 + 14.0 / (math.exp((V + 27.0) / 10.0) + math.exp((V + 70.0) / -13.0))
    goal[5] = _falling(V, 60.0, 6.2)
    tau[5] = 120.0 + 300.0 / (math.exp((V + 55.0) / 9.0) + math.exp((V + 65.0) / -16.0))
    goal[6], tau[6] = _falling(V, 27.2, -8.7), 23.2 - 20.8 * _falling(V, 32.9, -15.2)
    goal[7], tau[7] = _falling(V, 56.9, 4.9), 77.2 - 58.4 * _falling(V, 38.9, -26.5)
    goal[8], tau[8] = Ca / (Ca + 3.0) * _falling(V, 28.3, -12.6), 180.6 - 150.2 * _falling(V, 46.0, -22.7)
    goal[9], tau[9] = _falling(V, 12.3, -11.8), 14.4 - 12.8 * _falling(V, 28.3, -19.2)
    goal[10] = _falling(V, 75.0, 5.5)
    tau[10] = 2.0 / (math.exp(-14.59 - 0.086 * V) + math.exp(-1.87 + 0.0701 * V))


@njit(cache=True)
def _stomatogastric(cells, synapses, dt, start, currents, noise, published):
    """Integrate cells of a network, or neurons where there are no synapses; voltages (n, steps) before each step.

    The equations are in the published units (mS, uA, uF). `published` takes old values for all gates and a forward
    Euler step for the synapses, as the published code does; otherwise gates follow the new voltage, which is of
    second order in dt.
    """
    senders, receivers = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([1, 1, 2, 2, 0, 2, 1])
    slow = np.array([0, 1, 0, 1, 0, 0, 0])
    n, steps = currents.shape
    C, nernst = 0.6283e-3, 8.31451e3 * 283.0 / (2.0 * 96485.3415)
    V, Ca, x, s = start[:, 0].copy(), start[:, 1].copy(), start[:, 2:].copy(), np.zeros(len(synapses))
    goal, tau = np.empty(11), np.empty(11)
    out = np.empty((n, steps))
    for t in range(steps):
        out[:, t] = V
        before, Ca_before = V.copy(), Ca.copy()
        for j in range(n):
            g = cells[j] * 0.628e-3
            g_Na = g[0] * x[j, 0] ** 3 * x[j, 1]
            g_Ca = g[1] * x[j, 2] ** 3 * x[j, 3] + g[2] * x[j, 4] ** 3 * x[j, 5]
            g_K = g[3] * x[j, 6] ** 3 * x[j, 7] + g[4] * x[j, 8] ** 4 + g[5] * x[j, 9] ** 4
            g_H = g[6] * x[j, 10]
            E_Ca = nernst * math.log(3000.0 / Ca[j])
            total = g_Na + g_Ca + g_K + g_H + g[7]
            drive = g_Na * 50.0 + g_Ca * E_Ca - g_K * 80.0 - g_H * 20.0 - g[7] * 50.0 + currents[j, t]
            if noise.shape[1] > t + 1:
                drive += noise[j, t + 1]
            for k in range(len(synapses)):
                if receivers[k] == j:
                    total += synapses[k] * 1e-6 * s[k]
                    drive += synapses[k] * 1e-6 * s[k] * (-80.0 if slow[k] else -70.0)
            Ca_inf = 0.05 - 14961.0 * g_Ca * (V[j] - E_Ca)
            Ca[j] = Ca_inf + (Ca[j] - Ca_inf) * math.exp(-dt / 200.0)
            if total > 0.0:
                V[j] = drive / total + (V[j] - drive / total) * math.exp(-dt * total / C)
            else:
                V[j] += dt * drive / C
        for j in range(n):
            _stomatogastric_gates(before[j] if published else V[j], Ca_before[j] if published else Ca[j], goal, tau)
            for k in range(11):
                x[j, k] = goal[k] + (x[j, k] - goal[k]) * math.exp(-dt / tau[k])
        for k in range(len(synapses)):
            u = before[senders[k]] if published else V[senders[k]]
            s_inf = 1.0 / (1.0 + math.exp((-35.0 - u) / 5.0))
            tau_s = (1.0 - s_inf) * (100.0 if slow[k] else 40.0)
            if not published:
                s[k] = s_inf + (s[k] - s_inf) * math.exp(-dt / max(tau_s, 1e-9))
            else:
                s[k] = s[k] + (s_inf - s[k]) * dt / tau_s if dt <= tau_s else s_inf
    return out


def _reference(cells, synapses=(), *, duration, dt=0.002, start=None, currents=0.0, noise=None, published=False):
    """The published stomatogastric equations in float64; start is V, Ca and gates of each, else all gates closed."""
    cells = np.atleast_2d(np.asarray(cells, dtype=np.float64))
    steps = round(duration / dt)
    closed = np.concatenate([[-50.0, 0.05], np.zeros(11)])
    start = np.tile(closed, (len(cells), 1)) if start is None else start
    currents = np.broadcast_to(np.asarray(currents, dtype=np.float64), (len(cells), steps))
    noise = np.empty((len(cells), 0)) if noise is None else noise
    # Copies in one order are compiled for once.
    start, currents, noise = (np.array(part, dtype=np.float64, order="C") for part in (start, currents, noise))
    return _stomatogastric(
        cells, np.asarray(synapses, dtype=np.float64), float(dt), start, currents, noise, bool(published)
    )


@pytest.fixture(scope="session")
def stomatogastric():
    return _reference


@pytest.fixture(scope="session")
def stomatogastric_gates():
    return _stomatogastric_gates


@pytest.fixture
def importable(monkeypatch):
    """Let this process and the workers that it starts import the stand-ins."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parents[1])]))


@pytest.fixture
def stand_ins(importable):
    import stand_ins

    return stand_ins


def _run(path, simulator, executor=None, **other):
    """Simulate 12 chunks of 8 cells each into a file, where nothing else is said."""
    given = {"cells": 96, "rate": 10.0, "seed": 11, "chunk": 8, "executor": executor} | other
    prior, stimuli = given.pop("prior", simulator.parameters), given.pop("stimuli", STIMULI)
    return simulate_batches(simulator, prior, stimuli, path, **given)


def _contents(path):
    """Everything in a file but what it was made from, by name."""
    with h5py.File(path, "r") as file:
        there = {}
        file.visititems(lambda name, item: there.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
        attributes = {f"{key}@{name}": value for key in file for name, value in file[key].attrs.items()}
    there.pop("origin")
    return there | attributes


def _same(path, other):
    ours, theirs = _contents(path), _contents(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


@pytest.fixture(scope="session")
def run():
    return _run


@pytest.fixture(scope="session")
def contents():
    return _contents


@pytest.fixture(scope="session")
def same():
    return _same
