import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from estimators.aims import LEVELS, stray
from estimators.calibration import assess, check, coverage, deviation
from estimators.checkpoint import save
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.sets import Sets
from estimators.strata import DESIGNS
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
    assert exact["log_prob_by_design"] == dict.fromkeys(DESIGNS)
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


class Blind:
    """The prior, whatever was seen: exact where features tell nothing; `width` and `shift` spoil it."""

    parameters_of_cell = Conjugate.parameters_of_cell

    def __init__(self, width=1.0, shift=0.0):
        self.width, self.shift = width, shift

    def __call__(self, features, context, there):
        normal = torch.distributions.Normal(torch.full((len(features), 2), self.shift), self.width)
        return SimpleNamespace(
            from_noise=lambda noise: self.shift + self.width * noise, log_prob=lambda u: normal.log_prob(u).sum(-1)
        )


WIDTH, SHIFT = 0.5, 0.5


@pytest.fixture(scope="module")
def told_apart(toy):
    """What is found of the prior itself, of one half as wide, and of one that is shifted."""
    networks = {"right": Blind(), "sure": Blind(width=WIDTH), "biased": Blind(shift=SHIFT)}
    return {name: assess(network, toy, np.random.default_rng(3)) for name, network in networks.items()}


@pytest.mark.parametrize("label", LEVELS)
def test_coverage_is_what_theory_has_it_for_right_sure_and_biased_posteriors(told_apart, label):
    reach = stats.norm.ppf(0.5 + LEVELS[label] / 2)
    expected = {
        "right": LEVELS[label],
        "sure": 2 * stats.norm.cdf(WIDTH * reach) - 1,
        "biased": stats.norm.cdf(SHIFT + reach) - stats.norm.cdf(SHIFT - reach),
    }
    for name, share in expected.items():
        found = told_apart[name]["coverage"]["a"][label]
        assert found == pytest.approx(share, abs=error(share, 3000) + 0.005), name


def test_the_ranks_deviate_by_what_theory_has_it(told_apart):
    z = math.sqrt(2 * math.log(1 / WIDTH) / (1 - WIDTH**2))
    expected = {"sure": stats.norm.cdf(z) - stats.norm.cdf(WIDTH * z), "biased": 2 * stats.norm.cdf(SHIFT / 2) - 1}
    for name, deviation_ in expected.items():
        assert told_apart[name]["sbc_deviation"]["b"] == pytest.approx(deviation_, abs=stray(3000)), name
    assert max(told_apart["right"]["sbc_deviation"].values()) < stray(3000) + 0.01


def test_z_scores_tell_bias_from_overconfidence(told_apart):
    for name, mean, spread in (("right", 0, 1), ("sure", 0, 1 / WIDTH), ("biased", -SHIFT, 1)):
        assert told_apart[name]["z_mean"]["a"] == pytest.approx(mean, abs=0.12), name
        assert told_apart[name]["z_sd"]["a"] == pytest.approx(spread, rel=0.06), name


def test_expected_coverage_tells_a_right_posterior_from_both_others(told_apart):
    assert told_apart["right"]["tarp_deviation"] < stray(3000)
    assert told_apart["right"]["tarp"]["90"] == pytest.approx(0.9, abs=error(0.9, 3000))
    assert told_apart["sure"]["tarp_deviation"] > 0.1
    assert told_apart["sure"]["tarp"]["90"] < 0.75
    assert told_apart["biased"]["tarp_deviation"] > 0.05


def test_contraction_is_none_of_the_prior(told_apart):
    assert told_apart["right"]["contraction"]["a"] == pytest.approx(0.0, abs=0.01)
    assert told_apart["sure"]["contraction"]["a"] == pytest.approx(1 - WIDTH**2, abs=0.01)


def test_the_list_of_misses_and_the_verdict_tell_them_apart(told_apart):
    assert not any(row["beyond_noise"] for row in told_apart["right"]["missed"])
    assert len(told_apart["right"]["missed"]) < 3 * told_apart["right"]["missed_by_chance"] + 5
    assert told_apart["right"]["verdict"].startswith("Over all 3000 fresh cells every interval holds")
    for name in ("sure", "biased"):
        sure = [row for row in told_apart[name]["missed"] if row["beyond_noise"]]
        assert {row["parameter"] for row in sure if row["stratum"] == "pooled"} == set(NAMES_OF_TOY), name
        assert {"coverage", "sbc_deviation"} == {row["figure"] for row in sure}, name
        assert told_apart[name]["verdict"].startswith("Not every interval holds what it promises: a, b miss"), name


def test_every_key_that_users_read_is_there(exact):
    assert {
        "coverage", "coverage_by_sweeps", "sbc_p", "tarp_p", "log_prob", "contraction", "n",
    } <= set(exact)  # fmt: skip
    assert {"1", "3", "10"} <= set(exact["coverage_by_sweeps"])
    assert json.dumps(exact, allow_nan=False)


