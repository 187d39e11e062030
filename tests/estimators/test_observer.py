from dataclasses import replace

import numpy as np
import pytest

from estimators.context import Context
from estimators.features import NAMES
from estimators.observer import Observer, _blamed
from estimators.oddity import Oddity
from estimators.prequential import Misfit, predict

STEP = Context(100.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0)
REST = NAMES.index("rest")


@pytest.fixture(autouse=True)
def no_simulation(monkeypatch):
    """Predictions from features drawn at random: what is tested here is what becomes of them."""

    def simulate(theta, context, nuisances, rng, names):
        return rng.normal(size=(len(theta), len(NAMES))) + theta[:, :1] / 100.0

    monkeypatch.setattr("estimators.observer.simulate", simulate)


@pytest.fixture
def observer(checkpoint):
    return Observer(checkpoint, seed=3, draws=50)


@pytest.fixture
def rows(sets):
    """Features of training sweeps that are there, and the contexts that go with them."""
    there = np.flatnonzero(np.isfinite(sets.features[:, NAMES.index("mean_voltage")]))[:60]
    contexts = [Context(*map(float, sets.context[k])) for k in there]
    return [
        (sets.features[k].astype(float), replace(c, start=5.0 * n, excluded=0.0))
        for n, (k, c) in enumerate(zip(there, contexts, strict=True))
    ]


def test_nothing_is_expected_before_the_first_sweep(observer):
    assert observer.expect(STEP) is None


def test_a_sweep_is_expected_from_those_before_it(observer, rows):
    observer.observe(*rows[0])
    prediction = observer.expect(STEP)
    assert set(prediction.intervals()) == set(NAMES)


def test_expecting_changes_nothing(checkpoint, rows):
    looked, blind = Observer(checkpoint, draws=20), Observer(checkpoint, draws=20)
    for row, context in rows[:3]:
        looked.expect(context)
        looked.expect(context)
        assert np.array_equal(looked.observe(row, context).draws, blind.observe(row, context).draws)


