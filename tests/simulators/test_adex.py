"""The eight firing patterns are what their names say, and spikes come when the equations say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numba import njit

from simulators.adex import AdEx
from simulators.adex_membrane import DT
from simulators.electrode import IDEAL
from simulators.stimulus import Dose, Epoch, Stimulus

# Naud et al. (2008), table 1: C [pF], g_leak [nS], E_leak [mV], a [nS], tau_w [ms], b [pA], V_r [mV], and the step
# [pA]; V_T is -50 mV and Delta_T 2 mV in all.
PUBLISHED = {
    "tonic": (200.0, 10.0, -70.0, 2.0, 30.0, 0.0, -58.0, 500.0),
    "adapting": (200.0, 12.0, -70.0, 2.0, 300.0, 60.0, -58.0, 500.0),
    "initial burst": (130.0, 18.0, -58.0, 4.0, 150.0, 120.0, -50.0, 400.0),
    "regular bursting": (200.0, 10.0, -58.0, 2.0, 120.0, 100.0, -46.0, 210.0),
    "delayed accelerating": (200.0, 12.0, -70.0, -10.0, 300.0, 0.0, -58.0, 300.0),
    "delayed regular bursting": (100.0, 10.0, -65.0, -10.0, 90.0, 30.0, -47.0, 110.0),
    "transient": (100.0, 10.0, -65.0, 10.0, 90.0, 100.0, -47.0, 180.0),
    "irregular": (100.0, 12.0, -60.0, -11.0, 130.0, 30.0, -48.0, 160.0),
}
ONSET, DURATION = 50.0, 1000.0
RATE = 1.0 / DT


def theta(name, noise=0.0):
    C, g_leak, E_leak, a, tau_w, b, V_r, _ = PUBLISHED[name]
    return [C, g_leak, E_leak, -50.0, 2.0, a / g_leak, tau_w, b, V_r, noise]


def answer(cells, *epochs, rate=RATE, seed=0):
    stimulus = Stimulus("current", tuple(Epoch(*epoch) for epoch in epochs))
    return AdEx().simulate(np.atleast_2d(cells), stimulus, rate, np.random.default_rng(seed))


def spikes(name):
    """Times from the onset of the published step [ms]."""
    V = answer(theta(name), (0.0, ONSET), (PUBLISHED[name][-1], DURATION), (0.0, 50.0))[0]
    times = np.flatnonzero(V == 0.0) / RATE - ONSET
    return times[times < DURATION]


@njit(cache=True)
def move(V, w, cell, current, dt):
    """Move V and w by the equations between resets, to fourth order."""
    C, g, E, V_T, Delta_T, a, tau = cell[:7]
    slopes, weights = np.empty((4, 2)), np.array([0.0, 0.5, 0.5, 1.0])
    for k in range(4):
        # A stage may overshoot the peak, where the spike current has no bounds.
        x = min(V + weights[k] * dt * slopes[k - 1, 0] if k else V, 0.0)
        y = w + weights[k] * dt * slopes[k - 1, 1] if k else w
        slopes[k, 0] = (g * (E - x) + g * Delta_T * math.exp((x - V_T) / Delta_T) - y + current) / C
        slopes[k, 1] = (a * (x - E) - y) / tau
    V += dt / 6.0 * (slopes[0, 0] + 2.0 * slopes[1, 0] + 2.0 * slopes[2, 0] + slopes[3, 0])
    w += dt / 6.0 * (slopes[0, 1] + 2.0 * slopes[1, 1] + 2.0 * slopes[2, 1] + slopes[3, 1])
    return V, w


@njit(cache=True)
def reference(cell, V, current, onset, duration, dt):
    """Spikes of the published equations in float64, from their onset [ms].

    So shortly before a peak its time is that of the spike current alone, in whose exp(-V/Delta_T) time is linear. A
    cell restarts there, for what is left of the step.
    """
    C, g, E, V_T, Delta_T, a, _, b, V_r = cell
    w = a * (V - E)
    times = np.empty(100_000)
    count = 0
    for t in range(round((onset + duration) / dt)):
        I = current if t >= round(onset / dt) else 0.0  # noqa: E741
        left = dt
        while left > 0.0:
            ahead, adapted = move(V, w, cell, I, left)
            if ahead < 0.0:
                V, w = ahead, adapted
                break
            need = (math.exp((V_T - V) / Delta_T) - math.exp(V_T / Delta_T)) * C / g
            left -= min(max(need, 0.0), left)
            times[count] = (t + 1) * dt - left - onset
            count += 1
            V, w = V_r, w + b
    return times[:count]


def rest(name):
    """The published cell's lower fixed point without a current; its leak's reversal where a cancels the leak."""
    _, g, E, a, *_ = PUBLISHED[name]
    if a <= -g:
        return E
    low, high = E, -50.0 + 2.0 * math.log((g + a) / g)
    for _ in range(60):
        V = 0.5 * (low + high)
        low, high = (V, high) if (g + a) * (E - V) + 2.0 * g * math.exp((V + 50.0) / 2.0) > 0.0 else (low, V)
    return low


@pytest.mark.parametrize("name", PUBLISHED)
def test_spikes_come_when_the_equations_say(name):
    C, g, E, a, tau, b, V_r, current = PUBLISHED[name]
    cell = np.array([C, g, E, -50.0, 2.0, a, tau, b, V_r])
    exact = reference(cell, rest(name), current, ONSET, DURATION, 0.001)
    ours = spikes(name)
    assert len(ours) == len(exact)
    early = exact <= 500.0
    # A sample lies up to a step behind its spike.
    np.testing.assert_allclose(ours[early], exact[early], rtol=0, atol=0.06)
    np.testing.assert_allclose(ours, exact, rtol=0, atol=0.12)


@pytest.mark.long
def test_97_in_100_drawn_cells_below_400_hz_spike_within_a_third_of_a_millisecond():
    # Of 256 cells 206 spike below 400 Hz, and 201 of these are within 0.35 ms; of all 250 that spike 86 % are, for the
    # errors of a thousand spikes add up.
    rng = np.random.default_rng(3)
    u = rng.standard_normal((256, 10))
    cells = np.stack([parameter.constrain(u[:, k]) for k, parameter in enumerate(AdEx.parameters)], axis=1)
    cells[:, 9] = 0.0
    rheobase = cells[:, 1] * (cells[:, 3] - cells[:, 2]) * (1.0 + np.maximum(cells[:, 5], 0.0))
    apart, often = [], []
    for cell, current in zip(cells, rng.uniform(0.8, 2.5, 256) * rheobase, strict=True):
        V = answer(cell, (0.0, ONSET), (current, 500.0))[0]
        times = np.flatnonzero(V == 0.0) / RATE - ONSET
        nanosiemens = np.where(np.arange(9) == 5, cell[1], 1.0)
        exact = reference(cell[:9] * nanosiemens, V[0], current, ONSET, 500.0, 0.001)
        if len(exact):
            both = min(len(times), len(exact))
            lost = max(len(times), len(exact)) - both > 1
            apart.append(np.nan if lost else np.abs(times[:both] - exact[:both]).max(initial=0.0))
            often.append(len(exact) >= 200)
    apart, often = np.array(apart), np.array(often)
    assert (~often).sum() > 190
    assert np.mean(apart[~often] < 0.35) >= 0.97
    assert np.mean(apart < 0.35) >= 0.85


@pytest.mark.parametrize("name", PUBLISHED)
def test_cells_rest_where_the_equations_say(name):
    V = answer(theta(name), (0.0, 100.0), (0.0, 100.0))[0]
    np.testing.assert_allclose(V, rest(name), rtol=0, atol=0.02)


def test_tonic_spikes_keep_their_interval():
    intervals = np.diff(spikes("tonic"))
    assert len(intervals) > 50
    assert intervals.max() < 1.1 * intervals.min()
    assert np.ptp(intervals[10:]) < 0.01 * intervals.mean()


def test_adapting_intervals_grow_to_a_limit():
    intervals = np.diff(spikes("adapting"))
    assert intervals[-1] > 5.0 * intervals[0]
    assert (np.diff(intervals) > -0.06).all()
    assert abs(intervals[-1] - intervals[-2]) < 0.01 * intervals[-1]


def test_an_initial_burst_is_followed_by_equal_intervals():
    intervals = np.diff(spikes("initial burst"))
    assert (intervals[:2] < 10.0).all()
    assert intervals[2:].min() > 5.0 * intervals[:2].max()
    assert np.ptp(intervals[3:]) < 0.01 * intervals[3]


def test_regular_bursts_are_alike_and_equally_far_apart():
    intervals = np.diff(spikes("regular bursting"))
    within, between = intervals[intervals < 10.0], intervals[intervals > 100.0]
    assert len(within) + len(between) == len(intervals)
    # Pairs, again and again.
    assert (intervals[1::2] < 10.0).all() or (intervals[0::2][1:] < 10.0).all()
    assert np.ptp(between) < 0.02 * between.mean()
    assert np.ptp(within[2:]) < 0.02 * within.mean()


def test_delayed_accelerating_spikes_wait_and_then_hurry():
    times = spikes("delayed accelerating")
    intervals = np.diff(times)
    assert times[0] > 1.5 * intervals[0]
    assert intervals[-1] < 0.7 * intervals[0]
    assert (np.diff(intervals) < 0.06).all()


def test_delayed_regular_bursting_starts_late_and_repeats():
    times = spikes("delayed regular bursting")
    intervals = np.diff(times)
    between = intervals[intervals > 50.0]
    assert times[0] > 5.0 * np.median(intervals)
    assert (intervals[0:3] < 10.0).all()
    np.testing.assert_array_equal(np.flatnonzero(intervals > 50.0), np.arange(3, len(intervals), 4))
    assert np.ptp(between) < 0.02 * between.mean()


def test_a_transient_cell_spikes_at_the_onset_only():
    times = spikes("transient")
    assert len(times) == 1
    assert times[0] < 50.0


def repeats(intervals, most=8):
    """Whether the intervals have a period of at most so many of them, to 2 %."""
    return any(np.allclose(intervals[k:], intervals[:-k], rtol=0.02, atol=0.06) for k in range(1, most + 1))


def test_irregular_intervals_never_repeat_and_all_others_do():
    irregular = np.diff(spikes("irregular"))
    assert len(irregular) > 40
    assert irregular.std() > 0.5 * irregular.mean()
    assert not repeats(irregular[-25:])
    for name in set(PUBLISHED) - {"transient", "irregular"}:
        intervals = np.diff(spikes(name))
        assert repeats(intervals[len(intervals) // 2 :], most=4), name


@pytest.mark.parametrize("rate", [5.0, 10.0, 33.3, 40.0, 50.0, 200.0])
def test_every_spike_has_one_sample_of_its_peak_at_any_rate(rate):
    exact = spikes("initial burst")
    name = "initial burst"
    V = answer(theta(name), (0.0, ONSET), (PUBLISHED[name][-1], DURATION), (0.0, 50.0), rate=rate)[0]
    times = np.flatnonzero(V == 0.0) / rate - ONSET
    assert V.max() == 0.0
    assert len(times) == len(exact)
    assert (times - exact > -1e-9).all()
    assert (times - exact < 1.0 / rate + 1e-9).all()


def test_a_spike_leaves_the_cell_at_its_reset():
    V = answer(theta("tonic"), (0.0, ONSET), (500.0, 200.0))[0]
    after = V[np.flatnonzero(V == 0.0) + 1]
    # Between one step and two have passed, at (g_leak (E_leak - V_r) + I) / C = 1.9 mV/ms less the adaptation's .1.
    assert (after > -58.0 + 1.7 * DT).all()
    assert (after < -58.0 + 1.9 * 2 * DT).all()


def test_noise_has_the_variance_of_its_time():
    # A leaky capacitor makes an Ornstein-Uhlenbeck process of it, of C/g_leak and sd noise sqrt(C/g_leak/2)/C.
    cells = np.tile([100.0, 10.0, -70.0, -30.0, 0.5, 0.0, 100.0, 0.0, -58.0, 10.0], (128, 1))
    V = answer(cells, (0.0, 50.0), (0.0, 450.0))
    # 128 lanes of 500 ms hold some 3200 independent values: 1.3 % on the sd.
    assert V.std() == pytest.approx(10.0 * math.sqrt(10.0 / 2.0) / 100.0, rel=0.05)
    assert V.mean() == pytest.approx(-70.0, abs=0.02)
    lag, x = round(10.0 * RATE), V + 70.0
    assert np.mean(x[:, :-lag] * x[:, lag:]) / np.mean(x * x) == pytest.approx(math.exp(-1.0), abs=0.07)


def test_the_spike_current_is_gone_where_it_should_be_and_the_leak_is_exact():
    cell = [100.0, 10.0, -70.0, -30.0, 0.5, 0.0, 100.0, 0.0, -58.0, 0.0]
    V = answer(cell, (0.0, 20.0), (150.0, 100.0))[0, 800:]
    exact = -70.0 + 15.0 * -np.expm1(-np.arange(4000) * DT / 10.0)
    np.testing.assert_allclose(V, exact, rtol=0, atol=2e-5)


def test_a_slow_adaptation_reaches_its_end():
    # It gains 2.5e-5 of what is left in a step, half a digit of a float32 from .2 % on.
    cell = [100.0, 10.0, -70.0, -30.0, 0.5, 2.0, 1000.0, 0.0, -58.0, 0.0]
    V = answer(cell, (0.0, 20.0), (300.0, 15_000.0))[0]
    assert V[-1] == pytest.approx(-60.0, abs=2e-4)


def test_a_dose_on_the_leak_leaves_the_adaptation_as_it_was():
    cell = [100.0, 10.0, -70.0, -30.0, 0.5, 0.5, 20.0, 0.0, -58.0, 0.0]
    V = answer(cell, (0.0, 20.0), (50.0, 400.0), (50.0, 400.0, (Dose("g_leak", 0.5),)), (50.0, 400.0))[0]
    ends = V[np.rint(np.array([19.0, 419.0, 819.0, 1219.0]) * RATE).astype(int)]
    np.testing.assert_allclose(ends, [-70.0, -70.0 + 50.0 / 15.0, -65.0, -70.0 + 50.0 / 15.0], rtol=0, atol=1e-3)


def test_a_reset_above_every_threshold_spikes_at_each_step_and_stays_finite():
    cell = [20.0, 100.0, -60.0, -55.0, 0.5, 0.0, 5.0, 0.0, -40.0, 0.0]
    V = answer(cell, (0.0, 10.0), (2000.0, 20.0))[0]
    assert np.isfinite(V).all()
    assert (V[-400:] == 0.0).mean() > 0.9


def test_without_a_low_pass_no_peak_is_missed_and_each_has_the_noise_of_its_time():
    epochs = ((0.0, ONSET), (PUBLISHED["tonic"][-1], 300.0))
    stimulus = Stimulus("current", tuple(Epoch(*epoch) for epoch in epochs))
    clean, noisy, passed = (
        AdEx(electrode).simulate(np.array([theta("tonic")]), stimulus, 10.0, np.random.default_rng(0))[0]
        for electrode in (IDEAL, replace(IDEAL, white=0.3), replace(IDEAL, corner=6.0))
    )
    peaks = clean == 0.0
    assert peaks.sum() >= 10
    assert 0.1 < noisy[peaks].std() < 0.6
    assert (np.abs(noisy[peaks]) < 2.0).all()
    # What a filter of 6 kHz leaves of 0.025 ms.
    assert passed.max() < -10.0
    assert passed.max() > clean[~peaks].max() - 5.0
