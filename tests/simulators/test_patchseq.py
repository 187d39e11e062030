"""The Patch-seq kernel obeys the published equations, written here in float64 as they are published."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numba import float32, njit

from simulators.electrode import IDEAL, Electrode
from simulators.lanes import LANES
from simulators.passive import Passive
from simulators.patchseq import PatchSeq
from simulators.patchseq_kinetics import gates
from simulators.patchseq_membrane import CONSTANTS, DT, STATES, constants, integrate
from simulators.patchseq_rest import resting
from simulators.stimulus import Epoch, Stimulus, step

REVERSALS = np.array([69.0, -98.4, 127.2])
HAY, POSPISCHIL = 2.3**0.4, 2.3**-1.1
STEP = (50.0, 500.0, 50.0)
NAMES = tuple(parameter.name for parameter in PatchSeq.parameters)


@njit(cache=True, error_model="numpy")
def _blocks(cells, bath, dt, ends, levels, seeds):
    """Voltage after each step of dt of whole blocks, from their fixed points."""
    steps = np.int64(ends[-1])
    trace = np.empty((len(cells), steps), dtype=np.float32)
    for first in range(0, len(cells), LANES):
        rows = np.empty((len(ends), CONSTANTS, LANES), dtype=np.float32)
        state = np.empty((STATES, LANES), dtype=np.float32)
        for lane in range(LANES):
            for epoch in range(len(ends)):
                constants(cells[first + lane], bath, levels[epoch, first + lane], dt, rows[epoch], lane)
            resting(rows[0], lane, state)
        finish = np.repeat(ends, LANES).reshape(-1, LANES)
        out = np.empty((steps, LANES), dtype=np.float32)
        integrate(state, rows, seeds[first : first + LANES].copy(), finish, np.int64(0), steps, out)
        trace[first : first + LANES] = out.T
    return trace


def membrane(cells, durations, levels, *, dt=DT, noise=0.0, pipette=0.0):
    """Voltage after each step, shape (b, steps), under levels of shape (e,) or (e, b)."""
    cells = np.atleast_2d(np.asarray(cells, dtype=np.float64))
    b, more = len(cells), -len(cells) % LANES
    levels = np.broadcast_to(np.asarray(levels, dtype=np.float64).reshape(len(durations), -1), (len(durations), b))
    trace = _blocks(
        np.pad(cells, ((0, more), (0, 0)), mode="edge"),
        np.array([*REVERSALS, HAY, POSPISCHIL, noise, pipette]),
        dt,
        np.rint(np.cumsum(durations) / dt).astype(np.int32),
        np.pad(levels, ((0, 0), (0, more)), mode="edge"),
        (np.arange(1, b + more + 1) * 2654435761 % 2**32).astype(np.uint32),
    )
    return trace[:b].astype(np.float64)


@njit(cache=True)
def _linear(x, y):
    """x / (exp(x/y) - 1), with its limit at 0."""
    return y - 0.5 * x if abs(x / y) < 1e-7 else x / math.expm1(x / y)


@njit(cache=True)
def published_rates(V, V_T):
    """Steady states and rates of all gates as they are published, without factors of temperature [1, 1/ms]."""
    x = V - V_T
    pairs = (
        (0.182 * _linear(-(V + 38.0), 6.0), 0.124 * _linear(V + 38.0, 6.0)),
        (0.015 * _linear(V + 66.0, 6.0), 0.015 * _linear(-(V + 66.0), 6.0)),
        (0.32 * _linear(13.0 - x, 4.0), 0.28 * _linear(x - 40.0, 5.0)),
        (0.128 * math.exp((17.0 - x) / 18.0), 4.0 / (1.0 + math.exp((40.0 - x) / 5.0))),
        (0.032 * _linear(15.0 - x, 5.0), 0.5 * math.exp((10.0 - x) / 40.0)),
        (0.055 * _linear(-27.0 - V, 3.8), 0.94 * math.exp((-75.0 - V) / 17.0)),
        (4.57e-4 * math.exp((-13.0 - V) / 50.0), 0.0065 / (math.exp((-15.0 - V) / 28.0) + 1.0)),
    )
    steady, rate = np.empty(9), np.empty(9)
    for k, gate in enumerate((0, 1, 3, 4, 5, 7, 8)):
        rate[gate] = pairs[k][0] + pairs[k][1]
        steady[gate] = pairs[k][0] / rate[gate]
    steady[2] = 1.0 / (1.0 + math.exp(-(V - 18.7) / 9.7))
    rate[2] = (1.0 + math.exp(-(V + 56.56) / 44.14)) / 4.0
    steady[6] = 1.0 / (1.0 + math.exp(-(V + 35.0) / 10.0))
    rate[6] = 3.3 * math.exp((V + 35.0) / 20.0) + math.exp(-(V + 35.0) / 20.0)
    return steady, rate


@njit(cache=True)
def _currents(V, x, cell):
    """Conductance and its product with the reversal potential, all but the leak's [mS/cm2, uA/cm2]."""
    g_Na = cell[3] * x[0] ** 3 * x[1] + cell[4] * x[3] ** 3 * x[4]
    g_K = cell[5] * x[5] ** 4 + cell[6] * x[6] + cell[7] * x[2]
    g_Ca = cell[8] * x[7] ** 2 * x[8]
    return g_Na + g_K + g_Ca, g_Na * REVERSALS[0] + g_K * REVERSALS[1] + g_Ca * REVERSALS[2]


