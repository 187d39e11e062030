import numpy as np
import pytest

from estimators.context import Context
from estimators.thinning import THIN_RATE, thinned

STEP = Context(50.0, 0.0, 1.0, 200.0, 100.0, 50.0, 20.0)
LENGTH = 7000


def thin(samples, *contexts):
    counts = np.full(len(samples), LENGTH)
    return thinned(np.asarray(samples, dtype=np.float32), counts, np.stack([each.row() for each in contexts]))


def test_a_constant_stays_one_and_as_long_as_the_sweep():
    out = thin(np.full((1, LENGTH), -65.0), STEP)
    assert out.shape == (1, round(350.0 * THIN_RATE))
    assert out == pytest.approx(-65.0)


def test_slow_changes_are_where_they_were():
    time = np.arange(LENGTH) / 20.0
    out = thin([10.0 * np.sin(2 * np.pi * time / 50.0)], STEP)[0]
    # A mean of five outputs from the first on stands for the middle one, 0.1 ms after the first.
    there = np.arange(len(out)) / THIN_RATE + 0.1
    np.testing.assert_allclose(out[2:-2], 10.0 * np.sin(2 * np.pi * there / 50.0)[2:-2], atol=0.01)


def test_what_lies_behind_a_sweeps_end_is_missing():
    short = Context(50.0, 0.0, 1.0, 100.0, 100.0, 50.0, 20.0)
    out = thin(np.zeros((2, LENGTH)), STEP, short)
    assert np.isfinite(out).sum(axis=1).tolist() == [1400, 1000]
    assert np.isnan(out[1, 1000:]).all()


@pytest.mark.parametrize("wrong", [150.5, -151.0, np.nan, np.inf])
def test_a_sweep_that_is_no_membranes_has_no_trace(wrong):
    samples = np.zeros((2, LENGTH))
    samples[0, 3000] = wrong
    out = thin(samples, STEP, STEP)
    assert np.isnan(out[0]).all()
    assert np.isfinite(out[1]).all()


def test_rates_are_thinned_alike():
    time = np.arange(14000) / 40.0
    slow = thin([np.sin(2 * np.pi * time[::2] / 50.0)], STEP)
    row = Context(50.0, 0.0, 1.0, 200.0, 100.0, 50.0, 40.0).row()
    fast = thinned(np.sin(2 * np.pi * time / 50.0).astype(np.float32)[None], np.array([14000]), row[None])
    np.testing.assert_allclose(slow, fast, atol=2e-3)
