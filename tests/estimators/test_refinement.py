import numpy as np
import pytest
import torch
from scipy import stats

from estimators.context import CONTEXT
from estimators.refinement import RefinementError, led_back, refine, weigh
from simulators.parameter import Parameter

START = CONTEXT.index("start")


class Conjugate:
    """A likelihood whose sweep is theta's first number plus noise of 0.5, in the first feature."""

    def table(self, features, context, u):
        there = u[..., 0] if u.dim() == 3 else u[:, None, 0].expand(-1, len(features))
        return -0.5 * ((features[None, :, 0] - there) / 0.5) ** 2


class Network:
    """A posterior that is wider than the exact one, and off by a little, in the first of two numbers."""

    parameters_of_cell = ()

    def __init__(self, mean, deviation):
        self.mean, self.deviation = torch.tensor([mean, 0.0]), torch.tensor([deviation, 1.0])

    def __call__(self, features, context, there):
        return self

    def draw(self, count, generator):
        return self.mean + self.deviation * torch.randn(count, 1, 2, generator=generator)

    def log_prob(self, value):
        return torch.distributions.Normal(self.mean, self.deviation).log_prob(value).sum(-1)


def sweeps(values, gap=0.0):
    context = np.zeros((len(values), len(CONTEXT)))
    context[:, START] = gap * np.arange(len(values))
    return np.array(values, dtype=float)[:, None], context


def exact(values):
    """Mean and variance under a standard normal prior."""
    precision = 1.0 + len(values) / 0.25
    return sum(values) / 0.25 / precision, 1.0 / precision


def test_refined_draws_have_the_exact_posterior():
    values = [0.9, 1.3, 1.1]
    mean, variance = exact(values)
    network = Network(mean + 0.15, 1.5 * variance**0.5)
    refined = refine(network, Conjugate(), *sweeps(values), 20_000, torch.Generator().manual_seed(0))
    found = refined.weights @ refined.u[:, 0]
    assert found == pytest.approx(mean, abs=0.01)
    assert refined.weights @ (refined.u[:, 0] - found) ** 2 == pytest.approx(variance, rel=0.05)
    # What the likelihood does not look at stays as the prior has it.
    assert refined.weights @ refined.u[:, 1] ** 2 == pytest.approx(1.0, rel=0.05)
    assert refined.effective > 5000
    assert refined.k < 0.5


def test_resampled_draws_are_even_ones_of_the_exact_posterior():
    mean, variance = exact([0.5])
    network = Network(mean - 0.1, 1.4 * variance**0.5)
    refined = refine(network, Conjugate(), *sweeps([0.5]), 20_000, torch.Generator().manual_seed(1))
    drawn = refined.resample(2000, np.random.default_rng(0))[:, 0]
    assert stats.kstest(drawn[::2], stats.norm(mean, variance**0.5).cdf).pvalue > 1e-3


def test_a_theta_that_walks_is_known_less_from_what_was_long_ago():
    # The second value is theta's own; the first is of a theta that has half forgotten it.
    values, gap, forget = [2.0, 0.0], 1.0, 1.0
    keep = np.exp(-gap / forget)
    covariance = np.array([[1.0, keep], [keep, 1.0]]) + 0.25 * np.eye(2)
    gain = np.array([keep, 1.0]) @ np.linalg.inv(covariance)
    mean, variance = gain @ values, 1.0 - gain @ np.array([keep, 1.0])
    network = Network(mean, 1.5 * variance**0.5)
    generator = torch.Generator().manual_seed(2)
    refined = refine(network, Conjugate(), *sweeps(values, gap), 40_000, generator, (forget, forget))
    found = refined.weights @ refined.u[:, 0]
    assert found == pytest.approx(mean, abs=0.02)
    assert refined.weights @ (refined.u[:, 0] - found) ** 2 == pytest.approx(variance, rel=0.05)


def test_a_walk_forgets_as_the_process_does():
    u = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))
    path = led_back(u, torch.tensor([0.0, 2.0, 3.0]), (4.0, 4.0), torch.Generator().manual_seed(1))[..., 0]
    assert torch.equal(path[:, 2:], u)
    found = np.corrcoef(path.T.numpy())
    wanted = [np.exp(-2 / 4), np.exp(-3 / 4), np.exp(-1 / 4)]
    assert [found[0, 1], found[0, 2], found[1, 2]] == pytest.approx(wanted, abs=0.01)
    assert path.std(dim=0).tolist() == pytest.approx([1.0] * 3, abs=0.01)


def test_a_posterior_in_the_wrong_place_is_refused_with_both_figures():
    network = Network(-3.0, 0.2)
    with pytest.raises(RefinementError, match=r"are worth \d+, with a Pareto k of .*keep the draws as they are"):
        refine(network, Conjugate(), *sweeps([2.0]), 2000, torch.Generator().manual_seed(0))


def test_fewer_than_a_hundred_effective_draws_are_refused_and_more_are_not():
    u = np.zeros((150, 2))
    logs = np.where(np.arange(150) < 99, 0.0, -np.inf)
    with pytest.raises(RefinementError, match="worth 99"):
        weigh(u, logs)
    assert weigh(u, np.where(np.arange(150) < 101, 0.0, -40.0)).effective == pytest.approx(101, abs=0.5)


def test_a_heavy_tail_is_refused_though_many_draws_count():
    logs = np.log(stats.pareto(1.2).rvs(20_000, random_state=0))
    with pytest.raises(RefinementError, match=r"Pareto k of 0\.8"):
        weigh(np.zeros((20_000, 1)), logs)


def test_sweeps_that_no_draw_explains_are_refused():
    with pytest.raises(RefinementError, match="None of the draws"):
        weigh(np.zeros((500, 1)), np.full(500, -np.inf))


def test_sweeps_that_share_an_error_of_the_model_are_refused_and_one_alone_is_not():
    mean, variance = exact([2.0])
    network = Network(mean, 1.2 * variance**0.5)
    network.parameters_of_cell = (Parameter("discrepancy", "1", 0.02, 0.4, "log"),)
    with pytest.raises(RefinementError, match="The 2 sweeps share an error of the model"):
        refine(network, Conjugate(), *sweeps([2.0, 2.1]), 2000, torch.Generator().manual_seed(0))
    assert refine(network, Conjugate(), *sweeps([2.0]), 2000, torch.Generator().manual_seed(0)).effective > 100.0


def test_a_checkpoint_without_a_likelihood_says_so():
    with pytest.raises(RefinementError, match=r"has no likelihood .* pretrain it anew"):
        refine(Network(0.0, 1.0), None, *sweeps([2.0]), 200, torch.Generator().manual_seed(0))


def test_the_network_and_the_likelihood_of_a_checkpoint_refine_together(taught, sets):
    """Untrained as they are, they give weights or a refusal that names both figures."""
    rows = slice(sets.first[0], sets.first[1])
    features, context = sets.features[rows].astype(float), sets.context[rows].astype(float)
    generator = torch.Generator().manual_seed(0)
    try:
        refined = refine(taught.network, taught.likelihood, features, context, 400, generator, (3e4, 3e7))
    except RefinementError as error:
        assert "are worth" in str(error)
    else:
        assert refined.weights.sum() == pytest.approx(1.0)
