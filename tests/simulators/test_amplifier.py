"""The amplifier does to a voltage what its knobs say."""

import math

import numpy as np
import pytest
from numba import njit
from scipy import signal

from simulators.amplifier import CORNERS, MEMORY, corner_index, filters, low_pass, remember
from simulators.digitizer import read_out
from simulators.electrode import KNOBS
from simulators.lanes import LANES
from simulators.pospischil import DT

RATE = 1 / DT
SEEDS = np.random.default_rng(8).integers(1, 2**32 - 1, LANES, dtype=np.uint32)
NOWHERE = np.full((1, LANES), 2**30, dtype=np.int32)


@njit(cache=True)
def passed(trace, coefficients, knobs, ends, levels, seeds, tile):
    out = trace.copy()
    memory = np.empty((MEMORY, LANES), dtype=np.float32)
    remember((out[0] + knobs[0] * 1e-3 * levels[0]).astype(np.float32), coefficients, memory)
    for begin in range(0, len(out), tile):
        steps = min(tile, len(out) - begin)
        low_pass(out[begin:], begin, steps, coefficients, knobs, DT, ends, levels, memory, seeds)
    return out


@njit(cache=True)
def sampled(trace, start, period, count, tile):
    """Sample a trace whose row r is the output at step r."""
    out = np.empty(count, dtype=np.float32)
    done = 0
    for begin in range(0, len(trace) - 1, tile):
        steps = min(tile, len(trace) - 1 - begin)
        # Behind its end a tile is not there: what is read beyond shows.
        tile_and_beyond = np.full((steps + 9, LANES), np.float32(np.nan))
        tile_and_beyond[: steps + 1] = trace[begin : begin + steps + 1]
        done = read_out(tile_and_beyond[: steps + 1], 0, begin, steps, start, period, done, out)
    return out[:done]


def through(trace, corners, *, ends=NOWHERE, levels=None, tile=256, **knobs):
    """Pass a trace of shape (steps, LANES) through the amplifier, one corner a lane."""
    columns = np.zeros((len(KNOBS), LANES))
    for name, value in knobs.items():
        columns[KNOBS.index(name)] = value
    return passed(
        np.ascontiguousarray(trace, dtype=np.float32),
        np.ascontiguousarray(filters(RATE)[corner_index(np.broadcast_to(corners, LANES))].T),
        columns,
        ends,
        np.zeros((1, LANES), dtype=np.float32) if levels is None else levels,
        SEEDS.copy(),
        tile,
    ).astype(np.float64)


def test_the_nearest_corner_is_three_percent_away_at_most():
    drawn = np.geomspace(1.0, 16.0, 1000)
    assert np.abs(CORNERS[corner_index(drawn)] / drawn - 1.0).max() < 0.03
    np.testing.assert_array_equal(corner_index(CORNERS), np.arange(len(CORNERS)))
    assert corner_index(np.array([0.1, 100.0])).tolist() == [0, len(CORNERS) - 1]


def test_a_constant_voltage_passes_unchanged_from_the_first_sample():
    corners = np.geomspace(1.0, 16.0, LANES)
    out = through(np.full((8000, LANES), -71.3), corners)
    np.testing.assert_allclose(out, -71.3, rtol=0, atol=1e-3)


def test_a_step_settles_at_its_full_height():
    out = through(np.repeat([-70.0, -20.0], 4000)[:, None] * np.ones(LANES), np.geomspace(1.0, 16.0, LANES))
    np.testing.assert_allclose(out[-100:], -20.0, rtol=0, atol=1e-3)


@pytest.mark.parametrize("corner", [1.0, 2.0, 4.0, 6.0, 10.0])
def test_a_step_overshoots_by_less_than_a_percent_as_it_does_in_the_analogue_filter(corner):
    out = through(np.repeat([0.0, 1.0], 4000)[:, None] * np.ones(LANES), corner)
    assert 0.002 < out.max() - 1.0 < 0.01


@pytest.mark.parametrize(("corner", "most"), [(2.0, 0.002), (4.0, 0.007), (6.0, 0.02), (10.0, 0.08)])
def test_gain_and_phase_up_to_the_corner_are_those_of_the_analogue_filter(corner, most):
    # Row t is the end of step t: that the output comes neither early nor late is part of the phase.
    designed = CORNERS[corner_index(np.array(corner))]
    frequencies = np.linspace(0.1, 1.0, LANES) * designed
    time = (np.arange(20_000) + 1) * DT
    out = through(np.sin(2 * np.pi * frequencies * time[:, None]), corner)[4000:]
    turning = np.exp(-2j * np.pi * frequencies * time[4000:, None])
    got = 2j * (out * turning).mean(axis=0)
    zeros, poles, gain = signal.bessel(4, 2 * np.pi * designed, norm="mag", analog=True, output="zpk")
    ideal = signal.freqs_zpk(zeros, poles, gain, 2 * np.pi * frequencies)[1]
    assert np.abs(got - ideal).max() < most


