import numpy as np
import pytest
from scipy import stats

from estimators.pareto import effective_size, fit, smooth


@pytest.mark.parametrize("k", [-0.3, 0.2, 0.5, 0.9])
def test_shape_and_scale_of_a_generalized_pareto_are_found(k):
    excess = np.sort(stats.genpareto(k, scale=2.0).rvs(20_000, random_state=0))
    shape, scale = fit(excess)
    assert shape == pytest.approx(k, abs=0.04)
    assert scale == pytest.approx(2.0, rel=0.04)


def test_the_tail_of_a_normal_under_a_narrower_one_has_the_shape_of_theory():
    # The ratio of N(0, 1) to N(0, s^2) has a tail of shape 1 - s^2.
    rng = np.random.default_rng(0)
    for s in (0.6, 0.8, 0.9):
        x = s * rng.standard_normal(200_000)
        _, k = smooth(stats.norm.logpdf(x) - stats.norm(0, s).logpdf(x))
        assert k == pytest.approx(1.0 - s**2, abs=0.17)


def test_weights_sum_to_one_and_keep_their_order():
    logs = 2.0 * np.random.default_rng(1).standard_normal(3000)
    smoothed, k = smooth(logs)
    assert np.exp(smoothed).sum() == pytest.approx(1.0)
    assert (np.diff(smoothed[np.argsort(logs)]) >= -1e-12).all()
    assert np.isfinite(k)


def test_smoothing_touches_only_the_tail():
    logs = np.random.default_rng(2).standard_normal(1000)
    smoothed, _ = smooth(logs)
    order = np.argsort(logs)
    body = order[: 1000 - 95]
    assert np.ptp((smoothed - logs)[body]) == pytest.approx(0.0, abs=1e-12)
    assert np.ptp((smoothed - logs)[order[-95:]]) > 1e-3


def test_smoothed_weights_estimate_a_mean_better_than_raw_ones():
    rng = np.random.default_rng(3)
    raw, smoothed = [], []
    for _ in range(200):
        x = 0.7 * rng.standard_normal(1000)
        logs = stats.norm.logpdf(x) - stats.norm(0, 0.7).logpdf(x)
        weights = np.exp(logs) / np.exp(logs).sum()
        raw.append(weights @ x**2)
        smoothed.append(np.exp(smooth(logs)[0]) @ x**2)
    off = lambda estimates: np.mean((np.array(estimates) - 1.0) ** 2)  # noqa: E731
    assert off(smoothed) < off(raw)


def test_even_weights_have_no_tail_and_are_worth_their_number():
    smoothed, k = smooth(np.full(50, -3.0))
    assert k == -np.inf
    assert effective_size(smoothed) == pytest.approx(50.0)


def test_one_weight_that_has_it_all_is_no_tail_that_could_be_fitted():
    logs = np.full(1000, -np.inf)
    logs[7] = 0.0
    smoothed, k = smooth(logs)
    assert k == np.inf
    assert effective_size(smoothed) == pytest.approx(1.0)


def test_the_shape_is_drawn_to_a_half_as_by_ten_more_values():
    logs = np.random.default_rng(5).standard_normal(1000)
    _, k = smooth(logs)
    weights = np.sort(np.exp(logs - logs.max()))
    tail = weights[-95:] - weights[-96]
    assert k == pytest.approx((fit(tail)[0] * 95 + 5.0) / 105)
