"""The seven statistics taken while sweeps run, against those of whole traces and against what was published."""

import numpy as np
import pytest
from scipy import stats

from simulators.compiled import threads
from simulators.moments import NAMES, summarize
from simulators.pospischil import DT

# Goncalves et al. (2020), eLife 9:e56261: theta*, and mean and sd of the statistics over 100 noise seeds.
CELL = (100.0, 0.1, 50.0, 5.0, 0.07, 600.0, -60.0, -70.0, 1.0, 0.1)
LEVELS = (0.0, 100.0 * 5e-4 / (np.pi * 70e-4**2), 0.0)
DURATIONS = (10.0, 100.0, 10.0)
REVERSALS = (53.0, -107.0)
MEAN = np.array([5, -70.265, 0.0350, -56.448, 375.15, 3.7038, 18.326])
DEVIATION = np.array([0, 0.146, 0.0136, 0.040, 0.416, 0.0039, 0.0219])


def batch(cells, seed=0, levels=LEVELS, durations=DURATIONS):
    b = len(cells)
    return summarize(
        np.asarray(cells), np.tile(REVERSALS, (b, 1)), durations, np.tile(levels, (b, 1)), np.random.default_rng(seed)
    )


def of_traces(traces):
    """The same of whole traces whose sample t is the voltage after t + 1 steps."""
    time = (np.arange(traces.shape[1]) + 1) * DT
    during = traces[:, (time > 10) & (time <= 110)]
    return np.stack(
        [
            np.sum((during[:, :-1] < -10) & (during[:, 1:] >= -10), axis=1),
            traces[:, time <= 10].mean(axis=1),
            traces[:, (time > 9) & (time <= 10)].std(axis=1),
            during.mean(axis=1),
            during.var(axis=1),
            stats.skew(during, axis=1),
            stats.kurtosis(during, axis=1, fisher=False),
        ],
        axis=1,
    )


def test_they_are_those_of_the_whole_traces(membrane, resting_state):
    cells = np.tile(CELL, (70, 1))
    cells[:, 2], cells[:, 6] = np.linspace(5.0, 80.0, 70), np.linspace(-80.0, -50.0, 70)
    seeds = np.random.default_rng(3).integers(1, 2**32 - 1, 70, dtype=np.uint32)
    start = np.array([resting_state(-70.0, V_T) for V_T in cells[:, 6]])
    traces = membrane(cells, DURATIONS, LEVELS, dt=DT, reversals=REVERSALS, seeds=seeds, start=start)
    ours, theirs = batch(cells, seed=3), of_traces(traces)
    assert len(np.unique(theirs[:, 0])) > 3
    np.testing.assert_array_equal(ours[:, 0], theirs[:, 0])
    # The traces begin at gates in float64, ours at gates in float32: a spike may move by a thousandth of a step.
    np.testing.assert_allclose(ours[:, 1:], theirs[:, 1:], rtol=2e-3)


def test_the_published_statistics_come_out_at_the_published_parameters():
    ours = batch(np.tile(CELL, (320, 1)))
    assert (ours[:, 0] == 5).all()
    # Three standard errors of the difference of two means, over 100 and 320 seeds.
    np.testing.assert_array_less(np.abs(ours.mean(axis=0) - MEAN)[1:], 0.34 * DEVIATION[1:])


def test_a_cell_has_the_same_for_any_neighbours_and_any_number_of_threads():
    cells = np.tile(CELL, (100, 1))
    cells[:, 3] = np.linspace(2.0, 15.0, 100)
    with threads(1):
        alone = batch(cells[:37])
    np.testing.assert_array_equal(batch(cells)[:37], alone)
    turned = np.concatenate([cells[:1], cells[:0:-1]])
    np.testing.assert_array_equal(batch(turned)[0], alone[0])


def test_a_cell_that_blows_up_has_none_and_its_neighbours_keep_theirs():
    cells = np.tile(CELL, (3, 1))
    good = batch(cells)
    cells[1, 1] = np.nan
    ours = batch(cells)
    assert np.isnan(ours[1]).all()
    np.testing.assert_array_equal(ours[[0, 2]], good[[0, 2]])


def test_a_voltage_that_never_moves_has_a_mean_and_no_shape():
    still = np.array([[100.0, 0.1, 0.0, 0.0, 0.0, 600.0, -60.0, -70.0, 1.0, 0.0]])
    values = dict(zip(NAMES, batch(still, levels=(0.0, 0.0, 0.0))[0], strict=True))
    assert values["mean"] == values["rest"] == pytest.approx(-70.0, abs=1e-3)
    assert values["spike_count"] == 0
    assert values["variance"] == pytest.approx(0.0, abs=1e-6)
