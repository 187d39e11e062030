"""Weights by the likelihood are held against the network's own draws by a score that only honesty makes small."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.refinement import FEWEST, HEAVIEST
from estimators.rounds import Lesson
from rig_plugin.__main__ import main
from rig_plugin.benchmarks import refinement
from rig_plugin.benchmarks.refinement import measure
from rig_plugin.opening import network
from rig_plugin.tasks.crps import crps

EVEN = np.full(4000, 1.0 / 4000)


def test_the_score_of_a_normal_is_the_published_one():
    # Gneiting & Raftery (2007), eq. 21, at the mean: sigma (2 phi(0) - 1 / sqrt(pi)).
    draws = np.random.default_rng(0).normal(3.0, 2.0, (200_000, 1))
    expected = 2.0 * (2.0 / np.sqrt(2.0 * np.pi) - 1.0 / np.sqrt(np.pi))
    weights = np.full(200_000, 1.0 / 200_000)
    assert crps(draws, weights, np.array([3.0]))[0] == pytest.approx(expected, rel=0.01)


def test_the_honest_width_has_the_smallest_score():
    rng = np.random.default_rng(1)
    draws, truths = rng.normal(size=(4000, 1)), rng.normal(size=400)
    score = {width: np.mean([crps(width * draws, EVEN, np.array([t]))[0] for t in truths]) for width in (0.5, 1.0, 2.0)}
    assert score[1.0] < min(score[0.5], score[2.0])


@given(st.lists(st.integers(1, 5), min_size=2, max_size=8), st.floats(-3.0, 3.0))
def test_a_draw_that_weighs_twice_is_two_draws(times, truth):
    places = np.linspace(-1.0, 1.0, len(times))[:, None]
    weights = np.array(times) / sum(times)
    repeated = np.repeat(places, times, axis=0)
    even = np.full(len(repeated), 1.0 / len(repeated))
    at = np.array([truth])
    np.testing.assert_allclose(crps(places, weights, at), crps(repeated, even, at), atol=1e-12)


@pytest.fixture(scope="module")
def figures():
    return measure(cells=24, rounds=2, lesson=Lesson(cells=40, epochs=1, batch=16, draws=100))


@pytest.mark.long
def test_it_tells_how_often_weights_can_be_trusted_and_what_they_change(figures):
    assert json.dumps(figures, allow_nan=False)
    values = {figure["name"]: figure["value"] for figure in figures}
    names = network().spec.names
    assert {f"gain/{name}" for name in ("all", *names)} < set(values)
    assert 0.0 < values["accepted"] < 1.0
    assert values["effective_p50"] > 1.0
    assert 0.0 <= values["inside_90_after/all"] <= 1.0


@pytest.mark.long
def test_rounds_are_scored_in_pairs_with_intervals(figures):
    rows = {figure["name"]: figure for figure in figures if figure["name"].startswith("round/")}
    gain = rows["round/log_density_refined"]["value"] - rows["round/log_density_amortized"]["value"]
    assert rows["round/gain_mean"]["value"] == pytest.approx(gain)
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values() if "low" in row)
    assert 0.0 <= rows["round/inside_90_refined"]["value"] <= 1.0
    assert rows["round/seconds_p50"]["value"] > 0.0


def test_only_weights_that_are_worth_enough_are_accepted(monkeypatch):
    kept = []
    real = refinement.refine

    def noted(*args):
        kept.append(real(*args))
        return kept[-1]

    monkeypatch.setattr(refinement, "refine", noted)
    accepted = next(row for row in measure(cells=24, rounds=0) if row["name"] == "accepted")
    assert round(accepted["value"] * accepted["n"]) == len(kept)
    assert all(refined.effective >= FEWEST and refined.k <= HEAVIEST for refined in kept)


def test_where_no_weights_are_accepted_it_says_so(monkeypatch):
    monkeypatch.setattr("estimators.refinement.FEWEST", 1e9)
    figures = measure(cells=4)
    assert figures[0]["value"] == 0.0
    assert figures[-1]["peer_version"] == "no weights were accepted"


def test_the_command_prints_it(capsys):
    assert main(["bench", "refinement", "--cells", "6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bench"] == "refinement"
