import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.shortfall import continued, incline

STEPS = np.array([-50.0, 0.0, 50.0, 100.0, 150.0])


def test_the_incline_is_that_from_the_last_silent_step_to_the_second_that_fires():
    assert incline(STEPS, np.array([0.0, 0.0, 0.0, 3.0, 5.0])) == pytest.approx(5.0 / 100.0)
    assert incline(STEPS[::-1], np.array([5.0, 3.0, 0.0, 0.0, 0.0])) == pytest.approx(5.0 / 100.0)
    assert incline(STEPS, np.array([0.0, 0.0, 0.0, 0.0, 2.0])) == pytest.approx(2.0 / 50.0)


def test_a_cell_that_never_fires_has_no_incline():
    assert incline(STEPS, np.zeros(5)) == 0.0


def test_what_fires_keeps_its_count_and_silence_in_a_depolarization_block_stays_silence():
    counts = np.array([[0.0, 0.0, 2.0, 4.0, 0.0]])
    assert continued(STEPS, counts, 0.04, np.random.default_rng(0))[0, 2:].tolist() == [2.0, 4.0, 0.0]


def test_below_the_rheobase_the_count_falls_along_the_line_under_half_a_spike():
    rows = continued(STEPS, np.tile([0.0, 0.0, 0.0, 2.0, 4.0], (500, 1)), 0.04, np.random.default_rng(0))
    assert np.allclose(np.diff(rows[:, :3], axis=1), 0.04 * 50.0)
    # The rheobase lies anywhere between 50 and 100 pA, so at 50 pA up to two spikes are missing.
    assert -1.5 <= rows[:, 2].min() < -1.4
    assert 0.4 < rows[:, 2].max() <= 0.5


def test_a_cell_that_never_fires_is_below_its_rheobase_at_every_step():
    row = continued(STEPS, np.zeros((1, 5)), 0.04, np.random.default_rng(0))[0]
    assert row[-1] == pytest.approx(0.5)
    assert (np.diff(row) > 0).all()


def test_a_model_that_fires_too_early_is_as_many_spikes_too_high_below_the_rheobase_as_above():
    currents = np.arange(0.0, 200.0, 5.0)
    early, late = (np.maximum(np.round(0.1 * (currents - rheobase)), 0.0) for rheobase in (50.0, 80.0))
    one, other = (continued(currents, counts[None], 0.1, np.random.default_rng(0))[0] for counts in (early, late))
    assert np.allclose(one - other, 3.0, atol=1.1)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.randoms())
def test_the_order_of_the_sweeps_does_not_matter(counts, random):
    currents = 10.0 * np.arange(len(counts))
    order = list(range(len(counts)))
    random.shuffle(order)
    row = np.array(counts, dtype=float)[None]
    straight = continued(currents, row, 0.05, np.random.default_rng(1))[0]
    shuffled = continued(currents[order], row[:, order], 0.05, np.random.default_rng(1))[0]
    assert np.array_equal(straight[order], shuffled)
    assert incline(currents, row[0]) == incline(currents[order], row[0, order])
