"""One rate and one bandwidth for every recording."""

import math

import numpy as np
import pytest

from estimators.conditioning import BANDWIDTH, RATE, condition, weights

RATES = (10.0, 20.0, 25.0, 40.0, 50.0)


def conditioned(samples, rate):
    samples = np.asarray(samples, dtype=np.float32)
    out = np.empty(round(len(samples) / rate * RATE))
    done = condition(samples, len(samples), True, rate, weights(rate), out, 0)
    return out[:done]


@pytest.mark.parametrize("rate", RATES)
def test_a_constant_stays_to_its_very_ends(rate):
    out = conditioned(np.full(round(100 * rate), -68.4), rate)
    assert len(out) == 2000
    np.testing.assert_allclose(out, np.float32(-68.4), rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", RATES)
def test_nothing_is_delayed(rate):
    ramp = np.arange(round(100 * rate)) / rate
    out = conditioned(ramp, rate)
    np.testing.assert_allclose(out[10:-10], np.arange(2000)[10:-10] / RATE, rtol=0, atol=5e-4)


@pytest.mark.parametrize("rate", RATES)
def test_a_sine_at_the_bandwidth_is_three_decibels_down(rate):
    time = np.arange(round(500 * rate)) / rate
    gains = [math.sqrt(2.0) * conditioned(np.sin(2 * np.pi * f * time), rate)[10:-10].std() for f in (0.1, BANDWIDTH)]
    assert gains[0] == pytest.approx(1.0, abs=0.002)
    assert gains[1] == pytest.approx(math.sqrt(0.5), rel=0.01)


@pytest.mark.parametrize("frequency", [1.0, 2.0, 3.0])
def test_at_10_khz_outputs_on_a_sample_and_between_two_have_the_same_gain(frequency):
    time = np.arange(5000) / 10.0
    out = conditioned(np.sin(2 * np.pi * frequency * time + 0.3), 10.0)[10:-10]
    goal = 2.0 ** (-0.5 * (frequency / BANDWIDTH) ** 2)
    for half in (out[0::2], out[1::2]):
        assert math.sqrt(2.0) * half.std() == pytest.approx(goal, abs=0.012)


@pytest.mark.parametrize("rate", RATES)
def test_outputs_wait_for_all_their_neighbours(rate):
    rng = np.random.default_rng(0)
    samples = rng.normal(0.0, 1.0, round(50 * rate)).astype(np.float32)
    whole = conditioned(samples, rate)
    out = np.full(len(whole), np.nan)
    done = 0
    for available in range(len(samples)):
        done = condition(samples, available, False, rate, weights(rate), out, done)
        np.testing.assert_array_equal(out[:done], whole[:done])
        # And no longer than that.
        assert done >= (available / rate - (0.15 if rate >= RATE else 0.25) - 3.0 / rate) * RATE
