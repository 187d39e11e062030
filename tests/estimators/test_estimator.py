import numpy as np
import pytest
import torch

from estimators.context import CONTEXT
from estimators.estimator import pad
from estimators.features import NAMES


@pytest.fixture
def cells(sets):
    """Three cells with their sweeps, as `pad` takes them."""
    chosen = [k for k in range(len(sets)) if np.diff(sets.first)[k] in (1, 3, 6)][:8]
    rows = [slice(sets.first[k], sets.first[k + 1]) for k in chosen]
    return [sets.features[r] for r in rows], [sets.context[r] for r in rows]


@pytest.fixture
def u(cells):
    return torch.randn(len(cells[0]), 12, generator=torch.Generator().manual_seed(1))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def table(n=3):
    context = np.tile([50.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0], (n, 1))
    context[:, CONTEXT.index("start")] = 5.0 * np.arange(n)
    return np.random.default_rng(3).normal(size=(n, len(NAMES))), context


def test_it_answers_with_one_distribution_a_cell(network, cells, u):
    posterior = network(*pad(*cells))
    assert isinstance(posterior, torch.distributions.Distribution)
    assert posterior.batch_shape == (len(u),)
    assert posterior.event_shape == (12,)
    assert posterior.log_prob(u).shape == (len(u),)
    assert posterior.sample((7,)).shape == (7, len(u), 12)


def test_gradients_reach_every_weight(network, cells, u):
    network(*pad(*cells)).log_prob(u).sum().backward()
    # A softmax over sweeps does not change when all its scores are raised: that one bias has nothing to do.
    untouched = [n for n, w in network.named_parameters() if w.grad is None or not w.grad.abs().sum() > 0]
    assert set(untouched) <= {"encoder.ask.bias"}


def test_draws_are_differentiable(network, cells):
    posterior = network(*pad(*cells))
    posterior.rsample((2,)).sum().backward()
    assert network.flow.place.weight.grad.abs().sum() > 0


def test_the_order_of_earlier_sweeps_does_not_matter(network, cells, u):
    features, context = cells
    shuffled = [np.r_[np.random.default_rng(k).permutation(len(f) - 1), len(f) - 1] for k, f in enumerate(features)]
    assert any((order != np.arange(len(order))).any() for order in shuffled)
    once = network(*pad(features, context)).log_prob(u)
    again = network(
        *pad(
            [f[o] for f, o in zip(features, shuffled, strict=True)],
            [c[o] for c, o in zip(context, shuffled, strict=True)],
        )
    ).log_prob(u)
    torch.testing.assert_close(once, again, atol=1e-4, rtol=1e-5)


def test_which_sweep_is_the_latest_does_matter(network):
    features, context = table()
    once = network.draw(features, context, 50, seeded())
    assert not np.allclose(once, network.draw(features[[1, 2, 0]], context, 50, seeded()))


def test_padding_changes_nothing(network, cells, u):
    together = network(*pad(*cells)).log_prob(u)
    features, context = cells
    alone = [
        network(*pad([f], [c])).log_prob(u[k, None]) for k, (f, c) in enumerate(zip(features, context, strict=True))
    ]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-5)


def test_what_stands_in_the_padding_changes_nothing(network, cells, u):
    features, context, there = pad(*cells)
    once = network(features, context, there).log_prob(u)
    features[~there] = 3.0
    torch.testing.assert_close(network(features, context, there).log_prob(u), once, atol=1e-5, rtol=1e-5)


def test_draws_never_leave_the_prior(network):
    draws = network.draw(*table(), 2000, seeded())
    for k, parameter in enumerate(network.parameters_of_cell):
        assert (draws[:, k] >= parameter.low).all()
        assert (draws[:, k] <= parameter.high).all()


@pytest.mark.parametrize("u", [-1e6, -40.0, -9.0, 9.0, 40.0, 1e6])
def test_not_even_the_farthest_tail_leaves_the_prior(network, u):
    theta = network.constrain(np.full((1, 12), u))[0]
    for value, parameter in zip(theta, network.parameters_of_cell, strict=True):
        assert parameter.low <= value <= parameter.high


def test_the_same_seed_gives_the_same_draws(network):
    once = network.draw(*table(), 20, seeded(4))
    assert np.array_equal(once, network.draw(*table(), 20, seeded(4)))
    assert not np.array_equal(once, network.draw(*table(), 20, seeded(5)))


def test_drawing_leaves_the_global_randomness_alone(network):
    state = torch.random.get_rng_state()
    network.draw(*table(), 20, seeded(4))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_missing_features_are_accepted(network):
    features, context = table()
    some = network.draw(np.where(np.arange(len(NAMES)) % 2, features, np.nan), context, 20, seeded())
    none = network.draw(np.full_like(features, np.nan), context, 20, seeded())
    assert np.isfinite(some).all()
    assert np.isfinite(none).all()
    assert not np.allclose(some, none)


@pytest.mark.parametrize(
    ("features", "context"),
    [((3, 50), (3, 12)), ((3, 51), (2, 12)), ((3, 51), (3, 11)), ((51,), (12,)), ((1, 3, 51), (1, 3, 12))],
)
def test_wrong_shapes_are_refused_in_one_sentence(network, features, context):
    with pytest.raises(ValueError, match=r"^Features have shape .* were wanted\.$"):
        network.draw(np.zeros(features), np.zeros(context), 5, seeded())


@pytest.mark.parametrize("sweeps", [1, 40])
@pytest.mark.parametrize("count", [1, 1000])
def test_draws_are_those_of_the_differentiable_path(network, sweeps, count):
    features, context = table(sweeps)
    draws = network.draw(features, context, count, seeded())
    posterior = network(*pad([features.astype(np.float32)], [context.astype(np.float32)]))
    slow = posterior.from_noise(torch.randn(count, 1, 12, generator=seeded()))[:, 0]
    assert slow.requires_grad
    wanted = network.constrain(slow.detach().double().numpy())
    width = [parameter.high - parameter.low for parameter in network.parameters_of_cell]
    np.testing.assert_allclose(draws / width, wanted / width, atol=2e-5, rtol=0)