def test_the_same_sweeps_and_seed_give_the_same_numbers(checkpoint, rows):
    def session(seed):
        observer = Observer(checkpoint, seed=seed, draws=20)
        told = []
        for row, context in rows[:4]:
            prediction = observer.expect(context)
            verdict = observer.observe(row, context, prediction)
            told += [verdict.draws, verdict.score, [] if prediction is None else prediction.quantiles]
        return told

    for one, other in zip(session(5), session(5), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(session(5)[0], session(6)[0])


def test_every_used_sweep_counts(observer, rows):
    used = [observer.observe(*each).sweeps_used for each in rows[:4]]
    assert used == [1, 2, 3, 4]


def test_a_step_outside_the_domain_is_not_used_and_says_why(observer, rows):
    first = observer.observe(*rows[0])
    verdict = observer.observe(rows[1][0], replace(STEP, duration=5000.0))
    assert (verdict.sweeps_used, verdict.in_distribution, verdict.score) == (1, False, 0.0)
    assert "outside the 200 to 1000 ms" in verdict.reasons[0]
    assert verdict.reasons[0].endswith(": this sweep is not used.")
    assert verdict.draws.shape == first.draws.shape


def test_a_voltage_that_is_none_is_not_used(observer):
    verdict = observer.observe(np.full(len(NAMES), np.nan), STEP)
    assert verdict.draws is None
    assert "check gain and units" in verdict.reasons[0]


def test_a_sweep_unlike_all_training_is_not_used(observer, rows):
    row = np.full(len(NAMES), 1e7)
    verdict = observer.observe(row, rows[0][1])
    assert verdict.draws is None
    assert not verdict.in_distribution
    assert "unlike every sweep of training: rest is 1e+07 mV" in verdict.reasons[0]


def test_what_another_refused_is_not_used_for_that_reason(observer, rows):
    verdict = observer.observe(*rows[0], refusal="The file says nothing of the current.")
    assert verdict.draws is None
    assert verdict.reasons == ("The file says nothing of the current: this sweep is not used.",)


def test_there_is_a_posterior_exactly_where_a_sweep_was_used(observer, rows):
    pattern = [False, False, True, False, True]
    for use, (row, context) in zip(pattern, rows, strict=False):
        verdict = observer.observe(row, context, refusal=None if use else "No.")
        assert (verdict.draws is not None) == (verdict.sweeps_used > 0)
        assert bool(verdict.reasons) or verdict.draws is not None
    assert verdict.sweeps_used == 2


def test_a_refused_sweep_stays_as_a_token_that_says_so(checkpoint, rows):
    with_gap, without = Observer(checkpoint, draws=20), Observer(checkpoint, draws=20)
    for observer in (with_gap, without):
        observer.observe(*rows[0])
    with_gap.observe(*rows[1], refusal="No.")
    without.observe(np.full(len(NAMES), np.nan), replace(STEP, duration=9.0))
    assert not np.array_equal(with_gap.observe(*rows[2]).draws, without.observe(*rows[2]).draws)


def test_what_a_refused_sweep_showed_is_never_seen(checkpoint, rows):
    one, other = Observer(checkpoint, draws=20), Observer(checkpoint, draws=20)
    for observer, row in ((one, rows[1][0]), (other, rows[2][0])):
        observer.observe(row, rows[1][1], refusal="No.")
    assert np.array_equal(one.observe(*rows[3]).draws, other.observe(*rows[3]).draws)


def test_beyond_forty_sweeps_the_latest_are_used_and_it_says_so(checkpoint, rows):
    observer, late = Observer(checkpoint, draws=20), Observer(checkpoint, draws=20)
    for k, each in enumerate(rows[:45]):
        verdict = observer.observe(*each)
        assert verdict.sweeps_used == min(k + 1, 40)
        assert any("latest 40 of" in reason for reason in verdict.reasons) == (k >= 40)
    assert any(reason == "The latest 40 of 45 sweeps are used." for reason in verdict.reasons)
    for _ in range(5):
        late.observe(rows[0][0], replace(STEP, duration=9.0))
    for each in rows[5:45]:
        latest = late.observe(*each)
    assert np.array_equal(verdict.draws, latest.draws)


def test_a_missed_prediction_shows_in_score_and_reason(observer, rows):
    observer.observe(*rows[0])
    row, context = rows[1]
    prediction = predict(np.random.default_rng(0).normal(500.0, 0.1, (50, len(NAMES))))
    verdict = observer.observe(row, context, prediction)
    assert verdict.score <= 0.01
    assert verdict.reasons[0].startswith("The sweeps before did not predict this one, p = ")
    assert verdict.sweeps_used == 2
    for k in (2, 3, 4):
        again = observer.observe(*rows[k % len(rows)], prediction)
    assert any("this cell is not quite the model" in reason for reason in again.reasons)
    assert any("to 1, which one sound cell in 20 at most ever reaches" in reason for reason in again.reasons)


def test_a_met_prediction_is_no_remark(observer, rows):
    observer.observe(*rows[0])
    row, context = rows[1]
    known = np.where(np.isfinite(row), row, 0.0)
    prediction = predict(known + np.random.default_rng(0).normal(0.0, 1.0, (50, len(NAMES))))
    verdict = observer.observe(row, context, prediction)
    assert not any("did not predict" in reason for reason in verdict.reasons)


def test_nothing_is_expected_outside_the_domain(observer, rows):
    observer.observe(*rows[0])
    assert observer.expect(replace(STEP, amplitude=5000.0)) is None


def test_warming_up_leaves_no_trace(checkpoint, rows):
    warm, cold = Observer(checkpoint, draws=20), Observer(checkpoint, draws=20)
    warm.warm()
    assert warm.expect(STEP) is None
    assert np.array_equal(warm.observe(*rows[0]).draws, cold.observe(*rows[0]).draws)


def test_a_network_with_a_prior_predictive_judges_by_it_and_one_without_by_its_nearest_sweeps(taught, checkpoint, rows):
    assert type(Observer(checkpoint)._novelty).__name__ == "Novelty"
    observer = Observer(taught, draws=20)
    assert type(observer._novelty).__name__ == "Surprise"
    row, context = rows[0][0].copy(), rows[0][1]
    row[REST] = 1e4
    verdict = observer.observe(row, context)
    assert any("rest is 1e+04 mV" in reason for reason in verdict.reasons)
    assert verdict.score < 0.01


def test_the_score_is_the_smallest_of_the_checks_on_a_sweep_and_the_session_has_its_own(observer, rows):
    (alone, session) = observer.observe(*rows[0]).checks
    assert (alone.name, session.name) == ("this sweep", "session")
    row, context = rows[1]
    off = predict(np.random.default_rng(0).normal(500.0, 0.1, (50, len(NAMES))))
    verdict = observer.observe(row, context, off)
    checks = {check.name: check.p for check in verdict.checks}
    assert list(checks) == ["this sweep", "sweeps before", "session"]
    assert verdict.score == min(checks["this sweep"], checks["sweeps before"])
    assert verdict.off[0].is_off and f"{verdict.off[0].feature} is" in verdict.reasons[0]
    for k in (2, 3, 4):
        verdict = observer.observe(*rows[k], off)
    # The inverse of the evidence: a twentieth is the alarm.
    assert verdict.checks[-1].p == 1.0 / observer._wager.highest < 0.05
    known = np.where(np.isfinite(rows[4][0]), rows[4][0], 0.0)
    met = predict(known + np.random.default_rng(0).normal(0.0, 1.0, (50, len(NAMES))))
    # What was once enough stays enough.
    assert observer.observe(*rows[4], met).checks[-1].p == verdict.checks[-1].p
    assert observer._wager.capital < observer._wager.highest
    refused = observer.observe(*rows[5], refusal="No.")
    assert (refused.checks, refused.off) == ((), ())


def test_the_farthest_feature_is_off_where_the_reason_names_it():
    odd = Oddity("rest", "mV", -60.0, -72.0, -65.0, 0.01, "above", "sweeps before", 2.6, is_off=False)
    assert [each.is_off for each in _blamed(Misfit(0.004, 9.0, "rest is -60 mV", (odd,)))] == [True]
    assert [each.is_off for each in _blamed(Misfit(0.4, 1.0, "rest is -60 mV", (odd,)))] == [False]
    assert _blamed(Misfit(0.004, 9.0, None, ())) == ()
