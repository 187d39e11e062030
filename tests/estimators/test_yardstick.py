import numpy as np
import pytest
import torch

from estimators.features import NAMES
from estimators.scaling import Scaling
from estimators.yardstick import COUNTS, Yardstick


@pytest.fixture
def yardstick(sets):
    scaling = Scaling()
    scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return Yardstick(scaling)


def test_back_is_the_inverse_of_along_and_what_is_missing_stays_so(yardstick, sets):
    features = sets.features.astype(float)
    features[:, list(COUNTS)] = np.abs(np.round(features[:, list(COUNTS)]))
    back = yardstick.back(yardstick.along(features))
    assert np.array_equal(np.isnan(back), np.isnan(features))
    np.testing.assert_allclose(back, features, rtol=1e-9, atol=1e-9)


def test_a_spike_more_is_as_much_at_three_as_at_ten_and_less_at_a_hundred(yardstick):
    features = np.zeros((6, len(NAMES)))
    features[:, COUNTS[0]] = (3, 4, 10, 11, 100, 101)
    measured = yardstick.along(features)[:, COUNTS[0]]
    few, some, many = np.diff(measured)[::2]
    assert some > 0.75 * few
    assert many < 0.3 * few


def test_counts_come_back_whole_and_not_negative(yardstick):
    measured = np.zeros((3, len(NAMES)))
    measured[:, COUNTS[0]] = (-1.0, 0.6, 1.3)
    assert set(yardstick.back(measured)[:, COUNTS[0]]) <= {0.0, 3.0, 4.0, 8.0, 9.0}
    assert yardstick.back(measured)[0, COUNTS[0]] == 0.0
