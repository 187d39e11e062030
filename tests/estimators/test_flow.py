import math

import pytest
import torch

from estimators.flow import Flow


@pytest.fixture
def flow():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        flow = Flow(2, 4, 2, 16, 4).double()
        torch.nn.init.normal_(flow.place.weight, std=0.3)
        return flow


@pytest.fixture
def context():
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def test_a_density_integrates_to_one(flow, context):
    axis = torch.linspace(-9, 9, 181, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    for row in context:
        density = flow(row.expand(len(grid), -1)).log_prob(grid).exp().detach()
        assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1.0, abs=5e-3)


def test_densities_follow_draws_by_the_change_of_variables(flow, context):
    posterior = flow(context)
    noise = torch.randn(3, 2, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    draw = posterior.from_noise(noise)
    jacobian = torch.autograd.functional.jacobian(lambda z: posterior.from_noise(z).sum(0), noise).movedim(1, 0)
    base = -0.5 * (noise**2).sum(-1) - math.log(2 * math.pi)
    torch.testing.assert_close(posterior.log_prob(draw), base - torch.linalg.det(jacobian).abs().log())


def test_many_draws_are_the_draws_one_by_one(flow, context):
    posterior = flow(context)
    noise = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    together = posterior.from_noise(noise)
    torch.testing.assert_close(together, torch.stack([posterior.from_noise(each) for each in noise]))


def test_a_fresh_flow_has_no_prejudice_about_place():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = Flow(3, 4, 2, 8, 4)(torch.randn(5, 4))
    assert not posterior.mean_vector.any()
    assert torch.equal(posterior.factor, torch.diag_embed(torch.diagonal(posterior.factor, dim1=-2, dim2=-1)))


def test_the_width_of_a_posterior_stays_within_its_bounds(flow, context):
    factor = flow(1e6 * context).factor
    width = torch.diagonal(factor, dim1=-2, dim2=-1)
    assert torch.isfinite(width).all()
    assert (width > math.exp(-7.01)).all()
    assert (width < math.exp(7.01)).all()


@pytest.mark.parametrize(("p", "transforms"), [(2, 4), (5, 4), (12, 6)])
def test_every_parameter_is_bent_given_the_others(p, transforms):
    from estimators.flow import _masks

    masks = torch.stack(_masks(p, transforms))
    assert masks.any(dim=0).all()
    assert (~masks).any(dim=0).all()


def test_the_masks_are_the_same_each_time_a_network_is_made():
    from estimators.flow import _masks

    assert all(torch.equal(a, b) for a, b in zip(_masks(12, 4), _masks(12, 4), strict=True))
