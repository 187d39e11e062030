from dataclasses import replace

import numpy as np
import pytest

from estimators.context import Context
from estimators.features import NAMES
from estimators.forecast import Forecast

STEP = Context(100.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0)
REST, COUNT, THRESHOLD = (NAMES.index(name) for name in ("rest", "spike_count", "threshold"))
CURRENTS = np.linspace(-50.0, 250.0, 7)


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """A model whose features are straight lines of the current, and theta's, without a simulation."""

    def simulate(theta, context, nuisances, rng, of_cell, names):
        features = np.repeat(context[:, :1] / 100.0, len(NAMES), axis=1)
        features[:, REST] = theta[:, 7]
        features[:, COUNT] = np.maximum(np.round(context[:, 0] / 20.0), 0.0)
        features[context[:, 0] <= 0.0, THRESHOLD] = np.nan
        return features

    monkeypatch.setattr("estimators.forecast.simulate", simulate)


def sweeps(checkpoint, error=0.0):
    contexts = [replace(STEP, amplitude=float(pA), start=5.0 * k) for k, pA in enumerate(CURRENTS)]
    rows = np.repeat(CURRENTS[:, None] / 100.0, len(NAMES), axis=1)
    rows[:, REST] = -70.0
    rows[:, COUNT] = np.maximum(np.round(CURRENTS / 20.0) + error * (CURRENTS > 0), 0.0)
    rows[CURRENTS <= 0.0, THRESHOLD] = np.nan
    return rows, contexts


def test_what_the_model_misses_is_carried_over_to_the_sweep_asked_about(checkpoint):
    rows, contexts = sweeps(checkpoint, error=4.0)
    seen, asked = [0, 1, 3, 4, 6], [2, 5]
    forecast = Forecast(checkpoint, rows[seen], [contexts[k] for k in seen], [contexts[k] for k in asked], draws=60)
    assert np.median(forecast.sweep(1)[:, COUNT]) == pytest.approx(rows[5, COUNT], abs=1.0)
    assert np.median(forecast.unaided(1)[:, COUNT]) == rows[5, COUNT] - 4.0


def test_a_model_that_is_right_is_believed(checkpoint):
    rows, contexts = sweeps(checkpoint)
    forecast = Forecast(checkpoint, rows[::2], contexts[::2], [contexts[3]], draws=60)
    low, high = np.quantile(forecast.sweep(0)[:, COUNT], [0.05, 0.95])
    assert low <= rows[3, COUNT] <= high
    assert high - low <= 2.0


def test_draws_that_miss_less_weigh_more(checkpoint):
    rows, contexts = sweeps(checkpoint)
    forecast = Forecast(checkpoint, rows, contexts, contexts[:1], draws=90)
    off = np.abs(forecast.theta[:, 7] - rows[0, REST])
    assert forecast.weights.sum() == pytest.approx(1.0)
    assert forecast.weights @ off < off.mean()


def test_weights_are_worth_thirty_draws_at_least(checkpoint):
    rows, contexts = sweeps(checkpoint)
    forecast = Forecast(checkpoint, rows, contexts, contexts[:1], draws=90)
    assert 1.0 / (forecast.weights**2).sum() >= 30.0


def test_a_feature_that_the_model_does_not_have_there_is_missing(checkpoint):
    rows, contexts = sweeps(checkpoint)
    forecast = Forecast(checkpoint, rows[1:], contexts[1:], contexts[:1], draws=60)
    assert np.isnan(forecast.sweep(0)[:, THRESHOLD]).all()
    assert np.isfinite(forecast.sweep(0)[:, REST]).all()


def test_a_feature_that_no_sweep_has_shown_is_as_uncertain_as_can_be(checkpoint):
    rows, contexts = sweeps(checkpoint)
    silent = CURRENTS <= 0.0
    few = [context for context, s in zip(contexts, silent, strict=True) if s]
    forecast = Forecast(checkpoint, rows[silent], few, [contexts[-1]], draws=60)
    known = Forecast(checkpoint, rows[:-1], contexts[:-1], [contexts[-1]], draws=60)
    assert np.nanstd(forecast.sweep(0)[:, THRESHOLD]) > 2.0 * np.nanstd(known.sweep(0)[:, THRESHOLD])


def test_the_same_sweeps_and_seed_give_the_same_numbers(checkpoint):
    rows, contexts = sweeps(checkpoint)
    one, two, other = (
        Forecast(checkpoint, rows, contexts, contexts[:2], seed, draws=40).sweep(1, 30) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_of_many_sweeps_twelve_spread_over_the_currents_serve(checkpoint):
    contexts = [replace(STEP, amplitude=float(pA)) for pA in np.linspace(-50.0, 250.0, 40)]
    rows = np.repeat(np.linspace(-0.5, 2.5, 40)[:, None], len(NAMES), axis=1)
    forecast = Forecast(checkpoint, rows, contexts, contexts[:1], draws=40)
    assert forecast._made.shape[1] == 12


def test_traces_are_of_draws_that_have_weight_under_the_stimulus_asked_about(checkpoint, monkeypatch):
    rows, contexts = sweeps(checkpoint)
    forecast = Forecast(checkpoint, rows, contexts, contexts[:3], draws=60)
    forecast.weights = np.eye(60)[41]

    def voltages(theta, table, rigs, rng, names):
        return np.column_stack([theta[:, 7], table[:, 0], theta[:, 0]]), np.full(len(theta), 2)

    monkeypatch.setattr("estimators.forecast.voltages", voltages)
    for trace in forecast.traces(2, 4):
        np.testing.assert_array_equal(trace, [forecast.theta[41, 7], CURRENTS[2]])
    assert {trace[0] for trace in forecast.traces(2, 20, sure=True)} <= set(forecast.sure[:, 7])


def test_the_models_share_of_the_count_is_that_of_the_draws_with_weight(checkpoint):
    rows, contexts = sweeps(checkpoint)
    right = Forecast(checkpoint, rows, contexts, contexts[:1], draws=60).share
    rows[:, COUNT] = np.where(CURRENTS > 0.0, 3.0, 0.0)
    wrong = Forecast(checkpoint, rows, contexts, contexts[:1], draws=60).share
    assert 0.0 <= wrong < right <= 1.0


def test_sweeps_without_their_circumstances_are_refused(checkpoint):
    rows, contexts = sweeps(checkpoint)
    with pytest.raises(ValueError, match="7 sweeps have 6 contexts"):
        Forecast(checkpoint, rows, contexts[:-1], contexts[:1])
