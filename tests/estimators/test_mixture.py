import pytest
import torch

from estimators.mixture import MixturePosterior


@pytest.fixture
def mixture():
    """Three observations, four normals, three parameters."""
    generator = torch.Generator().manual_seed(2)
    factor = 0.5 * torch.randn(3, 4, 3, 3, generator=generator, dtype=torch.float64).tril(-1)
    factor = factor + torch.diag_embed(0.4 + torch.rand(3, 4, 3, generator=generator, dtype=torch.float64))
    weights, means = (torch.randn(3, 4, *k, generator=generator, dtype=torch.float64) for k in ((), (3,)))
    return MixturePosterior(weights, means, factor)


def axis():
    return torch.linspace(-9, 9, 1201, dtype=torch.float64)


def test_a_marginal_is_the_integral_over_the_others(mixture):
    known = torch.tensor([0.3, -0.8], dtype=torch.float64)
    values = torch.stack([axis(), *(one.expand(len(axis())) for one in known)], dim=-1)
    total = mixture.log_prob(values[:, None].expand(-1, 3, -1)).exp().sum(0) * float(axis()[1] - axis()[0])
    torch.testing.assert_close(mixture.marginal([2, 1]).log_prob(known.flip(0).expand(3, -1)), total.log())


def test_a_conditional_is_the_joint_density_over_the_marginal(mixture):
    known = torch.tensor([[0.3, -0.8], [0.0, 0.1], [1.5, 1.0]], dtype=torch.float64)
    rest = torch.tensor([[0.2], [1.0], [-2.0]], dtype=torch.float64)
    joint = mixture.log_prob(torch.stack([known[:, 1], rest[:, 0], known[:, 0]], dim=-1))
    expected = joint - mixture.marginal([2, 0]).log_prob(known)
    torch.testing.assert_close(mixture.condition([2, 0], known).log_prob(rest), expected)


def test_a_value_known_for_all_observations_need_not_be_repeated(mixture):
    once = torch.tensor([0.4], dtype=torch.float64)
    value = torch.zeros(3, 2, dtype=torch.float64)
    repeated = mixture.condition([1], once.expand(3, 1)).log_prob(value)
    assert torch.equal(mixture.condition([1], once).log_prob(value), repeated)


def test_moments_are_those_of_the_draws(mixture):
    draws = mixture.draw(20_000, torch.Generator().manual_seed(3))
    torch.testing.assert_close(draws.mean(0), mixture.mean, atol=0.05, rtol=0)
    for k in range(3):
        torch.testing.assert_close(torch.cov(draws[:, k].T), mixture.covariance[k], atol=0.12, rtol=0)


def test_all_marginals_at_once_are_those_of_each(mixture):
    value = torch.tensor([[0.2, -1.0, 0.5], [1.0, 0.0, 0.3], [-2.0, 1.5, 0.1]], dtype=torch.float64)
    each = [mixture.marginal([k]).log_prob(value[:, [k]]) for k in range(3)]
    torch.testing.assert_close(mixture.log_marginals(value), torch.stack(each, dim=1))