def test_the_ranks_are_counted_in_a_hundred_bins(exact):
    for name in NAMES_OF_TOY:
        assert len(exact["rank_counts"][name]) == 100
        assert sum(exact["rank_counts"][name]) == 3000


def test_cells_that_fire_and_cells_that_do_not_are_told_apart(toy):
    silent = np.repeat(np.arange(3000) % 2 == 0, np.diff(toy.first))
    elsewhere = replace(toy, u=toy.u + np.float32(100.0) * silent[:, None])
    found = assess(Conjugate(), elsewhere, np.random.default_rng(1))["coverage_by_firing"]
    assert found["silent"]["a"]["95"] == 0.0
    assert found["spiking"]["a"]["95"] > 0.9


def test_cells_drawn_for_a_stratum_count_there_and_nowhere_else(toy, exact):
    alone = Sets(toy.u[:1], toy.features[:1], toy.context[:1], np.array([0, 1]))
    more = {"1": alone, "40": alone, "adaptive": alone, "gain": toy}
    found = assess(Conjugate(), toy, np.random.default_rng(1), more)
    assert found["n"] == 3000
    assert found["coverage"] == exact["coverage"]
    assert found["cells"]["1"] == exact["cells"]["1"] + 1
    # It has one sweep, whatever it was drawn for.
    assert found["cells"]["40"] == exact["cells"]["40"]
    assert (found["cells"]["adaptive"], found["cells"]["random"]) == (1, 0)
    assert found["coverage_by_design"]["random"]["a"]["90"] is None
    # What is drawn anew for the same cells differs by the noise of the draws, and the density not at all.
    assert found["coverage_by_design"]["gain"]["a"]["90"] == pytest.approx(found["coverage"]["a"]["90"], abs=0.01)
    assert found["log_prob_by_design"]["gain"] == pytest.approx(found["log_prob"])
    assert "chose the steps by the information it expected of them (3000 cells)" in found["verdict"]
    assert found["sbc_deviation_by_stratum"]["random"] == {"a": None, "b": None}


def test_one_cell_is_enough_to_be_told_something(toy):
    alone = Sets(toy.u[:1], toy.features[:1], toy.context[:1], np.array([0, 1]))
    found = assess(Conjugate(), alone, np.random.default_rng(1))
    assert found["n"] == 1
    assert "So few fresh cells (1) can't tell" in found["verdict"]
    assert json.dumps(found, allow_nan=False)


def test_the_deviation_is_kolmogorovs():
    ranks = np.random.default_rng(5).beta(1.2, 1.0, (400, 2))
    found = deviation(ranks, ["a", "b"])
    for k, name in enumerate("ab"):
        assert found[name] == pytest.approx(stats.kstest(ranks[:, k], "uniform").statistic, abs=1e-12)


def test_checking_lets_the_network_choose_sweeps_with_its_own_likelihood(taught, tmp_path, made, monkeypatch):
    asked = []

    def generate(parameters, designs, nuisances, cells, rng, *, kind=None):
        yield made.sets(cells, seed=8)

    def adapt(network, spec, cells, rng, *, likelihood=None, **_):
        asked.append(likelihood)
        yield made.sets(cells, seed=9)

    monkeypatch.setattr("estimators.calibration.generate", generate)
    monkeypatch.setattr("estimators.strata.generate", generate)
    monkeypatch.setattr("estimators.strata.adapt", adapt)
    save(tmp_path / "net.h5", replace(taught, record={"adaptive": {"cells": 45, "weights": "0" * 16}}))
    found = check(tmp_path / "net.h5", simulations=60)
    assert (found["adaptive_cells"], found["cells"]["gain"]) == (45, 12)
    weights = taught.likelihood.state_dict()
    assert asked[0] is None
    assert all((weights[name] == value).all() for name, value in asked[1].state_dict().items())


def test_checking_asks_for_fresh_cells_of_the_networks_own_process(saved, made, monkeypatch):
    asked = []

    def generate(parameters, designs, nuisances, cells, rng, *, kind=None):
        asked.append((parameters, cells, kind))
        yield made.sets(cells, seed=8)

    monkeypatch.setattr("estimators.calibration.generate", generate)
    monkeypatch.setattr("estimators.strata.generate", generate)
    monkeypatch.setattr("estimators.strata.adapt", lambda *_: iter([]))
    found = check(saved, simulations=60)
    assert found["network"] == "cortical-steps"
    assert (found["n"], found["seed"], found["made"]) == (60, 7, None)
    assert (found["adaptive_cells"], found["cells"]["gain"]) == (0, 0)
    assert asked[0][1:] == (60, None)
    assert [(cells, kind) for _, cells, kind in asked if kind] == [(12, "random"), (12, "family")]
    assert set(found["coverage"]) == {parameter.name for parameter in asked[0][0]}
