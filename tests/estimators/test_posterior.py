import math

import pytest
import torch
from scipy import stats

from estimators.heads import make_head
from estimators.posterior import Posterior
from estimators.prior import Prior, PriorError

PRIORS = {
    "uniform": (Prior.uniform([-1.0, 3.0], [1.0, 3.5]), (-1.0, 1.0), (3.0, 3.5)),
    "log-uniform": (Prior.log_uniform([1.0, 2.0], [10.0, 3.0]), (1.0, 10.0), (2.0, 3.0)),
    "normal": (Prior.normal([1.0, -2.0], [[0.5, 0.2], [0.2, 0.3]]), (-6.0, 8.0), (-8.0, 4.0)),
    "mixed": (
        Prior.mixed(Prior.log_normal([0.0], [[0.04]]), Prior.uniform([0.0], [2.0])),
        (0.2, 3.5),
        (0.0, 2.0),
    ),
}


def densities(count=2):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        heads = [make_head("mixture", 2, 3, {"components": 2, "hidden": 8}) for _ in range(count)]
        for head in heads:
            # Narrower than the prior: a density that grows without bound at an edge can't be summed on a grid.
            torch.nn.init.constant_(head.shape[-1].bias, -0.7)
        context = torch.randn(2, 3)
        return [head.requires_grad_(requires_grad=False)(context) for head in heads]


def posterior(prior, count=2, unknown=(False, False), shape=(2,)):
    return Posterior(prior, densities(count), torch.tensor(unknown), torch.Size(shape))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("name", list(PRIORS))
@pytest.mark.parametrize("unknown", [False, True])
def test_a_posterior_integrates_to_one_over_the_prior_s_support(name, unknown):
    prior, *bounds = PRIORS[name]
    # In the middle of each cell, so that no edge counts half.
    axes = [low + (high - low) * (torch.arange(250, dtype=torch.float64) + 0.5) / 250 for low, high in bounds]
    density = posterior(prior, unknown=(unknown, False)).log_prob(torch.cartesian_prod(*axes)[:, None]).exp()
    area = math.prod(float(axis[1] - axis[0]) for axis in axes)
    assert (density.sum(0) * area).tolist() == pytest.approx([1.0, 1.0], abs=0.01)


@pytest.mark.parametrize("name", list(PRIORS))
def test_draws_lie_on_the_prior_s_support(name, generator):
    prior = PRIORS[name][0]
    both = posterior(prior)
    draws = both.sample((500,), generator=generator)
    assert draws.shape == (500, 2, 2)
    assert both.support.check(draws).all()
    assert torch.isfinite(both.log_prob(draws)).all()


def test_outside_the_support_there_is_no_density():
    both = posterior(PRIORS["uniform"][0])
    assert (both.log_prob(torch.tensor([1.1, 3.2])) == -math.inf).all()
    assert (both.log_prob(torch.tensor([math.nan, 3.2])) == -math.inf).all()
    assert torch.isfinite(both.log_prob(torch.tensor([1.0, 3.0]))).all()


def test_members_mix_as_equals(generator):
    prior = PRIORS["normal"][0]
    theta = prior.sample(2, generator)
    each = [Posterior(prior, [one], torch.zeros(2, dtype=torch.bool), torch.Size((2,))) for one in densities()]
    expected = torch.stack([one.log_prob(theta).exp() for one in each]).mean(0).log()
    torch.testing.assert_close(posterior(prior).log_prob(theta), expected)


def test_every_member_draws_its_share_in_no_order(generator):
    class Constant:
        def __init__(self, value):
            self.value = value

        def draw(self, count, _):
            return torch.full((count, 1, 1), self.value)

    prior = Prior.normal([0.0], [[1.0]])
    three = Posterior(prior, [Constant(k) for k in (0.0, 1.0, 2.0)], torch.tensor([False]), torch.Size(()))
    draws = three.sample((3001,), generator=generator)[:, 0]
    assert sorted(torch.bincount(draws.long()).tolist()) == [1000, 1000, 1001]
    assert 300 < int((draws[:1000] == 0.0).sum()) < 370
    single = torch.cat([three.sample(generator=generator) for _ in range(300)])
    assert all(60 < count < 140 for count in torch.bincount(single.long()).tolist())


def test_an_observation_of_which_nothing_is_known_has_the_prior(generator):
    prior = PRIORS["mixed"][0]
    half = posterior(prior, unknown=(True, False))
    theta = prior.sample(2, generator)
    assert half.log_prob(theta)[0] == pytest.approx(float(prior.log_prob(theta[0])))
    assert half.log_prob(theta)[1] == posterior(prior).log_prob(theta)[1]
    z = prior.unconstrain(half.sample((1000,), generator=generator)[:, 0])
    assert stats.kstest(z[:, 1].numpy(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("shape", [(2,), (1, 2), (2, 1)])
def test_shapes_are_those_of_the_observations(shape, generator):
    some = posterior(PRIORS["uniform"][0], shape=shape)
    draws = some.sample((4, 3), generator=generator)
    assert draws.shape == (4, 3, *shape, 2)
    assert some.log_prob(draws).shape == (4, 3, *shape)
    torch.testing.assert_close(some.log_prob(draws)[1, 2], some.log_prob(draws[1, 2]))
    assert some.log_prob(draws[0, 0].flatten(0, -2)[0]).shape == shape


def test_theta_of_another_length_is_refused():
    with pytest.raises(PriorError, match=r"shape \(3,\); \(..., 2\) was wanted"):
        posterior(PRIORS["uniform"][0]).log_prob(torch.zeros(3))
