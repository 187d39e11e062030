import math

import pytest
import torch

from estimators.ensemble import Estimator, ObservationError
from estimators.network import Plan
from estimators.prior import Prior

PRIOR = Prior.mixed(Prior.uniform([0.0], [1.0]), Prior.normal([0.0], [[4.0]]))


@pytest.fixture
def estimator():
    """Two networks, never trained; the third feature was missing now and then."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 3, generator=generator)
    x[::4, 2] = math.nan
    with torch.random.fork_rng():
        torch.manual_seed(1)
        networks = [Plan("coupling", 3, 2, width=8).network() for _ in range(2)]
    for network in networks:
        network.straightening.fit(x)
    return Estimator(PRIOR, networks, {"head": "coupling"})


def draws(posterior):
    return posterior.sample((50,), generator=torch.Generator().manual_seed(2))


def test_one_observation_has_no_batch_and_many_have_theirs(estimator):
    assert estimator([0.1, 0.2, 0.3]).batch_shape == ()
    assert estimator(torch.zeros(4, 3)).batch_shape == (4,)
    assert draws(estimator(torch.zeros(2, 4, 3))).shape == (50, 2, 4, 2)


def test_many_observations_are_the_observations_one_by_one(estimator):
    x, theta = torch.randn(5, 3, generator=torch.Generator().manual_seed(3)), torch.full((2,), 0.4)
    alone = torch.stack([estimator(row).log_prob(theta) for row in x])
    torch.testing.assert_close(estimator(x).log_prob(theta), alone, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(estimator.log_prob(theta.expand(5, 2), x), alone, rtol=1e-5, atol=1e-5)


def test_draws_need_no_gradient_and_densities_give_one(estimator):
    posterior = estimator([0.1, 0.2, 0.3])
    assert not draws(posterior).requires_grad
    theta = draws(posterior)[0].requires_grad_()
    posterior.log_prob(theta).backward()
    assert torch.isfinite(theta.grad).all()
    assert theta.grad.any()


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([math.nan, math.nan, math.nan], "Every feature is missing"),
        ([math.nan, 0.0, 0.0], "Feature 0 is missing, and never was in training"),
        ([0.0, math.nan, math.nan], "Feature 1 is missing, and never was in training"),
    ],
)
def test_where_too_much_is_missing_the_posterior_is_the_prior_and_says_why(estimator, x, words):
    theta = PRIOR.sample(6, torch.Generator().manual_seed(4))
    torch.testing.assert_close(estimator(x).log_prob(theta), PRIOR.log_prob(theta))
    assert words in estimator.reasons(x)[0]


def test_what_was_missing_in_training_too_may_be_missing(estimator):
    theta = PRIOR.sample(6, torch.Generator().manual_seed(4))
    x = [[0.0, 0.0, math.nan], [0.0, 0.0, 0.0]]
    assert estimator.reasons(x) == ["", ""]
    density = estimator(x).log_prob(theta[:, None])
    assert torch.isfinite(density).all()
    assert not torch.allclose(density[:, 0], PRIOR.log_prob(theta))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([0.0, 0.0], r"shape \(2,\); \(..., 3\) was wanted"),
        (0.0, r"shape \(\)"),
        ([0.0, math.inf, 0.0], "Feature 1 of observation 0 is infinite"),
        ([[0.0, 0.0, 0.0], [-math.inf, 0.0, 0.0]], "Feature 0 of observation 1 is infinite"),
        (["a", "b", "c"], "numbers were wanted"),
    ],
)
def test_what_is_no_observation_is_refused_in_words(estimator, x, words):
    with pytest.raises(ObservationError, match=words):
        estimator(x)


def test_numbers_far_beyond_the_training_rows_give_a_finite_density(estimator):
    for size in (1e6, 1e30, 1e300):
        assert torch.isfinite(estimator([size, -size, 0.0]).log_prob(torch.tensor([0.5, 0.0])))
