import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.blame import blame


def drawn(right, wrong, count=20_000, seed=0):
    """Draws whose variance is `right`, and `wrong` times the mean square of the discrepancy besides."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(np.log(0.05), np.log(0.4), count))
    spread = np.sqrt(right + wrong * size**2)
    return (spread * rng.standard_normal(count))[:, None], size


@pytest.mark.parametrize(("right", "wrong"), [(1.0, 0.0), (0.2, 10.0), (0.0, 5.0), (0.5, 12.0)])
def test_the_variance_is_divided_as_it_was_made(right, wrong):
    draws, size = drawn(right, wrong)
    made = wrong * (size**2).mean()
    assert blame(draws, size)[0] == pytest.approx(made / (right + made), abs=0.06)


def test_a_place_that_moves_with_the_error_is_the_error_s():
    rng = np.random.default_rng(1)
    size = rng.uniform(0.05, 0.4, 5000)
    draws = (20.0 * size**2 + 0.01 * rng.standard_normal(5000))[:, None]
    assert blame(draws, size)[0] > 0.95


def test_few_draws_tell_nothing():
    assert np.isnan(blame(np.zeros((10, 3)), np.ones(10))).all()


@given(st.integers(0, 2**31), st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_a_share_is_between_none_and_all(seed, right, wrong):
    share = blame(*drawn(right, wrong, 60, seed))
    assert ((share >= 0.0) & (share <= 1.0)).all()
