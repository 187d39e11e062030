import numpy as np
import pytest
import torch
from scipy import stats

from estimators.context import CONTEXT
from estimators.faults import FAULTS
from estimators.features import NAMES
from estimators.likelihood import ORDER
from estimators.oddity import RARE
from estimators.surprise import Surprise

REST, COUNT = NAMES.index("rest"), NAMES.index("spike_count")
EXCLUDED = CONTEXT.index("excluded")
SIZE = 400


class Suspicious:
    """A watchman who was taught the faults, and says what he is told to."""

    taught = tuple(FAULTS)

    def __init__(self, say):
        self._say = say

    def __call__(self, *sweeps):
        return self._say(*sweeps)


@pytest.fixture(scope="module")
def predictive(made, sets):
    return made.likelihood((), sets)


@pytest.fixture(scope="module")
def watchman():
    """One who suspects a sweep as far as its features are high."""

    def simple(features, context):
        total = torch.nan_to_num(features).sum(dim=1, keepdim=True)
        return total * torch.linspace(1.0, 0.1, len(FAULTS))

    return Suspicious(simple)


def drawn(predictive, sets, count, seed):
    """Sweeps that the prior predictive itself draws."""
    used = np.flatnonzero(sets.context[:, EXCLUDED] == 0)
    rows = np.random.default_rng(seed).choice(used, count)
    context = torch.from_numpy(sets.context[rows])
    features = predictive.draw(torch.zeros(count, 0), context, torch.Generator().manual_seed(seed))
    return features.double().numpy(), context.double().numpy()


@pytest.fixture(scope="module")
def surprise(predictive, watchman, sets):
    from estimators.surprise import _double, _scores

    return Surprise(predictive, watchman, _scores(_double(predictive), watchman, *drawn(predictive, sets, SIZE, 1))[0])


def test_sweeps_of_the_process_have_uniform_p_values(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 500, 2)
    assert stats.kstest(surprise.judge_all(features, context), "uniform").pvalue > 1e-3


def test_many_are_judged_as_one_by_one(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 7, 3)
    together = surprise.judge_all(features, context)
    alone = [surprise.judge(row, told).p for row, told in zip(features, context, strict=True)]
    assert together.tolist() == pytest.approx(alone)


def test_a_feature_that_is_far_off_is_named_with_its_unit_and_its_usual_range(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 1, 4)
    row = features[0]
    row[REST] = 5e3
    strange = surprise.judge(row, context[0])
    assert strange.p <= 2 / (SIZE + 1)
    assert strange.distance > 1.25
    assert strange.outside[0].startswith("rest is 5e+03 mV, ")
    assert "above it" in strange.outside[0]
    assert "98 % of sweeps with such a step lie in" in strange.outside[0]


def test_a_feature_that_is_off_is_told_with_where_it_was_expected_and_how_far_it_is(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 1, 4)
    for value, side in ((5e3, "above"), (-5e3, "below")):
        features[0, REST] = value
        off = surprise.judge(features[0], context[0]).off[0]
        assert (off.feature, off.unit, off.value, off.side, off.ground) == ("rest", "mV", value, side, "step")
        assert off.p < RARE and off.is_off
        # The range is that of the check itself: what lies within it, this check calls no oddity.
        assert -5e3 < off.low < off.high < 5e3
        features[0, REST] = 0.5 * (off.low + off.high)
        assert "rest" not in [each.feature for each in surprise.judge(features[0], context[0]).off]


def test_a_feature_that_is_missing_where_each_sweep_has_it_is_off(surprise, predictive, sets, monkeypatch):
    from estimators import surprise as module

    features, context = drawn(predictive, sets, 1, 4)
    tails, below = np.zeros((1, len(NAMES))), np.full((1, len(NAMES)), np.nan)
    k = ORDER.index(REST)
    tails[0, k] = 9.0
    monkeypatch.setattr(module, "_scores", lambda *_: (np.zeros((1, 1 + len(FAULTS))), tails, below))
    for value, side in ((np.nan, "missing"), (-70.0, "there")):
        features[0, REST] = value
        (off,) = surprise.judge(features[0], context[0]).off
        assert (off.feature, off.side) == ("rest", side)
        assert off.p == pytest.approx(np.exp(-9.0))


def test_what_is_far_below_is_said_to_be_below(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 1, 4)
    features[0, REST] = -5e3
    assert "below it" in surprise.judge(features[0], context[0]).outside[0]


def test_a_typical_sweep_has_nothing_to_be_named(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 60, 5)
    judged = [surprise.judge(row, told) for row, told in zip(features, context, strict=True)]
    assert sum(bool(strange.outside) for strange in judged) < 15
    assert any(strange.p > 0.5 and not strange.outside for strange in judged)


def test_nothing_is_clamped_before_it_is_scored(surprise, predictive, sets):
    features, context = drawn(predictive, sets, 1, 6)
    tails = []
    for rest in (38.0, 41.0, 44.0):
        features[0, REST] = rest
        tails.append(surprise.judge(features[0], context[0]).distance)
    assert tails[0] < tails[1] < tails[2]


