"""Spikes of known shape are found where and as they are, and nothing else is."""

import numpy as np
import pytest
from scipy.optimize import brentq

from estimators.conditioning import RATE
from estimators.spikes import COLUMNS, find

HEIGHT, SIGMA, REST = 100.0, 0.45, -62.0
TIME = np.arange(round(400 * RATE)) / RATE


def spike(time, at, height=HEIGHT, sigma=SIGMA):
    """A Gaussian of some height, with a shallow dip behind it."""
    return height * np.exp(-0.5 * ((time - at) / sigma) ** 2) - 8.0 * np.exp(-0.5 * ((time - at - 6.0) / 1.5) ** 2)


def train(times, **shape):
    return REST + sum(spike(TIME, at, **shape) for at in times)


def found(y, end=None):
    table = find(np.asarray(y, dtype=np.float64), len(y), len(y) if end is None else end)
    return {name: table[:, k] for k, name in enumerate(COLUMNS)}


def slope(t):
    return -HEIGHT * t / SIGMA**2 * np.exp(-0.5 * (t / SIGMA) ** 2)


def test_a_spike_has_the_threshold_peak_and_width_of_its_formula():
    for shift in (0.0, 0.013, 0.031):
        spikes = found(train([100.0 + shift]))
        start = brentq(lambda t: slope(t) - 10.0, -5 * SIGMA, -2 * SIGMA)
        threshold = REST + HEIGHT * np.exp(-0.5 * (start / SIGMA) ** 2)
        half = 0.5 * (threshold + REST + HEIGHT)
        width = 2 * SIGMA * np.sqrt(-2 * np.log((half - REST) / HEIGHT))
        steep = HEIGHT / SIGMA * np.exp(-0.5)
        assert len(spikes["time"]) == 1
        assert spikes["time"][0] == pytest.approx(100.0 + shift + start, abs=0.01)
        assert spikes["threshold"][0] == pytest.approx(threshold, abs=0.1)
        assert spikes["peak"][0] == pytest.approx(REST + HEIGHT, abs=0.2)
        assert spikes["peak_time"][0] == pytest.approx(100.0 + shift, abs=0.03)
        assert spikes["half_width"][0] == pytest.approx(width, abs=0.005)
        assert spikes["upstroke"][0] == pytest.approx(steep, rel=0.01)
        assert spikes["downstroke"][0] == pytest.approx(-steep, rel=0.01)
        assert spikes["trough"][0] == pytest.approx(REST - 8.0, abs=0.01)
        assert spikes["trough_delay"][0] == pytest.approx(6.0, abs=0.06)


def test_a_triangle_has_the_width_of_a_triangle():
    # Up 90 mV in .5 ms and down in 1 ms: its threshold is its foot, and half-way up it is .75 ms wide.
    y = np.interp(TIME, [0, 50, 50.5, 51.5, 400], [-60, -60, 30, -60, -60])
    spikes = found(y)
    assert spikes["half_width"] == pytest.approx([0.75], abs=1e-9)
    assert spikes["threshold"] == pytest.approx([-60.0], abs=1e-9)
    assert spikes["upstroke"] == pytest.approx([180.0], abs=1e-9)
    assert spikes["downstroke"] == pytest.approx([-90.0], abs=1e-9)
    assert spikes["time"] == pytest.approx([50.0], abs=0.05)


def test_every_spike_of_a_train_is_found_once():
    times = 20.0 + np.cumsum(np.random.default_rng(0).uniform(2.6, 15.0, 38))
    spikes = found(train(times))
    np.testing.assert_allclose(spikes["peak_time"], times, rtol=0, atol=0.026)


def test_the_trough_is_sought_before_the_next_spike_and_60_ms_at_most():
    y = train([50.0, 80.0])
    y[round(70 * RATE)] = -77.0
    y[round(139 * RATE)] = -78.0
    y[round(141 * RATE)] = -90.0
    spikes = found(y)
    assert spikes["trough"] == pytest.approx([-77.0, -78.0])
    assert spikes["trough_delay"] == pytest.approx([20.0, 59.0], abs=0.06)


