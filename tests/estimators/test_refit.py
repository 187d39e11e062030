"""The layer that places the posterior follows cells that the rest has not seen, and only where others agree."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch

from estimators import refit as refits
from estimators.refit import refit
from estimators.training import held_out_log_prob, train


@pytest.fixture(scope="module")
def overconfident(spec, made):
    """A network whose posteriors are half as wide as they should be."""
    network = train(spec, made.sets(300, seed=5), made.sets(60, seed=6), lambda *_: None)
    with torch.no_grad():
        network.flow.place.bias[12:24] += math.log(0.5)
    return network


@pytest.fixture
def network(overconfident, spec):
    return copy.deepcopy(overconfident)


def test_too_sure_a_network_becomes_less_sure(network, made):
    fresh = made.sets(200, seed=9)
    before = held_out_log_prob(network, fresh)
    gain = refit(network, made.sets(400, seed=7), made.sets(100, seed=8), np.random.default_rng(0))
    assert gain > 0.5
    assert held_out_log_prob(network, fresh) > before + 0.5


def test_nothing_but_the_placing_layer_changes(network, made):
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    refit(network, made.sets(200, seed=7), made.sets(50, seed=8), np.random.default_rng(0))
    changed = {name for name, weight in network.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed == {"flow.place.weight", "flow.place.bias"}
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_the_cells_set_aside_do_not_like_is_not_kept(network, made, monkeypatch):
    before = network.flow.place.weight.clone()
    falling = itertools.count(0, -1)
    monkeypatch.setattr(refits, "_density", lambda *_: float(next(falling)))
    assert refit(network, made.sets(100, seed=7), made.sets(50, seed=8), np.random.default_rng(0)) == 0.0
    assert torch.equal(network.flow.place.weight, before)
    # It stops after five epochs that were no better, and does not go on to its last.
    assert next(falling) == -6


def test_the_same_generator_fits_the_same(overconfident, made):
    one, other = copy.deepcopy(overconfident), copy.deepcopy(overconfident)
    for network in (one, other):
        refit(network, made.sets(100, seed=7), made.sets(50, seed=8), np.random.default_rng(3))
    assert torch.equal(one.flow.place.weight, other.flow.place.weight)