@pytest.mark.parametrize("tile", [1, 7, 100])
def test_the_output_does_not_depend_on_the_tiles(tile):
    trace = np.random.default_rng(2).normal(-60.0, 10.0, (500, LANES))
    whole, cut = (
        through(trace, 3.0, white=0.1, bridge=2.0, hum=0.1, hum_frequency=50.0, drift=1.0, tile=n) for n in (500, tile)
    )
    # Some units in the last place of a float32 at -100 mV.
    np.testing.assert_allclose(cut, whole, rtol=0, atol=4e-5)


@pytest.mark.parametrize("corner", [2.0, 3.0, 6.0, 10.0])
def test_a_sine_at_the_corner_is_three_decibels_down(corner):
    designed = CORNERS[corner_index(np.array(corner))]
    frequencies = np.geomspace(0.25, 2.0, LANES) * designed
    time = np.arange(20_000) * DT
    out = through(np.sin(2 * np.pi * frequencies * time[:, None]), corner)[4000:]
    gain = np.sqrt(2.0) * out.std(axis=0)
    assert np.interp(-math.sqrt(0.5), -gain, frequencies) == pytest.approx(designed, rel=0.02)
    assert np.interp(-math.sqrt(0.5), -gain, frequencies) == pytest.approx(corner, rel=0.05)
    # Four poles: far beyond the corner the amplitude falls; near nothing it is whole.
    assert gain[0] == pytest.approx(0.97, abs=0.03)
    # Twice 10 kHz is half the integration rate, where a digital filter has no room left to fall.
    assert gain[-1] < (0.35 if corner < 10.0 else 0.4)


@pytest.mark.parametrize("corner", [1.0, 2.0, 6.0, 16.0])
@pytest.mark.parametrize("white", [0.02, 0.5])
def test_the_noise_behind_the_filter_is_as_asked(corner, white):
    out = through(np.zeros((40_000, LANES)), corner, white=white)[400:]
    # 32 lanes of a second at twice the corner: 60,000 independent values at least.
    assert out.std() == pytest.approx(white, rel=0.02)
    assert abs(out.mean()) < 0.02 * white


def test_noise_of_different_lanes_is_independent():
    out = through(np.zeros((20_000, LANES)), 10.0, white=0.1)
    across = np.corrcoef(out[400:].T)[np.triu_indices(LANES, 1)]
    assert np.abs(across).max() < 0.06


def test_a_bridge_error_adds_a_step_of_current_times_resistance():
    ends = np.repeat(np.array([[4000], [8000], [2**30]], dtype=np.int32), LANES, axis=1)
    levels = np.repeat(np.array([[-30.0], [170.0], [0.0]], dtype=np.float32), LANES, axis=1)
    out = through(np.full((12_000, LANES), -60.0), 6.0, bridge=15.0, ends=ends, levels=levels)
    np.testing.assert_allclose(out[:4000], -60.45, rtol=0, atol=1e-3)
    np.testing.assert_allclose(out[4200:8000], -57.45, rtol=0, atol=1e-3)
    np.testing.assert_allclose(out[8200:], -60.0, rtol=0, atol=1e-3)
    # At 6 kHz it is there within .25 ms, far faster than a membrane.
    assert (out[4010] > -57.6).all()


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_the_hum_has_its_amplitude_frequency_and_phase(frequency):
    out = through(np.zeros((80_000, LANES)), 4.0, hum=0.17, hum_frequency=frequency, hum_phase=0.7)
    time = (np.arange(80_000) + 1) * DT
    wave = 0.17 * np.sin(2 * np.pi * frequency * 1e-3 * time + 0.7)
    np.testing.assert_allclose(out, wave[:, None] * np.ones(LANES), rtol=0, atol=1e-5)


def test_the_drift_has_its_slope_and_the_offset_its_height():
    out = through(np.zeros((80_000, LANES)), 4.0, drift=-0.6, offset=3.5)
    time = (np.arange(80_000) + 1) * DT
    np.testing.assert_allclose(out[:, 0], 3.5 - 0.6e-3 * time, rtol=0, atol=1e-5)


@pytest.mark.parametrize("tile", [64, 256, 4000])
@pytest.mark.parametrize("rate", [10.0, 20.0, 25.0, 40.0, 50.0, 33.3, 100.0])
def test_samples_between_steps_are_interpolated(rate, tile):
    steps = np.arange(4001, dtype=np.float32)[:, None]
    out = sampled(np.tile(steps * np.float32(DT), (1, LANES)), 0.0, 1.0 / (rate * DT), int(100.0 * rate), tile)
    np.testing.assert_allclose(out, np.arange(int(100.0 * rate)) / rate, rtol=0, atol=1e-4)


def test_the_first_sample_may_lie_behind_the_first_step():
    steps = np.arange(4001, dtype=np.float32)[:, None]
    out = sampled(np.tile(steps, (1, LANES)), 1001.0, 2.0, 1400, 256)
    np.testing.assert_array_equal(out, 1001.0 + 2.0 * np.arange(1400))


@pytest.mark.parametrize("start", [255.0, 256.0, 257.0, 258.0, 259.0, 260.0])
def test_the_first_sample_may_lie_close_behind_a_tile(start):
    steps = np.arange(1001, dtype=np.float32)[:, None]
    out = sampled(np.tile(steps, (1, LANES)), start, 4.0, 100, 256)
    np.testing.assert_array_equal(out, start + 4.0 * np.arange(100))
