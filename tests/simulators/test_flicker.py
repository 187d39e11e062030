"""The flicker's power falls as 1/f from 1 Hz to 1 kHz, from its first sample on."""

import math

import numpy as np
import pytest
from numba import njit
from scipy import signal

from simulators.flicker import COLOURS, begin_flicker, colours, flicker, flicker_seeds
from simulators.lanes import LANES
from simulators.pospischil import DT

TABLE = colours(1 / DT)
SEEDS = np.random.default_rng(8).integers(1, 2**32 - 1, (400, LANES), dtype=np.uint32)


@njit(cache=True)
def noise(steps, table, amplitude, seeds, tile):
    out = np.zeros((1 + steps, LANES), dtype=np.float32)
    memory = np.empty((COLOURS, LANES), dtype=np.float32)
    begin_flicker(out[0], table, amplitude, memory, seeds)
    for begin in range(0, steps, tile):
        flicker(out[1 + begin :], min(tile, steps - begin), table, amplitude, memory, seeds)
    return out


def drawn(steps, amplitude=1.0, block=0, tile=256):
    return noise(steps, TABLE, np.broadcast_to(amplitude, LANES).astype(np.float64), SEEDS[block].copy(), tile)


@pytest.mark.parametrize("rate", [20.0, 40.0, 100.0])
def test_the_designed_spectrum_is_that_of_1_over_f_to_three_percent(rate):
    table = colours(rate).astype(np.float64)
    frequency = np.geomspace(1.0, 1000.0, 2000)
    back = np.exp(-2e-3j * math.pi * frequency / rate)
    power = np.abs(sum(weight / (1.0 - (1.0 - loss) * back) for loss, weight in table[:, :2])) ** 2 * 2e-3 / rate
    np.testing.assert_allclose(power * frequency * math.log(1000.0), 1.0, rtol=0.03)
    # 1 mV rms between 1 Hz and 1 kHz.
    assert np.trapezoid(power, frequency) == pytest.approx(1.0, rel=0.01)


def test_every_octave_has_the_power_asked_for():
    seconds, amplitude = 8, 0.3
    trace = drawn(round(1000 * seconds / DT), amplitude)
    frequency, power = signal.welch(trace, 1e3 / DT, nperseg=round(4000 / DT), axis=0, detrend=False)
    density = power.mean(axis=1) * frequency * math.log(1000.0) / amplitude**2
    for low in 2.0 ** np.arange(9):
        octave = (frequency >= low) & (frequency < 2 * low)
        # Each bin of each lane is worth two degrees of freedom; segments that overlap by half count as two of three.
        error = 1.0 / math.sqrt(octave.sum() * LANES * 2)
        assert density[octave].mean() == pytest.approx(1.0, abs=0.03 + 4.0 * error), f"{low} Hz"


def test_the_noise_is_stationary_from_its_first_sample():
    traces = np.concatenate([drawn(2000, block=block) for block in range(400)], axis=1)
    steady = np.sum(TABLE[:, 2:].astype(np.float64).sum(axis=0) ** 2)
    # The variance of 12,800 normal numbers is known to 1.25 %.
    assert traces[0].var() == pytest.approx(steady, rel=0.05)
    assert traces[-1].var() == pytest.approx(steady, rel=0.05)
    assert abs(traces[0].mean()) < 4.0 * math.sqrt(steady / traces.shape[1])
    # Half of the noise is slower than these 50 ms, so the end still knows the beginning.
    assert 0.1 < np.corrcoef(traces[0], traces[-1])[0, 1] < 0.9


def test_a_lane_without_flicker_stays_as_it_was_beside_others_that_have_it():
    out = drawn(1000, np.where(np.arange(LANES) % 2, 0.2, 0.0))
    assert (out[:, ::2] == 0.0).all()
    assert (out[:, 1::2].std(axis=0) > 0.01).all()


def test_the_noise_does_not_depend_on_the_tiles():
    np.testing.assert_array_equal(drawn(1000, tile=7), drawn(1000, tile=1000))


def test_noise_of_different_lanes_is_independent():
    fast = np.diff(drawn(20_000), axis=0)
    assert np.abs(np.corrcoef(fast.T)[np.triu_indices(LANES, 1)]).max() < 0.05


def test_the_third_random_state_follows_from_both_others_and_is_never_0():
    rng = np.random.default_rng(0)
    seeds, noises = rng.integers(1, 2**32 - 1, (2, 1000), dtype=np.uint32)
    third = flicker_seeds(seeds, noises)
    assert third.dtype == np.uint32
    assert (third > 0).all()
    np.testing.assert_array_equal(flicker_seeds(seeds[:7], noises[:7]), third[:7])
    assert (flicker_seeds(seeds ^ np.uint32(1), noises) != third).mean() > 0.99
    assert (flicker_seeds(seeds, noises ^ np.uint32(1)) != third).mean() > 0.99
    bits = (third[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.08
