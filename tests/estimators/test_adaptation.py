"""Cells whose steps an earlier network chose: what they are, and that the next network learns from them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from estimators import adaptation
from estimators.adaptation import adapt_to, adapted, chooser, weights_of
from estimators.adaptive import GAIN, MIXED, adapt
from estimators.checkpoint import save
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.promise import promise
from estimators.sets import Sets
from estimators.spec import Adaptation, SpecError, blind, spec_from

AMPLITUDE, DURATION, HOLDING, KNOWN = (
    CONTEXT.index(name) for name in ("amplitude", "duration", "holding", "holding_known")
)


@pytest.fixture
def answered(monkeypatch):
    """Let sweeps be answered at once; note what was played."""
    played = []

    def respond(theta, context, rigs, rng, names):
        played.append(context.copy())
        return np.random.default_rng(len(played)).normal(size=(len(theta), len(NAMES)))

    monkeypatch.setattr("estimators.adaptive.respond", respond)
    monkeypatch.setattr(adaptation, "_CHUNK", 40)
    return played


@pytest.fixture
def policy(taught, tmp_path):
    path = tmp_path / "earlier.h5"
    save(path, taught)
    return path


@pytest.fixture
def following(spec):
    return replace(spec, adaptive=Adaptation("earlier.h5", 0.25, (3, 6)))


def test_the_sweep_that_tells_of_theta_promises_most():
    def draw(u, context, generator):
        tells = context[:, AMPLITUDE] > 100.0
        noise = torch.randn(u.shape[0], generator=generator)
        features = torch.zeros(len(u), len(NAMES))
        features[:, 0] = torch.where(tells, u[:, 0], noise)
        return features

    def network(features, context, there):
        last = features[:, -1, 0]
        return SimpleNamespace(from_noise=lambda noise: noise, log_prob=lambda u: -((u[:, 0] - last) ** 2))

    network.parameters_of_cell = [None]
    asked = np.zeros((3, 5, len(CONTEXT)))
    asked[..., AMPLITUDE] = np.array([20.0, 150.0, 90.0])[:, None]
    told = np.zeros((5, 2, len(CONTEXT)))
    generator = torch.Generator().manual_seed(0)
    gains = promise(network, SimpleNamespace(draw=draw), np.zeros((5, 2, len(NAMES))), told, asked, 6, generator)
    assert gains.shape == (3, 5) and gains.argmax(axis=0).tolist() == [1] * 5
    # Theta is the one that made the sweep, row by row.
    assert gains[1].tolist() == [0.0] * 5


def test_steps_follow_what_was_shown_and_are_played_as_they_are_told(taught, spec, answered):
    (sets,) = adapt(taught.network, spec, 60, np.random.default_rng(0), likelihood=taught.likelihood, sweeps=(3, 6))
    sizes = np.diff(sets.first)
    assert sets.is_chosen.all() and (sizes.min(), sizes.max()) == (3, 6)
    assert np.allclose(answered[0][:, AMPLITUDE], sets.context[sets.first[:-1], AMPLITUDE], rtol=1e-5)
    tables = [sets.context[a:b] for a, b in zip(sets.first[:-1], sets.first[1:], strict=True)]
    # Of an unknown holding none is chosen; of known ones some cells' are, and some cells' durations.
    assert all(np.ptp(table[:, HOLDING]) == 0 for table in tables if not table[0, KNOWN])
    assert any(np.ptp(table[:, HOLDING]) > 0 for table in tables)
    assert any(np.ptp(table[:, DURATION]) > 0 for table in tables)
    low, high = spec.designs.domain()["amplitude"]
    assert low <= sets.context[:, AMPLITUDE].min() and sets.context[:, AMPLITUDE].max() <= high


def test_by_gain_every_sweep_after_the_first_is_the_one_that_promises_most(taught, spec, answered, monkeypatch):
    weighed = []

    def promise(network, likelihood, features, told, asked, draws, generator):
        weighed.append((asked, draws))
        # The farthest from rest in each cell promises most.
        return np.abs(asked[..., AMPLITUDE])

    monkeypatch.setattr("estimators.adaptive.promise", promise)

    def chosen(policies):
        weighed.clear()
        options = {"likelihood": taught.likelihood, "policies": policies, "sweeps": (5, 5)}
        (sets,) = adapt(taught.network, spec, 30, np.random.default_rng(1), **options)
        return sets.context[:, AMPLITUDE].reshape(30, 5)

    steps = chosen(GAIN)
    assert [(asked.shape[:2], draws) for asked, draws in weighed] == [((GAIN.weighed, 30), GAIN.draws)] * 4
    for k, (asked, _) in enumerate(weighed, start=1):
        best = np.abs(asked[..., AMPLITUDE]).argmax(axis=0)
        np.testing.assert_allclose(steps[:, k], asked[best, np.arange(30), AMPLITUDE], rtol=1e-5)
    # Who learns sees others choose, too, and steps that nobody chose.
    chosen(MIXED)
    assert all(asked.shape[0] == MIXED.weighed and asked.shape[1] < 30 for asked, _ in weighed)


def test_the_same_seed_gives_the_same_cells_and_a_killed_run_goes_on(following, policy, answered, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert list(adapt_to(whole, following, policy, 100)) == [40, 80, 120]
    answered.clear()
    for there in adapt_to(broken, following, policy, 100):
        if there == 40:
            break
    played = len(answered)
    assert list(adapt_to(broken, following, policy, 100)) == [40, 80, 120]
    assert len(answered) > played
    # What was noted of answers differs with how many there were; the first chunk's are the same.
    one, other = adapted(whole, 40), adapted(broken, 40)
    assert one.is_chosen.all() and (one.u == other.u).all() and (one.context == other.context).all()


def test_cells_of_another_network_are_begun_anew(following, policy, taught, answered, tmp_path):
    path = tmp_path / "cells"
    list(adapt_to(path, following, policy, 40))
    with torch.no_grad():
        taught.network.flow.place.weight += 0.1
    save(tmp_path / "other.h5", taught)
    assert weights_of(policy) != weights_of(tmp_path / "other.h5")
    answered.clear()
    list(adapt_to(path, following, tmp_path / "other.h5", 40))
    assert answered


def test_who_chooses_is_of_the_same_cells_and_can_weigh_sweeps(spec, following, policy, checkpoint, tmp_path):
    assert chooser(spec, tmp_path) is None
    assert chooser(following, tmp_path) == policy
    other = replace(following, nuisances=replace(spec.nuisances, drift=0.1))
    with pytest.raises(SpecError, match="about other cells"):
        chooser(other, tmp_path)
    with pytest.raises(SpecError, match="sets of so many sweeps"):
        chooser(replace(following, designs=replace(spec.designs, sweeps=(1, 2))), tmp_path)
    save(tmp_path / "mute.h5", checkpoint)
    with pytest.raises(SpecError, match="no likelihood"):
        chooser(replace(following, adaptive=Adaptation("mute.h5")), tmp_path)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("share = 0.2", "adaptive.network is ''"),
        ("network = 3", "adaptive.network is 3"),
        ('network = "x"\nshare = 1.5', "adaptive.share is 1.5"),
        ('network = "x"\nsweeps = [3.5, 9]', "adaptive.sweeps"),
        ('network = "x"\nkind = 1', "adaptive.kind is unknown"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_its_key(spec, table, said):
    with pytest.raises(SpecError, match=said):
        spec_from(f"{spec.text}\n[adaptive]\n{table}\n", "own.toml")


def test_a_share_of_all_cells_is_chosen_and_the_rest_is_blind(spec):
    read = spec_from(f'{spec.text}\n[adaptive]\nnetwork = "cortical-steps"\nshare = 0.25\n', "own.toml")
    assert read.adaptive == Adaptation("cortical-steps", 0.25) and blind(read) == (135, 15) and blind(spec) == (180, 20)


def test_sets_that_were_chosen_stay_marked(made):
    blindly = made.sets(5, seed=1)
    chosen = replace(made.sets(4, seed=2), chosen=np.ones(4, dtype=bool))
    assert Sets.join([blindly, blindly]).chosen is None
    joined = Sets.join([blindly, chosen])
    assert joined.is_chosen.tolist() == [False] * 5 + [True] * 4
    assert joined.cells(4, 7).is_chosen.tolist() == [False, True, True]
