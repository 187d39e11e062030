import numpy as np
import pytest
import torch
from scipy import integrate, stats

from estimators.logistics import SHARPEST, Logistics, start


@pytest.fixture
def numbers():
    generator = torch.Generator().manual_seed(3)
    make = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return make(1), 0.3 * make(1), torch.cat([make(3, 1), 2.0 * make(3, 1), 0.5 * make(3, 1)])


@pytest.fixture
def mixture(numbers):
    return Logistics(*numbers)


def test_one_component_is_the_logistic_distribution():
    there = Logistics(torch.tensor([0.7]), torch.tensor([-0.4]), torch.zeros(3, 1))
    # The log scale is held inside its bounds by a bend that hardly moves it here.
    scale = float(torch.exp(there._scales)[0, 0])
    assert scale == pytest.approx(np.exp(-0.4), rel=0.03)
    x = np.linspace(-4, 4, 9)
    wanted = stats.logistic(0.7, scale)
    values = torch.from_numpy(x).float()
    assert there.log_prob(values).numpy() == pytest.approx(wanted.logpdf(x), abs=1e-5)
    assert there.share_below(values).numpy() == pytest.approx(wanted.cdf(x), abs=1e-6)


def test_the_density_integrates_to_one(mixture):
    grid = torch.linspace(-300, 300, 600_001, dtype=torch.float64)
    assert integrate.trapezoid(mixture.log_prob(grid).exp(), dx=1e-3) == pytest.approx(1.0, abs=1e-6)


def test_the_mass_between_edges_is_the_density_between_them(mixture):
    edges = torch.tensor([-2.0, -0.5, 0.3, 4.0], dtype=torch.float64)
    mass = mixture.log_mass(edges[:-1], edges[1:]).exp()
    wanted = [
        integrate.quad(lambda x: float(mixture.log_prob(torch.tensor([x], dtype=torch.float64)).exp()), *pair)[0]
        for pair in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    assert mass.numpy() == pytest.approx(wanted, rel=1e-7)


def test_far_out_in_a_tail_the_mass_is_not_lost(numbers):
    shift, spread, parts = (n.float() for n in numbers)
    mass = Logistics(shift, spread, parts).log_mass(torch.tensor([300.0]), torch.tensor([301.0]))
    exact = Logistics(*numbers).log_mass(*torch.tensor([[300.0], [301.0]], dtype=torch.float64))
    assert torch.isfinite(mass).all()
    assert mass.numpy() == pytest.approx(exact.numpy(), rel=1e-3)


def test_draws_have_the_distribution(numbers):
    generator = torch.Generator().manual_seed(0)
    many = Logistics(*(n.expand(*n.shape[:-1], 20_000) for n in numbers))
    drawn = many.draw(torch.rand(2, 20_000, generator=generator, dtype=torch.float64))
    assert stats.kstest(many.share_below(drawn).numpy(), "uniform").pvalue > 1e-3


def test_no_scale_is_narrower_than_the_narrowest():
    there = Logistics(torch.zeros(1), torch.full((1,), -50.0), torch.zeros(3, 1))
    assert float(there.log_prob(torch.zeros(1))) <= -SHARPEST
    assert torch.isfinite(there.log_prob(torch.tensor([10.0]))).all()


def test_components_begin_at_different_places():
    shares, places, scales = start(3).tensor_split(3)
    assert len(set(places.tolist())) == 3
    assert len(set(shares.tolist())) == len(set(scales.tolist())) == 1
