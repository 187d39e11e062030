"""The electrode does to a voltage what its knobs say."""

import math

import numpy as np
import pytest
from numba import njit

from simulators.electrode import CORNERS, corner_index, filters, low_pass, read_out
from simulators.lanes import LANES
from simulators.pospischil import DT

RATE = 1 / DT
SEEDS = np.random.default_rng(8).integers(1, 2**32 - 1, LANES, dtype=np.uint32)
NOWHERE = np.full((1, LANES), 2**30, dtype=np.int32)


@njit(cache=True)
def passed(trace, coefficients, white, bridge, ends, levels, seeds):
    out = trace.copy()
    low_pass(out, len(trace), coefficients, white, bridge, ends, levels, seeds.copy())
    return out


@njit(cache=True)
def sampled(trace, knobs, period, dt, count):
    out = np.empty(count, dtype=np.float32)
    read_out(trace, knobs, period, dt, out)
    return out


def through(trace, corners, *, white=0.0, bridge=0.0, ends=NOWHERE, levels=None):
    """Pass a trace of shape (steps, LANES) through the amplifier, one corner a lane."""
    return passed(
        np.ascontiguousarray(trace, dtype=np.float32),
        np.ascontiguousarray(filters(RATE)[corner_index(np.broadcast_to(corners, LANES))].T),
        np.full(LANES, white, dtype=np.float32),
        np.full(LANES, bridge, dtype=np.float32),
        ends,
        np.zeros((1, LANES), dtype=np.float32) if levels is None else levels,
        SEEDS,
    ).astype(np.float64)


def knobs(**values):
    names = ("bridge", "offset", "corner", "white", "hum", "hum_frequency", "hum_phase", "drift")
    return np.array([values.get(name, 0.0) for name in names])


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


@pytest.mark.parametrize(("corner", "most"), [(1.0, 0.01), (2.0, 0.012), (4.0, 0.024), (10.0, 0.1)])
def test_a_step_hardly_overshoots(corner, most):
    # A Bessel filter of four poles does by .8 %; made digital at 40 kHz it does by more, the higher its corner.
    out = through(np.repeat([0.0, 1.0], 4000)[:, None] * np.ones(LANES), corner)
    assert 0.007 < out.max() - 1.0 < most


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
    assert gain[-1] < 0.35


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
    out = through(np.full((12_000, LANES), -60.0), 6.0, bridge=0.015, ends=ends, levels=levels)
    np.testing.assert_allclose(out[:4000], -60.45, rtol=0, atol=1e-3)
    np.testing.assert_allclose(out[4200:8000], -57.45, rtol=0, atol=1e-3)
    np.testing.assert_allclose(out[8200:], -60.0, rtol=0, atol=1e-3)
    # At 6 kHz it is there within .2 ms, far faster than a membrane.
    assert (out[4008] > -57.6).all()


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_the_hum_has_its_amplitude_frequency_and_phase(frequency):
    out = sampled(np.zeros(80_001), knobs(hum=0.17, hum_frequency=frequency, hum_phase=0.7), 2.0, DT, 40_000)
    time = np.arange(40_000) / 20.0
    np.testing.assert_allclose(out, 0.17 * np.sin(2 * np.pi * frequency * 1e-3 * time + 0.7), rtol=0, atol=1e-6)


def test_the_drift_has_its_slope_and_the_offset_its_height():
    out = sampled(np.zeros(80_001), knobs(drift=-0.6, offset=3.5), 2.0, DT, 40_000)
    np.testing.assert_allclose(out, 3.5 - 0.6 * np.arange(40_000) / 20_000.0, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rate", [10.0, 20.0, 25.0, 40.0, 50.0, 33.3])
def test_samples_between_steps_are_interpolated(rate):
    steps = np.arange(4001)
    out = sampled(steps * DT * 0.1, knobs(), 1.0 / (rate * DT), DT, int(100.0 * rate))
    np.testing.assert_allclose(out, np.arange(int(100.0 * rate)) / rate * 0.1, rtol=0, atol=1e-5)
