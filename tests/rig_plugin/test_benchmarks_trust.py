import numpy as np
import pytest

from estimators.watchman import TAUGHT
from rig_plugin.benchmarks import trust
from rig_plugin.benchmarks.trust import _classified, _figures, _measured, area, caught, measure
from simulators.refusal import Refusal


def test_the_area_is_how_often_a_faulty_sweep_is_less_likely():
    rng = np.random.default_rng(0)
    sound, faulty = rng.random(40), rng.random(30) ** 2
    pairs = (faulty[:, None] < sound[None]).mean()
    assert area(sound, faulty) == pytest.approx(pairs)
    assert area(sound, sound) == pytest.approx(0.5)
    assert area(np.ones(5), np.zeros(7)) == 1.0


def test_what_cannot_be_measured_is_the_strongest_alarm():
    features = np.array([[np.nan, np.nan], [1.0, np.nan]])
    p = _measured((features, features), lambda rows, _: np.full(len(rows), 0.7))
    assert p.tolist() == [0.0, 0.7]
    assert caught(p) == 0.5


def test_a_classifier_knows_the_fault_that_it_was_trained_on():
    rng = np.random.default_rng(0)

    def sweeps(rest):
        features = rng.normal(size=(300, 51))
        features[:, 0] = rng.normal(rest, 2.0, 300)
        context = np.tile([50.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0], (300, 1))
        return features, context

    share, under = _classified(sweeps(-70.0), sweeps(-60.0), sweeps(-70.0), sweeps(-60.0))
    assert share > 0.9
    assert under > 0.97
    share, under = _classified(sweeps(-70.0), sweeps(-70.0), sweeps(-70.0), sweeps(-70.0))
    assert under == pytest.approx(0.5, abs=0.1)


def test_what_must_be_caught_has_an_aim_of_its_own_and_the_rest_that_of_the_classifier():
    found = {"surprise": (0.97, 0.99), "nearest": (0.1, 0.6), "classifier": (0.8, 0.9)}
    must = {figure.name: figure for figure in _figures("gain_10", found, 9)}
    assert must["caught_gain_10"].aim == 0.95
    assert must["area_gain_10"].aim is None
    other = {figure.name: figure for figure in _figures("offset_14_mV", found, 9)}
    assert other["caught_offset_14_mV"].aim is None
    assert other["area_offset_14_mV"].aim == pytest.approx(0.5 + 0.9 * 0.4)
    assert other["area_offset_14_mV_nearest"].aim is None
    assert other["area_offset_14_mV_classifier"].value == 0.9


def test_every_fault_has_figures_of_every_score(monkeypatch):
    rng = np.random.default_rng(1)

    def planted(spec, count, seed):
        return {name: (rng.random((count, 51)), rng.random((count, 12))) for name in ("none", *TAUGHT)}

    judge = lambda sweeps: rng.random(len(sweeps[0]))  # noqa: E731
    monkeypatch.setattr(trust, "_planted", planted)
    monkeypatch.setattr(trust, "_surprise", lambda *_: judge)
    monkeypatch.setattr(trust, "_nearest", lambda _: judge)
    rows = measure(peers=False, simulations=80)
    assert len(rows) == 2 + 6 * len(TAUGHT)
    assert all(0.0 <= row["value"] <= 1.0 for row in rows)


def test_a_network_without_a_likelihood_is_refused(monkeypatch):
    from estimators.checkpoint import Checkpoint

    monkeypatch.setattr(trust, "shipped", lambda _: Checkpoint(None, None))
    with pytest.raises(Refusal, match="has no likelihood; pretrain it anew"):
        measure(peers=False, simulations=10)