@njit(cache=True)
def _rest(cell, level, pipette):
    """Find the lowest fixed point [mV]."""
    area = cell[2] / (cell[0] * cell[1])
    low, high = -700.0, -700.0
    for scan in range(4000):
        V = -700.0 + 0.25 * scan
        g, drive = _currents(V, published_rates(max(V, -300.0), cell[11])[0], cell)
        inward = level * 1e-3 if pipette == 0.0 else pipette * (level - V) * 1e-3
        if (drive - g * V + cell[0] / cell[2] * (cell[9] - V)) * area + inward < 0.0:
            low, high = V - 0.25, V
            break
    for _ in range(60):
        V = 0.5 * (low + high)
        g, drive = _currents(V, published_rates(max(V, -300.0), cell[11])[0], cell)
        inward = level * 1e-3 if pipette == 0.0 else pipette * (level - V) * 1e-3
        if (drive - g * V + cell[0] / cell[2] * (cell[9] - V)) * area + inward < 0.0:
            high = V
        else:
            low = V
    return 0.5 * (low + high)


@njit(cache=True)
def _reference(cell, ends, levels, pipette, dt, kicks):
    """Voltage after each step of one cell, from its fixed point, by steps that are exact in each variable alone.

    C [uF/cm2] dV/dt is in uA/cm2; over the area tau/(C R_in), in 1e-3 cm2, pA are 1e-3 uA/cm2.
    """
    C, area, g_leak = cell[0], cell[2] / (cell[0] * cell[1]), cell[0] / cell[2]
    slow = POSPISCHIL / cell[12]
    factors = np.array([HAY, HAY, HAY, slow, slow, slow, POSPISCHIL / cell[10], 1.0, 1.0])
    V = _rest(cell, levels[0], pipette)
    x = published_rates(V, cell[11])[0]
    steps = round(ends[-1] / dt)
    out = np.empty(steps)
    epoch = 0
    for t in range(steps):
        while t >= round(ends[epoch] / dt):
            epoch += 1
        g, drive = _currents(V, x, cell)
        g += g_leak + pipette * 1e-3 / area
        drive += g_leak * cell[9] + (levels[epoch] if pipette == 0.0 else pipette * levels[epoch]) * 1e-3 / area
        V += (drive / g - V) * -math.expm1(-g / C * dt)
        steady, rate = published_rates(V, cell[11])
        for gate in range(9):
            x[gate] += (steady[gate] - x[gate]) * -math.expm1(-dt * rate[gate] * factors[gate])
        out[t] = V
        V += kicks[t]
    return out


def reference(cell, durations, levels, pipette=0.0, dt=0.001, shake=0.0):
    """Voltage after each step of one cell; shake is the sd of what is added to it in each 0.025 ms [mV]."""
    ends, levels = np.cumsum(np.asarray(durations, dtype=np.float64)), np.asarray(levels, dtype=np.float64)
    kicks = np.random.default_rng(0).standard_normal(round(ends[-1] / dt)) * shake * math.sqrt(dt / 0.025)
    return _reference(np.asarray(cell, dtype=np.float64), ends, levels, pipette, dt, kicks)


def is_stable(cell):
    """Whether a cell's fixed point without a current attracts: no eigenvalue of the linearized equations grows."""
    slow = POSPISCHIL / cell[12]
    factors = np.array([HAY, HAY, HAY, slow, slow, slow, POSPISCHIL / cell[10], 1.0, 1.0])

    def slopes(s):
        g, drive = _currents(s[0], s[1:], cell)
        steady, rate = published_rates(s[0], cell[11])
        return np.append((drive - g * s[0]) / cell[0] + (cell[9] - s[0]) / cell[2], factors * rate * (steady - s[1:]))

    V = _rest(cell, 0.0, 0.0)
    rest = np.append(V, published_rates(V, cell[11])[0])
    apart = np.diag([1e-5, *9 * (1e-6,)])
    columns = [(slopes(rest + way) - slopes(rest - way)) / (2.0 * way.max()) for way in apart]
    return bool(np.linalg.eigvals(np.stack(columns, axis=1)).real.max() < 0.0)


