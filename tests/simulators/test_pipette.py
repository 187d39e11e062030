"""The pipette lags by one pole at R_s C_p, and leaves what the bridge takes too early."""

import numpy as np
import pytest
from numba import njit

from simulators.lanes import LANES
from simulators.pipette import CHARGE, begin_charge, charge
from simulators.pospischil import DT

STEPS = 400
TIME = (np.arange(STEPS) + 1) * DT
SERIES = np.linspace(2.0, 25.0, LANES)
CAPACITANCE = np.linspace(0.5, 12.0, LANES)[::-1].copy()
TAU = 1e-3 * SERIES * CAPACITANCE
NOWHERE = np.full((1, LANES), 2**30, dtype=np.int32)


@njit(cache=True)
def charged(trace, start, series, capacitance, ends, levels, tile):
    out = trace.copy()
    memory = np.empty((CHARGE, LANES), dtype=np.float32)
    begin_charge(start, levels[0], memory)
    for begin in range(0, len(out), tile):
        charge(out[begin:], begin, min(tile, len(out) - begin), series, capacitance, DT, ends, levels, memory)
    return out


def through(trace, start, *, series=SERIES, capacitance=CAPACITANCE, ends=NOWHERE, levels=None, tile=256):
    levels = np.zeros((len(ends), LANES)) if levels is None else levels
    trace = np.broadcast_to(np.asarray(trace, dtype=np.float32).reshape(STEPS, -1), (STEPS, LANES))
    start = np.broadcast_to(np.asarray(start, dtype=np.float32), LANES)
    return charged(trace.copy(), start.copy(), series, capacitance, ends, levels.astype(np.float32), tile)


def a_step_of_current(size):
    ends = np.repeat(np.array([[100], [2**30]], dtype=np.int32), LANES, axis=1)
    return {"ends": ends, "levels": np.repeat([[-30.0], [size - 30.0]], LANES, axis=1)}


def test_a_constant_voltage_passes_unchanged_from_the_first_sample():
    out = through(np.full(STEPS, -71.3), -71.3, levels=np.full((1, LANES), 150.0))
    np.testing.assert_array_equal(out, np.float32(-71.3))


@pytest.mark.parametrize("tile", [1, 7, 100, 256])
def test_a_step_of_current_leaves_an_exponential_of_series_resistance_times_its_height(tile):
    out = through(np.full(STEPS, -60.0), -60.0, **a_step_of_current(200.0), tile=tile)
    np.testing.assert_array_equal(out[:100], np.float32(-60.0))
    decay = np.exp(-(TIME[100:, None] - 100 * DT) / TAU)
    np.testing.assert_allclose(out[100:], -60.0 - 0.2 * SERIES * decay, rtol=0, atol=2e-5)


def test_without_any_bridge_the_step_rises_as_the_pipette_charges():
    # A bridge error of the whole series resistance: the amplifier adds R_s I at once to what comes from the pipette.
    out = through(np.full(STEPS, -60.0), -60.0, **a_step_of_current(200.0))[100:] + 0.2 * SERIES
    rise = 0.2 * SERIES * (1.0 - np.exp(-(TIME[100:, None] - 100 * DT) / TAU))
    np.testing.assert_allclose(out, -60.0 + rise, rtol=0, atol=2e-5)


def test_a_ramp_lags_by_the_time_constant():
    out = through(-70.0 + 8.0 * TIME, -70.0)
    exact = -70.0 + 8.0 * (TIME[:, None] - TAU * (1.0 - np.exp(-TIME[:, None] / TAU)))
    np.testing.assert_allclose(out, exact, rtol=0, atol=3e-5)


@pytest.mark.parametrize("frequency", [0.5, 1.0, 2.5])
def test_a_sine_has_gain_and_phase_of_one_pole(frequency):
    out = through(np.sin(2 * np.pi * frequency * TIME), 0.0)[240:]
    got = 2j * (out * np.exp(-2j * np.pi * frequency * TIME[240:, None])).mean(axis=0)
    assert np.abs(got - 1.0 / (1.0 + 2j * np.pi * frequency * TAU)).max() < 0.014


def test_a_lane_without_capacitance_passes_bit_by_bit_beside_others_that_have_one():
    trace = np.random.default_rng(1).normal(-60.0, 20.0, (STEPS, LANES)).astype(np.float32)
    some = np.where(np.arange(LANES) % 2, CAPACITANCE, 0.0)
    out = through(trace, trace[0], capacitance=some, **a_step_of_current(300.0))
    np.testing.assert_array_equal(out[:, ::2], trace[:, ::2])
    assert (np.abs(out - trace)[:, 1::2].max(axis=0) > 0.1).all()


def test_the_output_does_not_depend_on_the_tiles():
    trace = np.random.default_rng(2).normal(-60.0, 10.0, (STEPS, LANES))
    whole, cut = (through(trace, -60.0, **a_step_of_current(100.0), tile=tile) for tile in (STEPS, 7))
    np.testing.assert_array_equal(cut, whole)
