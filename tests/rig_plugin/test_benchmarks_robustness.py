"""The same cells behind worse and worse rigs: what is measured is the rig's doing and nothing else's."""

import json

import numpy as np
import pytest

from estimators.context import CONTEXT
from estimators.ranks import Ranks
from rig_plugin.__main__ import main
from rig_plugin.benchmarks import robustness
from rig_plugin.benchmarks.robustness import measure
from rig_plugin.opening import network
from rig_plugin.tasks.imperfection import levels

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}
HOLDING, KNOWN, EXCLUDED = (CONTEXT.index(name) for name in ("holding", "holding_known", "excluded"))


@pytest.fixture(scope="module")
def checkpoint():
    return network()


@pytest.fixture(scope="module")
def figures():
    return measure(cells=14)


@pytest.fixture(scope="module")
def values(figures):
    return {figure["name"]: figure["value"] for figure in figures}


def level(checkpoint, name):
    return next(level for level in levels(checkpoint.spec) if level.name == name)


def answered(checkpoint, name, cells=6):
    (chunk,) = robustness._draw(checkpoint.spec, cells)
    return chunk, robustness._answer(checkpoint.spec, chunk, level(checkpoint, name), 0)


@pytest.mark.long
def test_every_level_has_its_figures(figures):
    assert all(set(figure) == KEYS for figure in figures)
    assert json.dumps(figures, allow_nan=False)
    told = {}
    for figure in figures:
        told.setdefault("/".join(figure["name"].split("/")[:3]), set()).add(figure["name"].split("/")[3])
    usual = {"inside_90", "inside_90_worst", "log_q", "contraction", "refused", "warned_of", "withheld"}
    inferred = {"recovered", "recovered_inside_90", "recovered_at_edge"}
    for name, words in told.items():
        assert words == usual | (inferred if name.startswith(("bridge/", "offset/")) else set())


@pytest.mark.long
def test_the_worst_parameter_is_no_better_than_the_mean(figures):
    mean = {}
    for figure in figures:
        name, value = figure["name"].split("/"), figure["value"]
        if name[3] == "inside_90":
            mean[tuple(name[:3])] = value
        if name[3] == "inside_90_worst":
            assert value <= mean[tuple(name[:3])]
            assert name[4] != name[0], "What is set for all cells is no draw of the prior."


@pytest.mark.long
def test_a_bridge_error_is_recovered_as_far_as_it_is_known_and_never_beyond_the_prior(values, checkpoint):
    # What allows for the model's error is drawn towards the prior by what it leaves open.
    known = checkpoint.calibration["contraction"]["bridge"]
    assert known > 0.5
    assert values["bridge/10 MOhm/inside/recovered"] == pytest.approx(10.0 * known, abs=3.0)
    assert values["bridge/0 MOhm/inside/recovered"] == pytest.approx(0.0, abs=3.0)
    assert values["bridge/0 MOhm/inside/recovered_at_edge"] == 0.0
    assert 5.0 < values["bridge/40 MOhm/beyond/recovered"] < 20.1
    assert values["bridge/40 MOhm/beyond/recovered_at_edge"] >= values["bridge/0 MOhm/inside/recovered_at_edge"]
    assert values["bridge/40 MOhm/beyond/recovered_inside_90"] is None


def test_what_is_recovered_is_the_truth_less_what_the_posterior_misses_it_by(checkpoint):
    one, none = np.ones(4), np.zeros((4, 12))
    # The truth of 10 MOhm is 2 standard deviations of the prior; the mean lies a posterior's deviation of .5 below.
    ranks = Ranks(none + 0.5, one, none + 1.0, none + 0.25, one, one, one.astype(int), one > 0.0)
    column = checkpoint.spec.names.index("bridge")
    bridge = level(checkpoint, "bridge/10 MOhm/inside")
    value, share, edge = robustness._recovered(checkpoint.spec.parameters[column], bridge, ranks, column)
    assert value.value == pytest.approx(7.5, abs=0.01)
    assert (share.value, edge.value) == (1.0, 0.0)


@pytest.mark.long
def test_noise_far_beyond_training_leaves_less_to_know(values):
    assert values["white/5 mV rms/beyond/contraction"] < values["white/0.02 mV rms/inside/contraction"] - 0.1


@pytest.mark.long
def test_an_offset_far_beyond_training_is_put_down_to_something_else(values):
    assert values["offset/16 mV/beyond/inside_90"] < values["offset/0 mV/inside/inside_90"]


def test_the_same_cells_are_asked_the_same_at_every_level(checkpoint):
    chunk, usual = answered(checkpoint, "none/as trained/inside")
    again, bridge = answered(checkpoint, "bridge/10 MOhm/inside")
    np.testing.assert_array_equal(chunk.u, again.u)
    np.testing.assert_array_equal(usual.context, bridge.context)
    column = checkpoint.spec.names.index("bridge")
    np.testing.assert_array_equal(np.delete(usual.u, column, axis=1), np.delete(bridge.u, column, axis=1))
    np.testing.assert_allclose(bridge.u[:, column], 2.0, atol=0.01)
    assert np.unique(usual.u[:, column]).size == len(usual.u)


def test_a_holding_current_is_told_as_the_level_says(checkpoint):
    chunk, _ = answered(checkpoint, "none/as trained/inside", 12)
    true = chunk.context[:, HOLDING]
    assert np.abs(true).max() > 1.0
    for words, known, share in (
        ("known/inside", 1.0, 1.0), ("unknown/inside", 0.0, 0.0), ("half of it told/beyond", 1.0, 0.5)
    ):  # fmt: skip
        _, sets = answered(checkpoint, f"holding/{words}", 12)
        assert set(sets.context[:, KNOWN]) == {known}
        np.testing.assert_allclose(sets.context[:, HOLDING], share * true, rtol=1e-6)


def test_what_the_app_refuses_no_posterior_rests_on(checkpoint, monkeypatch):
    (chunk,) = robustness._draw(checkpoint.spec, 6)
    shown = []
    rank = robustness.rank_cells

    def rank_cells(net, sets, rng):
        shown.append(sets)
        return rank(net, sets, rng)

    monkeypatch.setattr(robustness, "rank_cells", rank_cells)
    # A digitizer that takes 40 mV makes every cell look dead, give or take the model's error; no cell is left.
    dead = level(checkpoint, "adc_range/40 mV/beyond")
    monkeypatch.setattr(robustness, "no_cell", lambda rest: "Dead." if rest > -55.0 else None)
    ranks, (refused, _, withheld) = robustness._ask(checkpoint, [chunk], dead)
    assert (refused, withheld, len(ranks)) == (1.0, 1.0, 0)
    assert (shown[0].context[:, EXCLUDED] == 1.0).all()
    assert np.isnan(shown[0].features).all()
    figures = robustness._figures(checkpoint, dead, ranks, np.array([1.0, 0.0, 1.0]), asked=6)
    assert [row["value"] for row in figures if row["name"].endswith("/inside_90")] == [None]


def test_fewer_cells_can_be_asked_for(capsys, monkeypatch):
    monkeypatch.setattr(robustness, "levels", lambda spec: list(levels(spec))[:1])
    assert main(["bench", "robustness", "--cells", "3", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert {row["n"] for row in measured["figures"] if row["name"].endswith("withheld")} == {3}
    assert main(["bench", "robustness", "--cells", "0"]) == 2
