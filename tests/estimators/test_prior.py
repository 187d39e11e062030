import math

import numpy as np
import pytest
import torch
from scipy import stats

from estimators.prior import Prior, PriorError
from simulators.parameter import Parameter

COVARIANCE = [[2.0, 0.6], [0.6, 0.5]]
CELL = [
    Parameter("C", "pF", 15.0, 400.0, "log"),
    Parameter("V_T", "mV", -70.0, -40.0),
    Parameter("factor", "", 0.5, 1.5, "normal"),
]
PRIORS = {
    "uniform": Prior.uniform([-1.0, 3.0], [1.0, 3.5]),
    "log-uniform": Prior.log_uniform([1e-4, 2.0], [1e2, 3.0]),
    "normal": Prior.normal([1.0, -2.0], COVARIANCE),
    "log-normal": Prior.log_normal([math.log(0.4), math.log(0.125)], [[0.25, 0.05], [0.05, 0.04]]),
    "parameters": Prior.of(CELL),
    "mixed": Prior.mixed(Prior.uniform([0.0], [2.0]), Prior.normal([0.0, 1.0], COVARIANCE), Prior.of(CELL)),
}


@pytest.fixture(params=list(PRIORS))
def prior(request):
    return PRIORS[request.param]


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(1)


def test_every_prior_is_standard_normal_in_unconstrained_space(prior, generator):
    z = prior.unconstrain(prior.sample(4000, generator))
    for k in range(prior.p):
        assert stats.kstest(z[:, k].numpy(), "norm").pvalue > 1e-3
    torch.testing.assert_close(torch.cov(z.T), torch.eye(prior.p, dtype=z.dtype), atol=0.08, rtol=0)


def test_draws_lie_in_the_support_and_come_back(prior, generator):
    z = 3.0 * torch.randn(500, prior.p, generator=generator, dtype=torch.float64).clamp(-2.5, 2.5)
    theta = prior.constrain(z)
    assert prior.contains(theta).all()
    # A number near a bound has no more digits than the bound itself leaves it.
    torch.testing.assert_close(prior.constrain(prior.unconstrain(theta)), theta, rtol=1e-12, atol=1e-12)
    near = z.abs().amax(-1) < 4.0
    torch.testing.assert_close(prior.unconstrain(theta)[near], z[near], rtol=1e-7, atol=1e-7)


def test_the_slope_is_the_derivative_far_into_the_tails(prior, generator):
    for z in 2.0 * torch.randn(8, prior.p, generator=generator, dtype=torch.float64):
        jacobian = torch.autograd.functional.jacobian(prior.constrain, z)
        assert float(prior.log_slope(z)) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]), abs=1e-8)


@pytest.mark.parametrize("far", [-7.5, 7.5])
def test_the_slope_of_an_interval_is_exact_where_its_values_can_hardly_be_told_apart(far):
    z = torch.full((2,), far, dtype=torch.float64)
    assert float(PRIORS["uniform"].log_slope(z)) == pytest.approx(
        math.log(2.0) + math.log(0.5) - far**2 - math.log(2 * math.pi), abs=1e-12
    )


def frozen(name):
    """The same prior, as scipy has it."""
    if name == "uniform":
        return lambda t: stats.uniform(-1, 2).logpdf(t[0]) + stats.uniform(3, 0.5).logpdf(t[1])
    if name == "log-uniform":
        return lambda t: stats.loguniform(1e-4, 1e2).logpdf(t[0]) + stats.loguniform(2, 3).logpdf(t[1])
    if name == "normal":
        return stats.multivariate_normal([1.0, -2.0], COVARIANCE).logpdf
    if name == "log-normal":
        normal = stats.multivariate_normal([math.log(0.4), math.log(0.125)], [[0.25, 0.05], [0.05, 0.04]])
        return lambda t: normal.logpdf(np.log(t)) - np.log(t).sum()
    cut = stats.truncnorm(-4, 4, loc=1.0, scale=0.125)
    return lambda t: stats.loguniform(15, 400).logpdf(t[0]) + stats.uniform(-70, 30).logpdf(t[1]) + cut.logpdf(t[2])


