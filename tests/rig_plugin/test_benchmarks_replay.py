import json
import sys

import pytest

from rig_plugin.benchmarks.replay import measure

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}


@pytest.fixture(scope="module")
def figures():
    return {figure["name"]: figure for figure in measure(peers=False, sweeps=3)}


def test_every_figure_has_every_key_and_is_json(figures):
    assert all(set(figure) == KEYS for figure in figures.values())
    assert json.dumps(figures, allow_nan=False)


def test_median_and_tail_of_each_step_are_there(figures):
    steps = ("features_ms", "features_whole_ms", "posterior_1000_ms", "total_ms", "prediction_ms")
    assert set(figures) == {f"{step}_{label}" for step in steps for label in ("p50", "p99")}
    for step in steps:
        assert 0 < figures[f"{step}_p50"]["value"] <= figures[f"{step}_p99"]["value"]
        assert figures[f"{step}_p50"]["unit"] == "ms"


def test_what_was_measured_is_counted(figures):
    assert figures["features_ms_p50"]["n"] == 3
    # Nothing is predicted before the first sweep.
    assert figures["prediction_ms_p50"]["n"] == 2


def test_only_the_posteriors_median_has_an_aim_and_says_whether_it_is_met(figures):
    assert [name for name, figure in figures.items() if figure["aim"] is not None] == ["posterior_1000_ms_p50"]
    figure = figures["posterior_1000_ms_p50"]
    assert figure["met"] == (figure["value"] <= figure["aim"] == 15.0)


def test_peers_that_were_left_out_are_not_named(figures):
    assert all(figure["peer"] is figure["ratio"] is None for figure in figures.values())


def test_a_peer_is_measured_on_the_same_sweeps():
    pytest.importorskip("efel", reason="eFEL is not installed.")
    figure = next(f for f in measure(peers=True, sweeps=2) if f["name"] == "features_ms_p50")
    assert figure["peer"] == "efel"
    assert figure["peer_version"] != "not installed"
    assert figure["ratio"] > 0


def test_a_peer_that_is_not_installed_is_named_as_such(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setitem(sys.modules, "efel", None)
    monkeypatch.setattr("rig_plugin.benchmarks.replay.version", missing)
    figure = next(f for f in measure(peers=True, sweeps=2) if f["name"] == "features_ms_p99")
    assert (figure["peer"], figure["peer_version"], figure["ratio"]) == ("efel", "not installed", None)