def test_the_trough_of_a_spike_in_the_step_is_sought_in_the_step():
    y = train([50.0])
    y[round(90 * RATE)] = -95.0
    assert found(y)["trough"] == pytest.approx([-95.0])
    assert found(y, end=round(85 * RATE))["trough"] == pytest.approx([REST - 8.0], abs=0.01)


def test_a_shape_that_the_end_cuts_off_is_missing():
    y = train([100.0])
    after_fall, in_trough = round(100.9 * RATE), round(101.5 * RATE)
    spikes = found(y[:after_fall])
    assert len(spikes["time"]) == 1
    assert np.isnan([spikes["trough"][0], spikes["trough_delay"][0]]).all()
    assert np.isnan(found(y[:in_trough])["trough"]).all()
    assert np.isfinite(spikes["threshold"]).all()


def test_a_spike_that_has_not_fallen_yet_is_none():
    y = train([100.0])
    assert len(found(y[: round(100.15 * RATE)])["time"]) == 0


@pytest.mark.parametrize("height", [30.0, 50.0, 82.0])
def test_the_jump_of_an_unbalanced_bridge_is_no_spike(height):
    onset = np.interp(TIME, [0, 100, 100.1, 400], [0, 0, 1, 1])
    charging = np.where(TIME > 100, 1 - np.exp(-np.maximum(TIME - 100, 0) / 15.0), 0.0)
    assert len(found(REST + height * onset + 12.0 * charging)["time"]) == 0
    # Nor is its return, where that is later than a spike would last.
    assert len(found(REST + height * (onset - np.interp(TIME, [0, 300, 300.1, 400], [0, 0, 1, 1])))["time"]) == 0


@pytest.mark.parametrize("level", [-25.0, -20.0, -10.0, 0.0])
def test_a_noisy_plateau_is_no_spike(level):
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 2.0, (50, len(TIME)))
    assert sum(len(found(level + row)["time"]) for row in noise) == 0


def test_the_charging_of_a_fast_membrane_is_no_spike():
    y = REST + 70.0 * (1 - np.exp(-np.maximum(TIME - 100, 0) / 2.0))
    y[round(300 * RATE) :] = REST
    assert len(found(y)["time"]) == 0


@pytest.mark.parametrize(
    ("height", "sigma", "counted"),
    [(44.0, 0.45, True), (40.0, 0.45, False), (60.0, 0.45, True), (60.0, 3.0, True), (60.0, 4.5, False)],
    ids=["-18 mV", "-22 mV", "-2 mV", "12 mV/ms", "8 mV/ms"],
)
def test_a_spike_reaches_minus_20_mv_and_rises_by_10_mv_per_ms(height, sigma, counted):
    y = REST + height * np.exp(-0.5 * ((TIME - 100.0) / sigma) ** 2)
    assert len(found(y)["time"]) == counted


@pytest.mark.parametrize(("height", "counted"), [(14.0, False), (18.0, True)])
def test_a_spike_is_15_mv_high(height, counted):
    y = -30.0 + height * np.exp(-0.5 * ((TIME - 100.0) / 0.4) ** 2)
    assert len(found(y)["time"]) == counted


@pytest.mark.parametrize(("fall", "counted"), [(8.0, False), (12.0, True)])
def test_a_spike_falls_by_10_mv_within_10_ms(fall, counted):
    y = np.interp(TIME, [0, 100, 100.5, 102, 400], [REST, REST, 20.0, 20.0 - fall, 20.0 - fall])
    assert len(found(y)["time"]) == counted


@pytest.mark.parametrize("wrong", [np.nan, -np.inf])
def test_a_missing_sample_is_no_spike_and_ends_the_search_nowhere(wrong):
    y = train([50.0, 150.0])
    y[round(100 * RATE)] = wrong
    assert found(y)["peak_time"] == pytest.approx([50.0, 150.0], abs=0.026)


def test_noise_moves_no_count():
    rng = np.random.default_rng(2)
    times = np.arange(30.0, 380.0, 18.0)
    for _ in range(20):
        y = train(times) + rng.normal(0.0, 0.3, len(TIME))
        assert len(found(y)["time"]) == len(times)