def draws(count, seed):
    """Draw cells of the published prior."""
    u = np.random.default_rng(seed).standard_normal((count, len(NAMES)))
    return np.stack([parameter.constrain(u[:, k]) for k, parameter in enumerate(PatchSeq.parameters)], axis=1)


@njit(cache=True)
def _tabulated(V, V_T):
    """Steady states and rates as the kernel takes them."""
    out = np.empty((len(V), 2, 9))
    root = float32(math.exp(-(V_T + 35.0) / 20.0))
    for k in range(len(V)):
        x = float32(V[k])
        steady, rate = gates(x, float32(V_T), root)
        for gate in range(9):
            out[k, 0, gate], out[k, 1, gate] = steady[gate], rate[gate]
    return out


@pytest.mark.parametrize("V_T", [-90.0, -60.0, -35.0])
def test_the_rates_are_the_published_ones(V_T):
    V = np.arange(-154.9, 154.9, 0.173)
    exact = np.array([published_rates(x, V_T) for x in V])
    # The exponential of a large number loses of its fraction what the number's whole part takes.
    np.testing.assert_allclose(_tabulated(V, V_T), exact, rtol=5e-6, atol=1e-7)


@pytest.mark.parametrize("singular", [-38.0, -66.0, -60.0 + 13.0, -60.0 + 15.0, -60.0 + 40.0, -27.0])
def test_the_rates_are_continuous_where_they_are_singular(singular):
    near = np.concatenate([[0.0], np.geomspace(1e-6, 0.5, 200), -np.geomspace(1e-6, 0.5, 200)])
    V = np.float32(singular + near).astype(np.float64)
    ours, exact = _tabulated(V, -60.0), np.array([published_rates(x, -60.0) for x in V])
    np.testing.assert_allclose(ours, exact, rtol=5e-6, atol=1e-7)


def crossings(trace, dt):
    """Times at which a trace rises through 0 mV, interpolated [ms]."""
    i = np.flatnonzero((trace[:-1] < 0.0) & (trace[1:] >= 0.0))
    return (i + 1 - trace[i] / (trace[i + 1] - trace[i])) * dt


def apart(times, others):
    """The worst of a spike's distances; NaN: there are more or fewer."""
    return np.abs(times - others).max(initial=0.0) if len(times) == len(others) else np.nan


def against_the_reference(cells, amplitudes):
    """Spikes, their worst at two time steps, the distance at rest, and the worst of a shaken reference.

    Cells without a stable rest are left out: they fire by themselves, and when they leave their fixed point is up to
    the last digit of their start.
    """
    levels = np.stack([0.0 * amplitudes, amplitudes, 0.0 * amplitudes])
    coarse, fine = (membrane(cells, STEP, levels, dt=dt) for dt in (DT, DT / 2))
    rows = []
    for k in np.flatnonzero([is_stable(cell) for cell in cells]):
        exact = reference(cells[k], STEP, levels[:, k])
        times, resting = crossings(exact, 0.001), exact[12_500:49_900:25][:1496]
        worst = [apart(crossings(trace[k], dt), times) for trace, dt in ((coarse, DT), (fine, DT / 2))]
        # Fluctuations of a float32's resolution.
        shaken = crossings(reference(cells[k], STEP, levels[:, k], shake=4e-6), 0.001)
        rows.append((len(times), *worst, np.abs(coarse[k, 500:1996] - resting).max(), apart(shaken, times)))
    return np.array(rows)


def check(rows, share, sure):
    """Hold a table against 0.05 mV at rest, and a share of cells against 0.35 ms over 500 ms.

    Some cells wait on a plateau until the smallest fluctuation lets them leave it. Where the reference itself is moved
    by more than 0.05 ms by fluctuations of a float32's resolution, spikes have no times to compare with; `sure` is the
    share of all others.
    """
    assert rows[:, 3].max() < 0.05
    spiking = rows[rows[:, 0] > 0]
    assert np.mean(spiking[:, 1] < 0.35) >= share
    known = spiking[spiking[:, 4] < 0.05]
    assert len(known) > 0.9 * len(spiking)
    assert np.mean(known[:, 1] < 0.35) >= sure
    assert np.median(known[:, 1]) < 0.002


