import numpy as np
import pytest

from estimators.carried import Carried
from estimators.features import NAMES
from estimators.yardstick import COUNTS, Yardstick

REST, COUNT = NAMES.index("rest"), NAMES.index("spike_count")
DRAWS = 300


@pytest.fixture
def yardstick(network):
    return Yardstick(network.scaling)


def make(yardstick, missed, size=0.3, positions=(0.2, 0.6, 1.0), noise=0.0):
    """Sweeps of which every draw misses the same of each feature."""
    made = np.zeros((DRAWS, len(positions), len(NAMES)))
    made[:, :, list(COUNTS)] = 3.0
    seen = yardstick.back(yardstick.along(made[0]) + missed)
    seen[:, list(COUNTS)] = 3.0
    noise = np.full(len(NAMES), noise)
    return Carried(yardstick, seen, made, np.array(positions), np.full(DRAWS, size), noise, np.random.default_rng(0))


def errors(carried, yardstick, position=0.6, features=None):
    plain = np.full((DRAWS, len(NAMES)), 5.0) if features is None else features
    moved = carried.add(plain, position)
    return yardstick.along(moved) - yardstick.along(plain)


def test_what_all_sweeps_miss_the_next_one_misses_too(yardstick):
    carried = errors(make(yardstick, 0.3), yardstick)[:, REST]
    assert carried.mean() == pytest.approx(0.3, abs=0.08)
    assert carried.std() < 0.2
    assert errors(make(yardstick, -0.3), yardstick)[:, REST].mean() == pytest.approx(-0.3, abs=0.08)


def test_of_what_no_sweep_had_the_error_is_as_large_as_the_draw_believes(yardstick):
    for size in (0.05, 0.3):
        blank = errors(make(yardstick, np.nan, size), yardstick)[:, REST]
        # Half of the draws have another size, e^0.6 up or down, and a ninth of the variance comes on top.
        assert size * 0.9 < blank.std() < size * 1.8
        assert abs(blank.mean()) < 5 * size / np.sqrt(DRAWS)


def test_an_error_is_surer_near_a_current_that_was_played_than_far_from_it(yardstick):
    carried = make(yardstick, 0.2, positions=(0.5, 0.5, 0.5))
    assert errors(carried, yardstick, 0.5)[:, REST].std() < errors(carried, yardstick, -1.0)[:, REST].std()


def test_what_two_sweeps_of_one_cell_do_not_share_is_not_carried_on(yardstick):
    noisy = errors(make(yardstick, 0.3, noise=4.0), yardstick)[:, REST]
    assert abs(noisy.mean()) < 0.1 < errors(make(yardstick, 0.3), yardstick)[:, REST].mean()


def test_a_silent_sweep_stays_silent_and_what_is_missing_missing(yardstick):
    features = np.full((DRAWS, len(NAMES)), 5.0)
    features[:, COUNT] = 0.0
    features[:, REST] = np.nan
    moved = make(yardstick, 0.5).add(features, 0.5)
    assert (moved[:, COUNT] == 0.0).all()
    assert np.isnan(moved[:, REST]).all()
    features[:, COUNT] = 1.0
    assert (make(yardstick, 0.5).add(features, 0.5)[:, COUNT] >= 1.0).all()