@pytest.mark.parametrize("name", [name for name in PRIORS if name != "mixed"])
def test_the_density_is_the_one_that_scipy_gives(name, generator):
    theta = PRIORS[name].sample(50, generator)
    expected = [float(frozen(name)(row)) for row in theta.numpy()]
    np.testing.assert_allclose(PRIORS[name].log_prob(theta).numpy(), expected, atol=1e-9)


def test_the_density_of_a_mixed_prior_is_the_product_of_its_parts(generator):
    theta = PRIORS["mixed"].sample(50, generator)
    parts = [Prior.uniform(0.0, 2.0), Prior.normal([0.0, 1.0], COVARIANCE), Prior.of(CELL)]
    expected = sum(part.log_prob(piece) for part, piece in zip(parts, theta.split([1, 2, 3], dim=-1), strict=True))
    torch.testing.assert_close(PRIORS["mixed"].log_prob(theta), expected)


def test_outside_its_support_a_prior_has_no_density():
    assert PRIORS["uniform"].log_prob(torch.tensor([0.0, 2.9])) == -math.inf
    assert PRIORS["log-normal"].log_prob(torch.tensor([-0.1, 0.2])) == -math.inf
    assert not PRIORS["normal"].contains(torch.tensor([math.nan, 0.0]))
    assert PRIORS["uniform"].log_prob(torch.tensor([-1.0, 3.5])) == pytest.approx(0.0)


@pytest.mark.parametrize("u", [-3.0, 0.4, 3.0])
def test_parameters_mean_the_same_here_as_everywhere(u):
    theta = Prior.of(CELL).constrain(torch.full((3,), u, dtype=torch.float64))
    np.testing.assert_allclose(theta.numpy(), [p.constrain(np.array(u)) for p in CELL], rtol=1e-12)


def test_the_table_makes_the_same_prior(prior, generator):
    again = Prior.from_table(prior.table())
    theta = prior.sample(20, generator)
    assert again.names == prior.names
    torch.testing.assert_close(again.log_prob(theta), prior.log_prob(theta), rtol=0, atol=0)


def test_names_are_kept_and_made_up_where_there_are_none():
    assert PRIORS["parameters"].names == ("C", "V_T", "factor")
    assert PRIORS["uniform"].names == ("theta_1", "theta_2")
    assert PRIORS["mixed"].names == tuple(f"theta_{k}" for k in range(1, 7))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Prior.uniform([0.0, 2.0], [1.0, 1.0]), "Parameter 1 lies between 2.0 and 1.0"),
        (lambda: Prior.uniform([0.0, math.nan], [1.0, 1.0]), "Parameter 1 lies between nan and 1.0"),
        (lambda: Prior.uniform([0.0], [1.0, 2.0]), "1 lower bounds, 2 upper ones"),
        (lambda: Prior.uniform("low", [1.0]), "'low'; numbers were wanted"),
        (lambda: Prior.uniform([[0.0]], [1.0]), r"shape \(1, 1\)"),
        (lambda: Prior.log_uniform([0.0], [1.0]), "starts at 0.0"),
        (lambda: Prior.normal([0.0, 0.0], [[1.0]]), r"shape \(1, 1\); \(2, 2\) was wanted"),
        (lambda: Prior.normal([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "differs from its transpose by 0.5"),
        (lambda: Prior.normal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "smallest eigenvalue is -1"),
        (lambda: Prior.normal([math.inf], 1.0), "not finite"),
        (lambda: Prior.uniform([0.0], [1.0], names=["a", "b"]), "1 different ones were wanted"),
        (lambda: Prior.uniform([0.0, 0.0], [1.0, 1.0], names=["a", "a"]), "2 different ones were wanted"),
        (lambda: Prior.of([]), "no parameter"),
        (lambda: PRIORS["uniform"].log_prob(torch.zeros(3)), r"shape \(3,\); \(..., 2\) was wanted"),
        (lambda: Prior.from_table({"names": ["a"], "parts": [{"kind": "beta"}]}), "not one that was written here"),
        (lambda: Prior.from_table({"names": ["a"], "parts": [{"kind": "interval"}]}), "not one that was written here"),
    ],
)
def test_what_is_no_prior_is_refused_in_words(make, words):
    with pytest.raises(PriorError, match=words):
        make()