def test_drawn_cells_spike_and_rest_where_the_equations_say():
    rows = against_the_reference(draws(10, 21), np.linspace(50.0, 870.0, 10))
    assert (rows[:, 0] > 0).sum() >= 6
    check(rows, 1.0, 1.0)


@pytest.mark.long
def test_of_drawn_cells_whose_spikes_have_times_98_in_100_keep_them_within_a_third_of_a_millisecond():
    # Of 256 cells 239 have a stable rest and 186 of these spike, 183 of them at times that hold when they are shaken.
    # Within 0.35 ms are 181 of the 183, and 97 % of the 186.
    rows = against_the_reference(draws(256, 5), np.random.default_rng(6).uniform(20.0, 870.0, 256))
    check(rows, 0.96, 0.98)
    # What is seen to be off is so by an error of higher order than the second, which half a step would divide by 4.
    far = rows[(rows[:, 0] > 3) & (rows[:, 4] < 0.05) & (rows[:, 1] > 0.02)]
    assert len(far) >= 15
    assert np.nanmedian(far[:, 1] / far[:, 2]) > 5.0


QUIET = (1.0, 100.0, 20.0, 60.0, 20.0, 20.0, 0.3, 20.0, 0.1, -75.0, 500.0, -60.0, 1.0)
PASSIVE = (1.5, 200.0, 12.0, *6 * (0.0,), -72.0, 500.0, -60.0, 1.0)
COMMAND = (Epoch(-80.0, 20.0), Epoch(-20.0, 30.0), Epoch(10.0, 20.0), Epoch(-60.0, 30.0))


def clamped(cells, epochs=COMMAND, rate=40.0, temperature=25.0, **knobs):
    cell = PatchSeq(replace(IDEAL, **knobs), temperature, noise=0.0)
    stimulus = Stimulus("voltage", tuple(epochs))
    return cell.simulate(np.atleast_2d(cells), stimulus, rate, np.random.default_rng(0))


def clamp_reference(cell, series):
    """Current of `COMMAND` at 40 kHz by the reference [pA]."""
    durations, levels = ([getattr(epoch, name) for epoch in COMMAND] for name in ("duration", "level"))
    V = reference(cell, durations, levels, pipette=1000.0 / series)
    command = np.repeat(levels, np.rint(np.array(durations) * 40.0).astype(int))
    # A sample is the state at its time, a row of the reference the one at the end of its step.
    return (command - np.concatenate([V[:1], V[24::25][:-1]])) * 1000.0 / series


# Voltage clamp has a kernel of its own, which takes longer to compile than all else here; the cortical cell's is held
# to the closed form in every run.
@pytest.mark.long
@pytest.mark.parametrize("series", [2.0, 10.0, 40.0])
def test_a_voltage_clamp_gives_the_current_through_its_series_resistance(series):
    # Without sodium, with which these cells would escape their clamp and spike.
    cells = np.stack([QUIET, *draws(3, 8)])
    cells[:, 3:5] = 0.0
    for cell, current in zip(cells, clamped(cells, series=series), strict=True):
        exact = clamp_reference(cell, series)
        # Transients of thousands of pA that last .1 ms are smoothed over a step of .025.
        apart = np.abs(current - exact) / np.abs(exact).max()
        assert np.median(apart) < 1e-5
        assert np.mean(apart < 1e-3) > 0.98


def test_a_well_clamped_sodium_current_is_that_of_the_equations():
    cell = np.array(QUIET)
    cell[1] = 1000.0
    ours, exact = clamped(cell, series=0.1)[0], clamp_reference(cell, 0.1)
    peak = exact[805:2000].min()
    assert peak < -1000.0
    assert ours[805:2000].min() == pytest.approx(peak, rel=0.01)
    # The membrane follows at once here, but gates that stand between steps learn of it half a step later.
    between = 0.5 * (exact[810:1999] + exact[811:2000])
    np.testing.assert_allclose(ours[811:2000], between, rtol=0, atol=0.015 * abs(peak))


def test_a_clamp_holds_the_steady_current_of_all_its_channels():
    # Without sodium it can't escape; after a second all gates are at rest, the M-current's in 50 ms for that.
    cell = np.array(QUIET)
    cell[[3, 4, 10]] = 0.0, 0.0, 50.0
    current = clamped(cell, (Epoch(-80.0, 10.0), Epoch(-10.0, 5000.0)), series=1.0)[0, -1]
    V = -10.0 - current * 1e-3
    g, drive = _currents(V, published_rates(V, -60.0)[0], cell)
    area = 20.0 / (1.0 * 100.0)
    assert current == pytest.approx((g * V - drive) * area * 1e3 + (V + 75.0) / 0.1, rel=1e-4)


