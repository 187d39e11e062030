import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from estimators.calibration import LEVELS, assess, check, coverage
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.generation import Sets
from simulators.parameter import Parameter

NOISE = 0.5
NAMES_OF_TOY = ("a", "b")


class Conjugate:
    """The exact posterior of normal theta seen through normal noise; `width` makes it too sure or too shy."""

    parameters_of_cell = tuple(Parameter(name, "1", -1.0, 1.0) for name in NAMES_OF_TOY)

    def __init__(self, width=1.0, shift=0.0):
        self.width, self.shift = width, shift

    def __call__(self, features, context, there):
        n = there.sum(dim=1, keepdim=True)
        seen = torch.nan_to_num(features[..., :2]) * there[..., None]
        variance = 1.0 / (1.0 + n / NOISE**2)
        mean = seen.sum(dim=1) / NOISE**2 * variance + self.shift
        deviation = (self.width * variance.sqrt()).expand(-1, 2)
        normal = torch.distributions.Normal(mean, deviation)
        return SimpleNamespace(
            from_noise=lambda noise: mean + deviation * noise, log_prob=lambda u: normal.log_prob(u).sum(-1)
        )


@pytest.fixture(scope="module")
def toy():
    """Cells whose first two features are theta plus noise; every other one fires."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 15, 3000)
    theta = rng.normal(size=(3000, 2))
    u = np.repeat(theta, sizes, axis=0)
    features = np.full((len(u), len(NAMES)), np.nan)
    features[:, :2] = u + NOISE * rng.normal(size=u.shape)
    features[:, NAMES.index("spike_count")] = np.repeat(np.arange(3000) % 2, sizes)
    first = np.concatenate([[0], np.cumsum(sizes)])
    context = np.zeros((len(u), len(CONTEXT)))
    return Sets(u.astype(np.float32), features.astype(np.float32), context.astype(np.float32), first)


@pytest.fixture(scope="module")
def exact(toy):
    return assess(Conjugate(), toy, np.random.default_rng(1))


def error(share, cells):
    """Three standard errors of a share."""
    return 3.0 * math.sqrt(share * (1 - share) / cells) + 2e-3


def test_an_exact_posterior_covers_what_it_promises(exact):
    for name in NAMES_OF_TOY:
        for label, level in LEVELS.items():
            assert exact["coverage"][name][label] == pytest.approx(level, abs=error(level, exact["n"]))


@pytest.mark.parametrize("strata", ["coverage_by_sweeps", "coverage_by_firing"])
def test_an_exact_posterior_covers_in_every_stratum(exact, strata):
    for stratum, table in exact[strata].items():
        for name in NAMES_OF_TOY:
            assert table[name]["90"] == pytest.approx(0.9, abs=error(0.9, exact["cells"][stratum])), stratum


def test_an_exact_posterior_passes_every_test(exact):
    assert min(exact["sbc_p"].values()) > 1e-3
    assert max(exact["sbc_deviation"].values()) < 0.05
    assert exact["tarp_p"] > 1e-3


def test_the_strata_hold_every_cell_once(exact):
    assert sum(exact["cells"][name] for name in ("1", "3", "10", "40")) == exact["n"] == 3000
    assert exact["cells"]["spiking"] == exact["cells"]["silent"] == 1500


def test_sharpness_is_measured_as_theory_has_it(exact, toy):
    variance = 1.0 / (1.0 + np.diff(toy.first) / NOISE**2)
    entropy = 0.5 * np.log(2 * math.pi * math.e * variance)
    assert exact["log_prob"] == pytest.approx(-2 * entropy.mean(), abs=0.08)
    assert exact["prior_log_prob"] == pytest.approx(-math.log(2 * math.pi * math.e), abs=0.08)
    for name in NAMES_OF_TOY:
        assert exact["contraction"][name] == pytest.approx(1 - variance.mean(), abs=0.005)
    by_sweeps = exact["log_prob_by_sweeps"]
    assert by_sweeps["1"] < by_sweeps["3"] < by_sweeps["10"] < by_sweeps["40"]


def test_too_sure_a_posterior_is_found_out(toy):
    found = assess(Conjugate(width=0.6), toy, np.random.default_rng(1))
    assert found["coverage"]["a"]["90"] < 0.75
    assert found["sbc_p"]["a"] < 1e-6
    assert found["tarp_p"] < 1e-6


def test_too_shy_a_posterior_is_found_out(toy):
    found = assess(Conjugate(width=1.6), toy, np.random.default_rng(1))
    assert found["coverage"]["a"]["90"] > 0.97
    assert found["sbc_p"]["a"] < 1e-6


def test_a_biased_posterior_is_found_out(toy):
    found = assess(Conjugate(shift=0.1), toy, np.random.default_rng(1))
    assert found["sbc_p"]["b"] < 1e-6
    assert found["sbc_deviation"]["b"] > 0.05


def test_the_same_seed_finds_the_same(toy, exact):
    assert assess(Conjugate(), toy, np.random.default_rng(1)) == exact


def test_where_there_are_no_cells_there_is_no_share():
    assert coverage(np.empty((0, 1)), ["a"]) == {"a": dict.fromkeys(LEVELS)}


def test_checking_asks_for_fresh_cells_of_the_networks_own_process(saved, made, monkeypatch):
    asked = []

    def generate(parameters, designs, nuisances, cells, rng):
        asked.append((parameters, cells))
        yield made.sets(cells, seed=8)

    monkeypatch.setattr("estimators.calibration.generate", generate)
    found = check(saved, simulations=60)
    assert found["network"] == "cortical-steps"
    assert found["n"] == 60
    assert asked[0][1] == 60
    assert set(found["coverage"]) == {parameter.name for parameter in asked[0][0]}
