import numpy as np
import pytest
from scipy.stats import multivariate_normal

from estimators.discrepancy import _GRID, _PRIOR, Discrepancy, _smooth

POSITIONS = np.linspace(-0.5, 1.0, 9)


def drawn(position, residuals, count=4000, positions=POSITIONS):
    discrepancy = Discrepancy(np.asarray(residuals, dtype=float)[None, None], positions)
    return discrepancy.draw(position, np.zeros(count, dtype=np.int64), np.random.default_rng(0))[0]


def test_evidence_is_the_mixture_of_the_normals_of_the_grid():
    residuals = np.random.default_rng(3).normal(scale=0.2, size=9)
    gaps = np.abs(POSITIONS[:, None] - POSITIONS[None])
    densities = [
        multivariate_normal(cov=_smooth(gaps, size, length) + (noise**2 + 1e-8) * np.eye(9)).logpdf(residuals)
        for size, length, noise in _GRID
    ]
    wanted = np.logaddexp.reduce(np.array(densities) + _PRIOR)
    assert Discrepancy(residuals[None, None], POSITIONS).evidence[0, 0] == pytest.approx(wanted, abs=1e-6)


def test_an_error_that_all_sweeps_share_is_carried_over():
    errors = drawn(0.3, np.full(9, 0.4))
    assert np.median(errors) == pytest.approx(0.4, abs=0.02)
    assert np.std(errors) < 0.1


def test_an_error_that_grows_with_the_current_is_followed_between_sweeps():
    errors = drawn(0.35, 0.5 * POSITIONS)
    assert np.median(errors) == pytest.approx(0.175, abs=0.02)


def test_beyond_the_currents_that_were_tried_less_is_known():
    residuals = 0.5 * np.sin(4.0 * POSITIONS)
    assert np.std(drawn(2.5, residuals)) > 3.0 * np.std(drawn(0.3, residuals))


def test_errors_of_single_sweeps_widen_the_forecast_and_are_not_carried_over():
    noise = np.random.default_rng(1).choice([-0.3, 0.3], 9)
    errors = drawn(POSITIONS[4], noise)
    assert np.std(errors) > 0.2
    assert abs(np.median(errors)) < 0.2


def test_draws_hold_what_comes_from_the_prior_nine_times_in_ten():
    """Of cells whose errors are drawn from the grid itself, the interval of a sweep left out holds 90 %."""
    rng = np.random.default_rng(7)
    gaps = np.abs(POSITIONS[:, None] - POSITIONS[None])
    held = 0
    for k in rng.choice(len(_GRID), 600, p=np.exp(_PRIOR)):
        size, length, noise = _GRID[k]
        errors = rng.multivariate_normal(np.zeros(9), _smooth(gaps, size, length) + noise**2 * np.eye(9))
        seen = np.delete(np.arange(9), 4)
        low, high = np.quantile(drawn(POSITIONS[4], errors[seen], 400, POSITIONS[seen]), [0.05, 0.95])
        held += low <= errors[4] <= high
    assert 0.9 - 4 * np.sqrt(0.09 / 600) < held / 600 < 0.9 + 4 * np.sqrt(0.09 / 600)


def test_what_no_sweep_has_shown_is_as_uncertain_as_the_prior():
    errors = Discrepancy.unknown((20_000,), np.random.default_rng(2))
    variance = np.exp(_PRIOR) @ np.array([size**2 + noise**2 for size, _, noise in _GRID])
    assert errors.mean() == pytest.approx(0.0, abs=0.01)
    assert errors.var() == pytest.approx(variance, rel=0.1)


def test_each_draw_of_theta_has_its_own_error():
    residuals = np.stack([np.full(9, 0.5), np.full(9, -0.5)])[None]
    discrepancy = Discrepancy(residuals, POSITIONS)
    errors = discrepancy.draw(0.0, np.array([0, 1, 1, 0]), np.random.default_rng(0))[0]
    assert np.array_equal(errors > 0, [True, False, False, True])


def test_smaller_errors_have_more_evidence():
    residuals = np.stack([np.full(9, 0.02), np.full(9, 0.9)])[None]
    evidence = Discrepancy(residuals, POSITIONS).evidence[0]
    assert evidence[0] > evidence[1] + 1.0


def test_what_measuring_lost_is_forgiven_and_not_forecast():
    residuals = np.random.default_rng(5).choice([-0.1, 0.1], 9)[None, None]
    sharp, forgiving = Discrepancy(residuals, POSITIONS), Discrepancy(residuals, POSITIONS, np.full(9, 0.1))
    draws = [d.draw(0.3, np.zeros(4000, dtype=np.int64), np.random.default_rng(0))[0] for d in (sharp, forgiving)]
    assert forgiving.evidence[0, 0] > sharp.evidence[0, 0]
    assert draws[1].std() < 0.7 * draws[0].std()


def test_what_differs_from_sweep_to_sweep_for_certain_is_forecast():
    restless = Discrepancy(np.zeros((1, 1, 9)), POSITIONS, least=0.2)
    errors = restless.draw(0.3, np.zeros(4000, dtype=np.int64), np.random.default_rng(0))[0]
    assert errors.std() >= 0.19
