"""Adaptive designs follow the answers, and nothing that only the simulation knows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from estimators import adaptive
from estimators.abort import AbortRule
from estimators.adaptive import SWEEPS, Policies, adapt, disagreement
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.prospect import Foretold
from estimators.scaling import Scaling
from estimators.sets import Sets

COUNT = NAMES.index("spike_count")
AMPLITUDE, HOLDING, KNOWN = (CONTEXT.index(name) for name in ("amplitude", "holding", "holding_known"))
SCALE = 200.0


class Network:
    """Draws that are its noise, whatever it was shown, of which it takes note."""

    def __init__(self, parameters):
        self.parameters, self.shown, self.scaling = parameters, [], Scaling()

    def __call__(self, features, context, there):
        self.shown.append((features.numpy().copy(), context.numpy().copy()))
        return SimpleNamespace(from_noise=lambda noise: noise)

    def constrain(self, u):
        return np.stack([p.constrain(u[..., k]) for k, p in enumerate(self.parameters)], axis=-1)


@pytest.fixture
def process(spec):
    return replace(spec, designs=replace(spec.designs, scale=(SCALE, SCALE)))


@pytest.fixture
def network(spec):
    return Network(spec.parameters)


def answers(monkeypatch, fires):
    """Let sweeps be answered by `fires(theta, context)`; note what was played."""
    played = []

    def respond(theta, context, rigs, rng, names):
        played.append((theta.copy(), context.copy(), rigs))
        features = np.full((len(theta), len(NAMES)), np.nan)
        features[:, COUNT] = fires(theta, context)
        return features

    monkeypatch.setattr(adaptive, "respond", respond)
    return played


def amplitudes(sets):
    return [sets.context[a:b, AMPLITUDE] for a, b in zip(sets.first[:-1], sets.first[1:], strict=True)]


def run(network, process, cells=40, seed=0):
    return Sets.join(list(adapt(network, process, cells, np.random.default_rng(seed))))


def rheobase(theta):
    """Somewhere between a tenth and nine tenths of the scale, by the cell."""
    return SCALE * (0.1 + 0.8 * (theta[:, 2] - 5.0) / 115.0)


def test_a_set_has_from_four_to_ten_sweeps(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: 0.0)
    sizes = np.diff(run(network, process, 200).first)
    assert (sizes.min(), sizes.max()) == SWEEPS


@pytest.mark.parametrize(("sweeps", "sizes"), [((1, 1), set()), ((1, 3), {3}), ((1, 6), {4, 5, 6}), ((20, 40), {20})])
def test_a_set_has_as_many_sweeps_as_the_spec_allows(network, process, monkeypatch, sweeps, sizes):
    answers(monkeypatch, lambda theta, context: 0.0)
    process = replace(process, designs=replace(process.designs, sweeps=sweeps))
    parts = list(adapt(network, process, 60, np.random.default_rng(0)))
    assert {int(size) for part in parts for size in np.diff(part.first)} == sizes


def test_every_other_cells_rheobase_is_bisected(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: 1.0 * (context[:, AMPLITUDE] > rheobase(theta)))
    sets = run(network, process)
    theta = np.stack([p.constrain(sets.u[:, k].astype(float)) for k, p in enumerate(process.parameters)], axis=1)
    wanted = rheobase(theta)
    for k, steps in enumerate(amplitudes(sets)):
        if k % 2 == 0:
            assert steps[0] == SCALE / 2
            # Theta walks a little from sweep to sweep.
            assert steps[-1] == pytest.approx(wanted[sets.first[k + 1] - 1], abs=SCALE / 2 ** len(steps) + 2.0)


def test_the_step_goes_up_after_silence_and_down_after_spikes(network, process, monkeypatch):
    for count, sign in ((0.0, 1), (9.0, -1)):
        answers(monkeypatch, lambda theta, context, count=count: count)
        for steps in amplitudes(run(network, process))[::2]:
            assert (np.sign(np.diff(steps)) == sign).all()


def test_a_sweep_that_cannot_be_read_is_repeated_and_excluded(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: np.nan)
    sets = run(network, process)
    assert all((steps == SCALE / 2).all() for steps in amplitudes(sets)[::2])
    assert (sets.context[:, CONTEXT.index("excluded")] == 1).all()


def test_steps_depend_on_theta_only_by_the_answers(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: 1.0 * (context[:, AMPLITUDE] > 80.0))
    one = run(network, process)
    drawing = adaptive.walk
    monkeypatch.setattr(adaptive, "walk", lambda *given: -2.0 * drawing(*given))
    other = run(network, process)
    assert not np.allclose(one.u, other.u)
    np.testing.assert_array_equal(one.context, other.context)


def test_steps_depend_on_the_answers(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: 1.0 * (context[:, AMPLITUDE] > 80.0))
    one = amplitudes(run(network, process))
    answers(monkeypatch, lambda theta, context: 1.0 * (context[:, AMPLITUDE] > 120.0))
    other = amplitudes(run(network, process))
    assert all((a[0] == b[0]).all() for a, b in zip(one, other, strict=True))
    assert all((a != b).any() for a, b in zip(one[::2], other[::2], strict=True))


def test_the_network_is_shown_the_sweeps_before_and_no_other(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: 1.0 * (context[:, AMPLITUDE] > 80.0))
    sets = run(network, process, cells=40)
    others = np.arange(1, 40, 2)
    for k, (features, context) in enumerate(network.shown, start=1):
        going = others[np.diff(sets.first)[others] > k]
        rows = sets.first[going, None] + np.arange(k)
        np.testing.assert_array_equal(features, sets.features[rows])
        np.testing.assert_array_equal(context, sets.context[rows])


def test_the_step_is_the_one_on_which_two_draws_disagree_most(network, process, monkeypatch):
    # Below rest the two draws answer by their theta; above it all answer alike.
    answers(monkeypatch, lambda theta, context: np.where(context[:, AMPLITUDE] < 0, theta[:, 0], 3.0))
    for steps in amplitudes(run(network, process))[1::2]:
        assert (steps[1:] < 0).all()


def test_a_holding_that_is_not_known_is_not_known_to_the_prediction(network, process, monkeypatch):
    played = answers(monkeypatch, lambda theta, context: 0.0)
    sets = run(network, process, 60)
    unknown = sets.context[:, KNOWN] == 0
    assert (sets.context[unknown, HOLDING] == 0).all()
    recorded = [context for _, context, _ in played if (context[context[:, KNOWN] == 0, HOLDING] != 0).any()]
    # The cells themselves feel the true one, once a sweep; what is predicted for a choice does not.
    assert len(recorded) == np.diff(sets.first).max()


def test_a_cell_keeps_its_rig_and_its_noise_is_new_in_every_sweep(network, process, monkeypatch):
    played = answers(monkeypatch, lambda theta, context: 0.0)
    sets = run(network, process, 1)
    electrodes = np.concatenate([rigs.electrodes for _, _, rigs in played])
    assert len(electrodes) == len(sets.u)
    assert (np.ptp(electrodes[:, [2, 3, 5]], axis=0) == 0).all()
    assert (np.ptp(electrodes[:, [6, 7]], axis=0) > 0).all()


def test_real_cells_answer_and_the_same_seed_gives_the_same(spec):
    network = Network(spec.parameters)
    one, other = (run(network, spec, 6, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.features, other.features)
    np.testing.assert_array_equal(one.context, other.context)
    assert np.isfinite(one.features[:, COUNT]).mean() > 0.9
    assert torch.isfinite(torch.from_numpy(one.context)).all()


def test_disagreement_is_counted_in_spreads_and_a_missing_feature_is_one():
    one, other = np.array([[0.0, 1.0, np.nan]]), np.array([[2.0, np.nan, np.nan]])
    # The first column's spread is 1, so they are 2 apart; the second has one side only; the third neither.
    assert disagreement(one, other) == pytest.approx((4.0 + 1.0 + 0.0) / 3)
    assert disagreement(one, one) == pytest.approx(0.0)


class Prospect:
    """Promises most of the largest step, and takes note of what it was shown."""

    def __init__(self):
        self.shown = []

    def foretell(self, network, features, told, asked):
        self.shown.append((features.copy(), told.copy(), asked.copy()))
        return Foretold(np.stack([asked[..., AMPLITUDE, None]] * 2), np.zeros((2, *asked.shape[:2])))


def test_what_a_prospect_promises_most_of_is_played_and_it_is_shown_no_later_sweep(network, process, monkeypatch):
    answers(monkeypatch, lambda theta, context: 0.0)
    prospect, policies = Prospect(), Policies((0.0, 0.0, 1.0), 0.0, 12, 0)
    rng = np.random.default_rng(0)
    sets = Sets.join(list(adapt(network, process, 20, rng, prospect=prospect, policies=policies, sweeps=(3, 3))))
    later = np.concatenate([steps[1:] for steps in amplitudes(sets)])
    assert (later > 0.875 * SCALE - 1e-3).mean() > 0.3 and len(prospect.shown) == 2
    assert all(features.shape[1] == k + 1 for k, (features, _, _) in enumerate(prospect.shown))


def test_of_a_sweep_that_is_broken_off_nothing_is_read(network, process, monkeypatch):
    def respond(theta, context, rigs, rng, names, spoil=None):
        samples = np.full((len(theta), 40_000), -70.0, dtype=np.float32)
        samples[context[:, AMPLITUDE] > SCALE / 2] = 0.0
        if spoil is not None:
            spoil(samples, np.full(len(theta), 40_000), {})
        return np.zeros((len(theta), len(NAMES)))

    monkeypatch.setattr(adaptive, "respond", respond)
    made = adapt(network, process, 20, np.random.default_rng(0), prospect=Prospect(), rule=AbortRule(), sweeps=(4, 6))
    sets = Sets.join(list(made))
    broken = sets.context[:, AMPLITUDE] > SCALE / 2
    assert broken.any() and not broken.all()
    assert np.array_equal(np.isnan(sets.features).all(axis=1), broken)
    assert np.array_equal(sets.context[:, CONTEXT.index("excluded")] > 0, broken)
