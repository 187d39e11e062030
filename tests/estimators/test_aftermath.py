import math

import pytest
import torch

from estimators.aftermath import Aftermath, nearest_entropy, normal, whitened
from estimators.flow import Flow

P = 5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Linear:
    """A flow that bends nothing."""

    def __init__(self, b=7):
        self.factor = torch.tril(torch.randn(b, P, P, generator=seeded(1)))
        self.factor.diagonal(dim1=-2, dim2=-1).copy_(0.5 + torch.rand(b, P, generator=seeded(2)))
        self.mean_vector = torch.randn(b, P, generator=seeded(3))

    def from_noise(self, noise):
        return self.mean_vector + torch.einsum("bij,...bj->...bi", self.factor, noise)


def bent(b):
    with torch.random.fork_rng():
        torch.manual_seed(4)
        flow = Flow(P, 8, 2, 16, 4)
        torch.nn.init.normal_(flow.place.weight, std=0.1)
        return flow(torch.randn(1, 8).expand(b, -1))


def test_whitened_noise_has_exactly_mean_zero_and_covariance_one():
    noise = whitened(9, P, seeded())
    assert noise.shape == (18, P)
    torch.testing.assert_close(noise.mean(dim=0), torch.zeros(P), atol=1e-6, rtol=0)
    torch.testing.assert_close(noise.T @ noise / 18, torch.eye(P), atol=1e-5, rtol=0)


@pytest.mark.parametrize("columns", [(2,), (0, 3), (4, 1)])
def test_of_a_flow_that_is_linear_the_marginal_is_exact(columns):
    posterior, u = Linear(), torch.randn(7, P, generator=seeded(5))
    density, entropy = Aftermath(P, columns, seeded())(posterior, u, torch.zeros(7, P))
    covariance = (posterior.factor @ posterior.factor.transpose(1, 2))[:, columns][:, :, columns]
    exact = torch.distributions.MultivariateNormal(posterior.mean_vector[:, columns], covariance)
    torch.testing.assert_close(density.float(), exact.log_prob(u[:, columns]), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(entropy.float(), exact.entropy(), atol=1e-3, rtol=1e-3)


def test_of_all_parameters_it_is_the_flows_own_density_and_its_entropy():
    b = 4000
    posterior, noise = bent(b), torch.randn(b, P, generator=seeded(6))
    with torch.inference_mode():
        drawn = posterior.from_noise(torch.randn(1, b, P, generator=seeded(7)))[0]
        truth = -posterior.log_prob(drawn)
    density, entropy = Aftermath(P, range(P), seeded())(posterior, drawn, noise)
    torch.testing.assert_close(density, -truth)
    error = math.sqrt(float(truth.var() + entropy.var()) / b)
    assert float(entropy.mean()) == pytest.approx(float(truth.mean()), abs=4 * error)
    # Of the noise's own part nothing is left to average.
    assert float(entropy.std()) < 0.5 * float(truth.std())


def test_the_density_of_a_subset_is_a_lower_bound():
    b = 3000
    posterior = bent(b)
    with torch.inference_mode():
        drawn = posterior.from_noise(torch.randn(1, b, P, generator=seeded(8)))[0]
    density, entropy = Aftermath(P, (1,), seeded())(posterior, drawn, torch.zeros(b, P))
    cross = float(-density.mean())
    assert cross >= nearest_entropy(drawn[:, [1]]) - 0.05
    assert cross == pytest.approx(float(entropy.mean()), abs=0.15)


def test_the_entropy_from_neighbours_is_that_of_what_they_were_drawn_from():
    drawn = torch.randn(4000, 2, generator=seeded(9)) @ torch.tensor([[2.0, 0.7], [0.0, 0.5]])
    assert nearest_entropy(drawn) == pytest.approx(1.0 + math.log(2.0 * math.pi), abs=0.06)
    flat = 4.0 * torch.rand(4000, 1, generator=seeded(10))
    assert nearest_entropy(flat) == pytest.approx(math.log(4.0), abs=0.06)


def test_a_posterior_without_any_width_still_has_a_density():
    density, entropy = normal(torch.zeros(8, 1, 2), torch.zeros(1, 2))
    assert torch.isfinite(density).all()
    assert torch.isfinite(entropy).all()
