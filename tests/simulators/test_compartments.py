"""The wider kernel obeys the published equations, solved here in float64 to fourth order."""

import math

import numpy as np
import pytest
from numba import njit

from simulators.beside import DENDRITE, HIGH_THRESHOLD, KV3, LOW_THRESHOLD, SAG, SLOW
from simulators.compartments import CONSTANTS, STATES, constants, integrate
from simulators.lanes import LANES
from simulators.pospischil import DT
from simulators.pospischil import STATES as OWN
from simulators.published import CELLS
from simulators.rest import resting

COLUMNS = (
    *("C", "g_leak", "g_Na", "g_K", "g_M", "tau_max", "V_T", "E_leak", "rate_factor", "noise"),
    *("g_L", "g_T", "g_h", "dendrite_ratio", "coupling", "slow_share", "g_Kv3"),
)
ALL = HIGH_THRESHOLD + LOW_THRESHOLD + SAG + DENDRITE + SLOW + KV3
REVERSALS = (50.0, -100.0, 120.25, -40.0)
EXTRAS = {
    "high threshold": (HIGH_THRESHOLD, {"g_L": 0.2}),
    "low threshold": (LOW_THRESHOLD, {"g_T": 0.6}),
    "sag": (SAG, {"g_h": 0.2}),
    "dendrite": (DENDRITE, {"dendrite_ratio": 1.5, "coupling": 10.0}),
    "slow inactivation": (SLOW, {"slow_share": 0.8}),
    "Kv3": (KV3, {"g_Kv3": 8.0}),
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
            out[1, part, t] = state[OWN] + row[13]
    return out


@njit(cache=True)
def linear(x, y):
    """x / (exp(x/y) - 1), with its limit at 0."""
    return y - 0.5 * x if abs(x / y) < 1e-7 else x / math.expm1(x / y)


@njit(cache=True)
def rates(V, x):
    """Rate of opening and of closing of m, h, n, p, q, r, w, f, slow gate and Kv3, at V and x = V - V_T [1/ms]."""
    a, b = np.empty(10), np.empty(10)
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
    a[8], b[8] = 0.001 * math.exp(-(V + 85.0) / 30.0), 0.0034 / (math.exp(-(V + 17.0) / 10.0) + 1.0)
    kv3_inf, tau_kv3 = 1.0 / (1.0 + math.exp((V - 18.7) / -9.7)), 4.0 / (1.0 + math.exp((V + 46.56) / -44.14))
    a[9], b[9] = kv3_inf / tau_kv3, (1.0 - kv3_inf) / tau_kv3
    return a, b


@njit(cache=True)
def slopes(s, cell, reversals, injected, clamp):
    """Time derivatives of V, the ten gates and the dendrite."""
    V, m, h, n, p, q, r, w, f, slow, kv3, D = s
    C, g_leak, g_Na, g_K, g_M, tau_max, V_T, E_leak, factor = cell[:9]
    g_L, g_T, g_h, ratio, coupling, slow_share, g_Kv3 = cell[10:]
    E_Na, E_K, E_Ca, E_h = reversals
    open_s = 1.0 / (1.0 + math.exp(-(V + 59.0) / 6.2))
    a, b = rates(V, V - V_T)
    out = np.empty(12)
    g_Na *= 1.0 - slow_share * (1.0 - slow)
    out[0] = g_Na * m**3 * h * (E_Na - V) + (g_K * n**4 + g_M * p + g_Kv3 * kv3) * (E_K - V) + g_leak * (E_leak - V)
    out[0] += (g_L * q**2 * r + g_T * open_s**2 * w) * (E_Ca - V) + g_h * f * (E_h - V) + coupling / C * (D - V)
    out[0] += injected / C - clamp / C * V
    for k in range(10):
        out[1 + k] = factor * (a[k] * (1.0 - s[1 + k]) - b[k] * s[1 + k])
    out[4] /= tau_max
    out[11] = g_leak * (E_leak - D)
    if ratio > 0.0:
        out[11] += coupling / (ratio * C) * (V - D)
    return out


@njit(cache=True)
def fixed(V, cell):
    """The state in which all but V stands still."""
    s = np.empty(12)
    a, b = rates(V, V - cell[6])
    s[0] = V
    s[1:11] = a / (a + b)
    inflow = cell[14] / (cell[13] * cell[0]) if cell[13] > 0.0 else 0.0
    s[11] = (cell[1] * cell[7] + inflow * V) / (cell[1] + inflow)
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
        out[0, t], out[1, t] = s[0], s[11]
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


def worst(trace, truth, *, dt=DT, exact_dt=0.01, level=-20.0):
    """The largest error of a spike's time, NaN where there are more or fewer [ms]."""
    ours, theirs = (rising(trace, dt, level), rising(truth, exact_dt, level))
    return np.abs(ours - theirs).max(initial=0.0) if len(ours) == len(theirs) else np.nan


def rising(trace, dt, level):
    """Times at which a trace rises through a level, interpolated [ms]."""
    i = np.flatnonzero((trace[:-1] < level) & (trace[1:] >= level))
    return (i + 1 + (level - trace[i]) / (trace[i + 1] - trace[i])) * dt


def published_cell(name, **values):
    cell = CELLS[name]
    return cell_of(**{"C": cell.C, "g_M": 0.0} | cell.values | values)


@pytest.mark.parametrize("name", CELLS)
def test_published_cells_spike_when_the_equations_say(name):
    cell, levels = published_cell(name), [0.0, CELLS[name].amplitude, 0.0]
    durations = (50.0, 500.0, 150.0)
    trace, truth = ours(cell, durations, levels)[0, 0], exact(cell, durations, levels)[0]
    assert len(rising(truth, 0.01, -20.0)) >= (2 if name == "LTS, rebound" else 4)
    assert worst(trace, truth) < 0.35
    np.testing.assert_allclose(trace[: round(50.0 / DT)], truth[0], rtol=0, atol=0.05)


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_channel_and_the_dendrite_spike_when_the_equations_say(extra):
    has, values = EXTRAS[extra]
    cell, levels = cell_of(**values), [-30.0, 600.0, -100.0]
    trace, truth = ours(cell, STEP, levels, has=has)[0, 0], exact(cell, STEP, levels)[0]
    plain = exact(cell_of(), STEP, levels)[0]
    assert len(rising(truth, 0.01, -20.0)) >= 4
    assert worst(trace, truth) < 0.1
    # What is not there would be told by this: each of them moves spikes by more.
    assert not worst(trace, plain) < 0.5


def draw(count, seed, other, **more):
    """Cells of wide bounds that are quiet before their step: ours, ours at another time step, and the reference."""
    rng = np.random.default_rng(seed)
    quiet = []
    for _ in range(count):
        C = rng.uniform(30.0, 300.0)
        cell = cell_of(
            C=C,
            g_leak=np.exp(rng.uniform(np.log(0.01), np.log(0.2))),
            g_Na=rng.uniform(20.0, 100.0),
            g_K=rng.uniform(2.0, 20.0),
            g_M=rng.uniform(0.0, 0.5),
            tau_max=rng.uniform(100.0, 3000.0),
            V_T=rng.uniform(-70.0, -50.0),
            E_leak=rng.uniform(-90.0, -65.0),
            rate_factor=np.exp(rng.uniform(np.log(0.4), np.log(2.0))),
            g_L=rng.uniform(0.0, 0.15),
            g_T=rng.uniform(0.0, 0.4),
            g_h=rng.uniform(0.0, 0.05),
            dendrite_ratio=rng.uniform(0.3, 3.0),
            coupling=rng.uniform(1.0, 100.0),
            **{name: rng.uniform(0.0, high) for name, high in more.items()},
        )
        levels = [0.0, C * rng.uniform(1.0, 6.0), 0.0]
        truth = exact(cell, STEP, levels)[0]
        if np.ptp(truth[: round(50.0 / 0.01)]) < 0.1:
            quiet.append((ours(cell, STEP, levels)[0, 0], ours(cell, STEP, levels, dt=other)[0, 0], truth))
    return quiet


# Of cells with everything in them some are solved with the ordinary tests.
@pytest.fixture(scope="module", params=[pytest.param(count, marks=pytest.mark.long) for count in (1, 3)])
def drawn(request):  # cells with all but what shapes spikes
    return draw(30 * request.param, 8, DT / 2)


@pytest.fixture(scope="module", params=[1, pytest.param(3, marks=pytest.mark.long)])
def shaped(request):  # cells with everything in them
    return draw(30 * request.param, 9, 2 * DT, slow_share=1.0, g_Kv3=20.0)


def agree(cells):
    spiking = [(trace, truth) for trace, _, truth in cells if rising(truth, 0.01, -20.0).size]
    errors = np.array([worst(trace, truth) for trace, truth in spiking])
    assert len(spiking) >= len(cells) // 2
    assert np.mean(errors < 0.35) >= 0.95
    assert np.nanmedian(errors) < 0.05


def rest(cells):
    assert max(np.abs(trace[1000:2000] - truth[4000]).max() for trace, _, truth in cells) < 0.05


def test_drawn_cells_spike_when_the_equations_say(drawn):
    assert len(drawn) >= 20
    agree(drawn)


def test_drawn_cells_rest_where_the_equations_say(drawn):
    rest(drawn)


def test_halving_the_time_step_takes_more_than_two_thirds_of_the_error_away(drawn):
    pairs = np.array([(worst(coarse, truth), worst(fine, truth, dt=DT / 2)) for coarse, fine, truth in drawn])
    alike = pairs[(pairs > 0.004).all(axis=1)]
    assert len(alike) >= 10
    # Ratios scatter: quartiles 1.6 and 6.7, medians 4.7 of 30 cells, 4.2 of 70 and 3.2 of 90.
    assert np.median(alike[:, 0] / alike[:, 1]) > 3.0


def test_cells_with_everything_in_them_spike_and_rest_as_the_equations_say(shaped):
    assert len(shaped) >= 25
    agree(shaped)
    rest(shaped)


def test_doubling_the_time_step_of_cells_with_everything_in_them_makes_more_than_four_times_the_error(shaped):
    # A half of the usual step is no use here: spikes are then off by what a float32 resolves.
    pairs = np.array([(worst(coarse, truth, dt=2 * DT), worst(fine, truth)) for fine, coarse, truth in shaped])
    alike = pairs[(pairs > 0.004).all(axis=1)]
    assert len(alike) >= 10
    assert np.median(alike[:, 0] / alike[:, 1]) > 4.0


@pytest.mark.parametrize(("has", "values"), [(SLOW, {"slow_share": 0.0}), (KV3, {"g_Kv3": 0.0}), (ALL, {})])
def test_what_a_cell_has_none_of_changes_none_of_its_numbers(has, values):
    plain, nothing = (
        ours(cell_of(**more), STEP, [0.0, 600.0, 0.0], has=kind)[0] for kind, more in ((0, {}), (has, values))
    )
    assert rising(plain[0], DT, -20.0).size >= 4
    np.testing.assert_array_equal(plain, nothing)


def test_every_steady_state_is_held():
    cells = np.stack(
        [
            cell_of(slow_share=share, g_Kv3=Kv3, g_h=0.05, dendrite_ratio=2.0, coupling=20.0, E_leak=E_leak)
            for share in (0.0, 0.5, 1.0)
            for Kv3 in (0.0, 20.0)
            for E_leak in (-90.0, -58.0)
        ]
    )
    both = ours(cells, (1000.0,), [10.0])
    assert both.max() < -50.0 and np.ptp(both, axis=2).max() < 1e-3


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_cell_answers_a_step_as_soon_as_it_rests_as_it_does_after_seconds_of_rest(share):
    # Slow inactivation takes these seconds, and does not show in the voltage.
    cell = cell_of(slow_share=share, E_leak=-62.0)
    at_once, later = (ours(cell, (before, 200.0), [0.0, 300.0])[0, 0, round(before / DT) :] for before in (1.0, 4000.0))
    assert rising(at_once, DT, -20.0).size >= 3 and worst(at_once, later, exact_dt=DT) < 0.05


def two_compartments(cell, time, level):
    """V of soma and dendrite of a passive cell after a step from its rest, by the eigenvectors, shape (2, t)."""
    C, g_leak, E, ratio, coupling = cell[0], cell[1], cell[7], cell[13], cell[14]
    matrix = np.array(
        [[-g_leak - coupling / C, coupling / C], [coupling / (ratio * C), -g_leak - coupling / (ratio * C)]]
    )
    goal = np.linalg.solve(matrix, [-level / C, 0.0])
    rates, vectors = np.linalg.eig(matrix)
    weights = np.linalg.solve(vectors, -goal)
    return E + goal[:, None] + vectors @ (weights[:, None] * np.exp(rates[:, None] * time))


@pytest.mark.parametrize(("coupling", "ratio"), [(2.0, 1.0), (20.0, 3.0), (60.0, 0.3)])
def test_a_passive_dendrite_charges_as_the_closed_form_says(coupling, ratio):
    cell = cell_of(g_Na=0.0, g_K=0.0, g_M=0.0, C=60.0, g_leak=0.05, dendrite_ratio=ratio, coupling=coupling)
    errors = []
    for dt in (0.1, DT):
        both = ours(cell, (10.0, 200.0), [0.0, 50.0], dt=dt, has=DENDRITE)[:, 0, round(10.0 / dt) :]
        # The dendrite stands half a step ahead.
        time = np.arange(1, both.shape[1] + 1) * dt
        closed = two_compartments(cell, time, 50.0)[0], two_compartments(cell, time + 0.5 * dt, 50.0)[1]
        errors.append(np.abs(both - closed).max(axis=1))
    assert (errors[1] < 0.005).all()
    assert (errors[0] > 4.0 * errors[1] - 1e-3).all()
    rest = two_compartments(cell, np.array([1e6]), 50.0)[:, 0]
    np.testing.assert_allclose(both[:, -1], rest, rtol=0, atol=0.01)


def test_the_tightest_coupling_of_the_smallest_cell_is_stable():
    cell = cell_of(g_Na=0.0, g_K=0.0, g_M=0.0, C=5.0, g_leak=0.5, dendrite_ratio=0.1, coupling=200.0)
    both = ours(cell, (10.0, 200.0), [0.0, 50.0], has=DENDRITE)[:, 0]
    goal = two_compartments(cell, np.array([1e6]), 50.0)
    assert (np.diff(both, axis=1) > -1e-4).all()
    np.testing.assert_allclose(both[:, -1:], goal, rtol=0, atol=0.01)
    time = np.arange(1, 8001) * DT
    closed = two_compartments(cell, time, 50.0)
    # As the docstring of the firing types says: five percent of the way, behind.
    assert np.abs(both[0, 400:] - closed[0]).max() < 0.055 * (goal[0] + 70.0)


def test_without_a_conductance_the_membrane_is_a_capacitor():
    cell = cell_of(g_leak=0.0, g_Na=0.0, g_K=0.0, g_M=0.0, C=50.0)
    cell[7] = -70.0
    levels = [0.0, 5.0, -5.0]
    V = ours(cell, (10.0, 100.0, 50.0), levels, has=0)[0, 0]
    np.testing.assert_allclose(V[round(110.0 / DT) - 1] - V[0], 10.0, rtol=0, atol=1e-3)
    np.testing.assert_allclose(V[-1] - V[0], 5.0, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["RS", "IB", "LTS"])
def test_a_voltage_clamp_is_the_published_equations_behind_a_resistance(name):
    cell = published_cell(name)
    durations, levels = (20.0, 30.0, 30.0), [-75.0, -60.0, 0.0]
    V = ours(cell, durations, levels, resistance=0.002)[0, 0]
    truth = exact(cell, durations, levels, resistance=0.002, dt=0.005)[0, 4::5]
    command = np.repeat(levels, np.rint(np.array(durations) / DT).astype(int))
    current, exact_current = (command - V) / 0.002, (command - truth) / 0.002
    assert exact_current.min() < -15_000.0
    assert current.min() == pytest.approx(exact_current.min(), rel=0.01)
    settled = np.rint(np.cumsum(durations) / DT).astype(int) - 1
    np.testing.assert_allclose(current[settled], exact_current[settled], rtol=0.003, atol=0.5)
    # What escapes the clamp rises by hundreds of mV a ms: .01 ms of error.
    assert np.abs(V - truth).max() < 1.5