def test_the_slowest_gates_do_not_stall_short_of_their_end():
    # Of the M-current's steps, the last 3 % of the way are below the resolution of a float32; of calcium's, .1 %.
    cells = np.array([PASSIVE, PASSIVE])
    cells[0, 6], cells[1, 8], cells[:, 10] = 1.0, 1.0, 4000.0
    levels = np.array([[-100.0, -100.0], [-45.0, -20.0]])
    ours = membrane(cells, (100.0, 20_000.0), levels, pipette=1000.0)
    for k, cell in enumerate(cells):
        exact = reference(cell, (100.0, 20_000.0), levels[:, k], pipette=1000.0, dt=0.05)
        # In units of the pipette's current: what the cell draws in the end.
        np.testing.assert_allclose((levels[1, k] - ours[k, 1::2])[10_000:], (levels[1, k] - exact)[10_000:], rtol=3e-4)


def passive_twin():
    """PASSIVE as the closed form's C [pF], g_leak [nS], E_leak [mV]."""
    return np.array([[1000.0 * 12.0 / 200.0, 1000.0 / 200.0, -72.0]])


def test_without_channels_a_membrane_test_is_the_closed_form():
    test = (Epoch(-70.0, 10.0), Epoch(-80.0, 20.0), Epoch(-70.0, 10.0))
    exact = Passive().simulate(passive_twin(), Stimulus("voltage", test), 40.0, np.random.default_rng(0))
    np.testing.assert_allclose(clamped(PASSIVE, test), exact, rtol=1e-4, atol=0.05)


def test_without_channels_a_current_step_is_the_closed_form():
    stimulus = step(40.0, holding=-15.0, onset=30.0, duration=150.0, tail=100.0)
    exact = Passive().simulate(passive_twin(), stimulus, 40.0, np.random.default_rng(0))[0]
    V = membrane(PASSIVE, (30.0, 150.0, 100.0), [-15.0, 25.0, -15.0])[0]
    np.testing.assert_allclose(V[:-1], exact[1:], rtol=0, atol=1e-4)
    cell = PatchSeq(Electrode(white=0.0, corner=16.0), noise=0.0)
    ours = cell.simulate(np.array([PASSIVE]), stimulus, 40.0, np.random.default_rng(0))[0]
    # The filter of 16 kHz delays by .02 ms what rises by 40 pA / 60 pF.
    np.testing.assert_allclose(ours, exact, rtol=0, atol=0.03)


@pytest.mark.parametrize("dt", [DT, DT / 2])
def test_noise_does_not_depend_on_the_time_step(dt):
    # A leaky capacitor makes an Ornstein-Uhlenbeck process of it, of tau and sd noise sqrt(tau/2) / C.
    V = membrane(np.tile(PASSIVE, (128, 1)), (550.0,), [0.0], dt=dt, noise=10.0)[:, round(60.0 / dt) :]
    assert V.std() == pytest.approx(10.0 * math.sqrt(12.0 / 2.0) / 60.0, rel=0.06)
    assert V.mean() == pytest.approx(-72.0, abs=0.02)


def rise(name, temperature, r_SS=1.0):
    """Time at which a conductance has reached half of what it gets to under a voltage step [ms]."""
    cell = np.array(PASSIVE)
    cell[NAMES.index(name)], cell[12] = 1.0, r_SS
    epochs = (Epoch(-90.0, 10.0), Epoch(10.0, 40.0))
    ours, without = (clamped(c, epochs, temperature=temperature, series=0.01)[0, 440:] for c in (cell, PASSIVE))
    current = np.abs(ours - without)
    return np.interp(0.5 * current.max(), current[: current.argmax()], np.arange(current.argmax())) * 0.025 + 1.0


@pytest.mark.parametrize(("name", "factor"), [("g_Kv31", 2.3), ("g_L", 1.0)])
def test_ten_degrees_speed_a_current_up_as_published(name, factor):
    assert rise(name, 15.0) / rise(name, 25.0) == pytest.approx(factor, rel=0.05)


def test_r_ss_slows_the_delayed_rectifier_and_neither_kv31_nor_calcium():
    assert rise("g_Kd", 25.0, r_SS=2.0) / rise("g_Kd", 25.0, r_SS=1.0) == pytest.approx(2.0, rel=0.05)
    assert rise("g_Kv31", 25.0, r_SS=3.0) == rise("g_Kv31", 25.0, r_SS=1.0)
    assert rise("g_L", 25.0, r_SS=3.0) == rise("g_L", 25.0, r_SS=1.0)