def test_who_is_suspicious_is_heard_though_the_density_is_not_surprised(predictive, watchman, sets):
    calm = np.stack([np.linspace(1.0, 9.0, 99), *[np.linspace(0.0, 1.0, 99)] * len(FAULTS)], axis=1)

    def score(tail, odds):
        return np.array([[tail, *[odds] * len(FAULTS)]])

    surprise = Surprise(predictive, watchman, calm)
    assert surprise.p_values(score(1.0, 7.0))[0] <= 0.02
    assert surprise.p_values(score(99.0, 0.0))[0] <= 0.02
    assert surprise.p_values(score(5.0, 0.5))[0] > 0.3
    # As strange as the strangest of 99, or stranger than all of them.
    assert surprise.p_values(score(9.0, 0.0))[0] == pytest.approx(0.02)
    assert surprise.p_values(score(99.0, 0.0))[0] == pytest.approx(0.01)


def test_a_neuron_that_another_model_describes_better_is_no_alarm(predictive):
    def suspicion(name, odds):
        return np.array([[0.0, *(odds if each == name else 0.0 for each in ("sign", "adex"))]])

    alike = Suspicious(None)
    alike.taught = ("sign", "adex")
    surprise = Surprise(predictive, alike, np.random.default_rng(0).random((99, 3)))
    assert surprise.p_values(suspicion("sign", 7.0))[0] <= 0.02
    assert surprise.p_values(suspicion("adex", 7.0))[0] > 0.1


def test_fresh_sweeps_are_scored_without_those_that_were_excluded(predictive, watchman, spec, made, monkeypatch):
    def generate(parameters, designs, nuisances, cells, rng, *, sweeps):
        assert sweeps == 1
        yield made.sets(cells, sweeps=1)

    monkeypatch.setattr("estimators.surprise.generate", generate)
    scores = Surprise.make(predictive, watchman, spec, np.random.default_rng(0), 200)
    used = int((made.sets(200, sweeps=1).context[:, EXCLUDED] == 0).sum())
    assert scores.shape == (used, 1 + len(FAULTS))
    assert used < 200
    assert np.isfinite(scores).all()


def test_the_fault_that_a_sweep_looks_most_like_is_named(predictive, sets):
    features, context = drawn(predictive, sets, 1, 7)
    odds = torch.full((1, len(FAULTS)), -3.0)
    odds[0, list(FAULTS).index("sign")] = 50.0
    calm = np.random.default_rng(0).random((1500, 1 + len(FAULTS)))
    told = Surprise(predictive, Suspicious(lambda *_: odds), calm).judge(features[0], context[0]).outside
    assert told[-1] == "the sweep looks like the wrong sign"
    quiet = (
        Surprise(predictive, Suspicious(lambda *_: odds.clamp(max=0.5)), calm).judge(features[0], context[0]).outside
    )
    assert not any("looks like" in sentence for sentence in quiet)


def test_who_looks_for_one_fault_is_not_alarmed_by_another(predictive, sets):
    features, context = drawn(predictive, sets, 3, 8)
    odds = torch.full((3, len(FAULTS)), -3.0)
    odds[:, list(FAULTS).index("sign")] = 50.0
    surprise = Surprise(predictive, Suspicious(lambda *_: odds), np.random.default_rng(0).random((99, 1 + len(FAULTS))))
    assert surprise.judge_for("sign", features, context).tolist() == [0.01] * 3
    assert surprise.judge_for("hum_half_mV", features, context).tolist() == [1.0] * 3


@pytest.mark.parametrize(
    ("fault", "odds", "refused"), [("sign", 4.0, True), ("sign", 2.0, False), ("hum_half_mV", 9.0, False)]
)
def test_only_what_surely_makes_a_sweep_worthless_is_refused(predictive, sets, fault, odds, refused):
    features, context = drawn(predictive, sets, 1, 9)
    said = torch.full((1, len(FAULTS)), -3.0)
    said[0, list(FAULTS).index(fault)] = odds
    strange = Surprise(predictive, Suspicious(lambda *_: said), np.random.default_rng(0).random((99, 1 + len(FAULTS))))
    refusal = strange.judge(features[0], context[0]).refusal
    assert (refusal is not None) == refused
    assert not refused or refusal.startswith("This sweep looks like the wrong sign, not like a cell on a sound rig")


def test_a_cell_that_is_only_not_the_model_is_not_refused(predictive, sets):
    features, context = drawn(predictive, sets, 1, 10)
    features[0, REST] = 5e3
    nobody = Suspicious(lambda *_: torch.full((1, len(FAULTS)), -9.0))
    calm = Surprise(predictive, nobody, np.ones((99, 1 + len(FAULTS))))
    strange = calm.judge(features[0], context[0])
    assert strange.distance > 1.25
    assert strange.p < 0.02
    assert strange.refusal is None
