"""What every head has to keep, whichever is asked for."""

import math

import pytest
import torch

from estimators.heads import HEADS, SIZES, make_head, possible
from simulators.refusal import Refusal

SMALL = {
    "mixture": {"components": 3, "hidden": 16},
    "autoregressive": {"transforms": 2, "hidden": 16, "bins": 4},
    "coupling": {"transforms": 2, "hidden": 16, "bins": 4},
    "matching": {"layers": 2, "hidden": 16},
}


def make(name, p=2):
    """Make a head that listens to its context though it was never trained."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        head = make_head(name, p, 3, SMALL[name])
        for weight in head.parameters():
            torch.nn.init.normal_(weight, std=0.15)
    return head.requires_grad_(requires_grad=False)


@pytest.fixture(params=list(HEADS))
def head(request):
    return make(request.param)


@pytest.fixture
def context():
    return torch.randn(3, 3, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def grid():
    axis = torch.linspace(-7, 7, 57)
    return torch.cartesian_prod(axis, axis), float(axis[1] - axis[0]) ** 2


def test_a_density_integrates_to_one(head, context, grid):
    points, area = grid
    log_q = head(context).log_prob(points[:, None].expand(-1, 3, -1))
    assert (log_q.exp().sum(0) * area).tolist() == pytest.approx([1.0] * 3, abs=5e-3)


def test_draws_come_from_the_density(head, context, grid):
    points, area = grid
    posterior = head(context)
    log_q = posterior.log_prob(points[:, None].expand(-1, 3, -1))
    weight = log_q.exp() * area
    draws = posterior.draw(3000, torch.Generator().manual_seed(6))
    seen = posterior.log_prob(draws)
    spread = ((weight * log_q**2).sum(0) - (weight * log_q).sum(0) ** 2).sqrt()
    assert ((seen.mean(0) - (weight * log_q).sum(0)).abs() < 4.0 * spread / math.sqrt(3000)).all()
    mean = torch.einsum("nb,np->bp", weight, points)
    torch.testing.assert_close(draws.mean(0), mean, atol=0.1, rtol=0)


def test_many_observations_are_the_observations_one_by_one(head, context):
    values = torch.randn(3, 2, generator=torch.Generator().manual_seed(7))
    alone = torch.cat([head(context[k : k + 1]).log_prob(values[k : k + 1]) for k in range(3)])
    torch.testing.assert_close(head(context).log_prob(values), alone)


def test_the_same_generator_makes_the_same_draws(head, context):
    first, second, other = (head(context).draw(5, torch.Generator().manual_seed(k)) for k in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_context_is_listened_to(head, context):
    values = torch.zeros(3, 2)
    assert len(set(head(context).log_prob(values).tolist())) == 3


@pytest.mark.parametrize("name", ["mixture", "autoregressive", "matching"])
def test_one_parameter_has_a_density_too(name, context):
    axis = torch.linspace(-8, 8, 801)
    log_q = make(name, 1)(context).log_prob(axis[:, None, None].expand(-1, 3, -1))
    assert (log_q.exp().sum(0) * float(axis[1] - axis[0])).tolist() == pytest.approx([1.0] * 3, abs=5e-3)
    assert name in possible(1)


@pytest.mark.parametrize("name", ["autoregressive", "coupling", "matching"])
def test_densities_follow_draws_by_the_change_of_variables(name, context):
    posterior = make(name, 3).double()(context.double())
    noise = torch.randn(3, 3, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda z: posterior.from_noise(z).sum(0), noise).movedim(1, 0)
    base = -0.5 * (noise**2 + math.log(2 * math.pi)).sum(-1)
    expected = base - torch.linalg.det(jacobian).abs().log()
    atol = 1e-4 if name == "matching" else 1e-9
    torch.testing.assert_close(posterior.log_prob(posterior.from_noise(noise)), expected, atol=atol, rtol=0)


def test_an_autoregressive_layer_sees_only_what_stands_before():
    layer = make("autoregressive", 4).layers[0]
    told = layer.told(torch.randn(1, 3))
    shift = torch.autograd.functional.jacobian(lambda x: layer._raw(x, told, slice(None))[:, 0, 0], torch.randn(1, 4))
    assert not shift[:, 0].triu().any()
    assert int(shift[:, 0].count_nonzero()) == 6


def test_the_divergence_is_the_trace_of_the_slopes(context):
    head = make("matching", 3).double()
    told = head(context.double()).told
    z = torch.randn(3, 3, dtype=torch.float64)
    t = torch.full((3, 1), 0.4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: head.velocity(x, t, told, slopes=False)[0].sum(0), z)
    trace = torch.einsum("ibi->b", jacobian)
    torch.testing.assert_close(head.velocity(z, t, told, slopes=True)[1], trace)


def test_what_is_no_head_is_refused_in_words():
    with pytest.raises(Refusal, match="'coupling' is no head for 1 parameters"):
        make_head("coupling", 1, 3, SIZES["coupling"])
    with pytest.raises(Refusal, match="'spline' is no head"):
        make_head("spline", 2, 3, {})
