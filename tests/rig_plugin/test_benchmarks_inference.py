import json

import numpy as np
import pytest

from rig_plugin.benchmarks import features, inference
from rig_plugin.tasks import bout
from rig_plugin.tasks.bout import Bout, Setting
from rig_plugin.tasks.trained import Trained
from simulators.refusal import Refusal

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}


def stand_in(theta, x, prior, seed):
    """The prior, whatever was seen."""
    generator = np.random.default_rng(seed)
    low, high = (part.numpy() for part in (prior.parts[0].low, prior.parts[0].high))

    def draw(observed, n):
        return generator.uniform(low, high, (n, *observed.shape[:-1], len(low)))

    def log_prob(at, observed):
        return np.full(len(at), -np.log(high - low).sum())

    return Trained(draw, draw, log_prob)


@pytest.fixture
def fought(monkeypatch):
    """Bouts that are made up: sbi is worse, and faster than three but not than one."""
    made = {
        "single": Bout(2.0, 20.0, 12.0, np.array([1.0, 2.0, 3.0]), 1.0, 500.0),
        "ensemble": Bout(2.5, 60.0, 28.0, np.array([3.0, 4.0, 5.0]), 2.0, 600.0),
        "distilled": Bout(2.4, 90.0, 29.0, np.array([1.0, 2.0, 3.0]), 1.0, 600.0),
        "sbi": Bout(1.5, 15.0, 10.0, np.array([10.0, 20.0, 30.0]), 9.0, 900.0),
    }
    names = {method: name for name, method in inference._METHODS.items()}
    monkeypatch.setattr(inference, "fight", lambda method, setting: made[names[method]])
    monkeypatch.setattr(inference, "version", lambda name: "0.27.0")
    monkeypatch.setattr(inference, "_shipped", lambda observations: np.full(observations, 4.0))


def test_a_bout_is_measured_whole(monkeypatch):
    monkeypatch.setattr("rig_plugin.tasks.own.train", stand_in)
    setting = Setting(200, 0, held_out=50, observations=3, batched=20)
    found, batch = bout._measured("rig_plugin.tasks.own:train", setting)
    low, high = (side.numpy() for side in (bout.ELIFE.prior.parts[0].low, bout.ELIFE.prior.parts[0].high))
    assert found["log_q"] == pytest.approx(-np.log(high - low).sum())
    assert len(found["times"]) == 3
    assert found["peak"] is None or 10 < found["peak"] < 1e5
    assert batch["batched_s"] > 0


METHODS = """
import time
import numpy as np
from rig_plugin.tasks.trained import Trained

def _train(many):
    def draw(observed, n):
        return np.zeros((n, 8))
    return Trained(draw, many, lambda at, observed: np.full(len(at), -3.0))

def ends(theta, x, prior, seed):
    return _train(lambda observed, n: None)

def never_ends(theta, x, prior, seed):
    return _train(lambda observed, n: time.sleep(1000))

def fails(theta, x, prior, seed):
    raise ValueError("it is worn out")
"""


@pytest.mark.parametrize(
    ("method", "ended"), [pytest.param("ends", True, marks=pytest.mark.long), ("never_ends", False)]
)
def test_a_batch_that_never_ends_is_given_up_and_all_else_is_told(tmp_path, monkeypatch, method, ended):
    (tmp_path / "made_up_methods.py").write_text(METHODS)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = bout.fight(f"made_up_methods:{method}", Setting(200, 0, 50, 3, 20, patience=30.0 if ended else 0.1))
    assert found.log_q == -3.0
    assert found.times.shape == (3,)
    assert (found.batched_s is not None) == ended


def test_a_method_that_fails_is_named_with_its_reason(tmp_path, monkeypatch):
    (tmp_path / "made_up_methods.py").write_text(METHODS)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RuntimeError, match="ValueError: it is worn out"):
        bout.fight("made_up_methods:fails", Setting(200, 0, 50, 3, 20))


def test_every_figure_has_every_key_and_the_aims_are_the_issues(fought):
    rows = inference.measure(simulations=10_000)
    assert all(set(row) == KEYS for row in rows)
    assert json.dumps(rows, allow_nan=False)
    figures = {row["name"]: row for row in rows}
    assert figures["log_q_single_10000"]["met"]
    assert figures["log_q_single_10000"]["aim"] == 1.5
    # Twelve seconds for one are more than the peer's ten; twenty-eight for three are not more than thirty.
    assert figures["train_cpu_s_single_10000"]["met"] is False
    assert figures["train_cpu_s_ensemble_10000"]["met"] is True
    assert figures["draws_1000_ms_p50_single_10000"]["ratio"] == pytest.approx(10.0)
    assert (figures["shipped_1000_ms_p50"]["aim"], figures["shipped_1000_ms_p50"]["met"]) == (5.0, True)
    assert figures["peak_MB_sbi_10000"]["value"] == 900.0


def test_the_network_that_ships_is_timed_for_each_cell_but_the_first(monkeypatch):
    times = inference._shipped(3)
    assert times.shape == (3,)
    assert (times > 0).all()


def test_without_a_number_both_budgets_are_measured(fought):
    names = {row["name"] for row in inference.measure()}
    assert {"log_q_single_10000", "log_q_single_100000"} < names


def test_a_peer_that_is_not_installed_is_named_and_keeps_its_place(fought, monkeypatch):
    def missing(name):
        raise inference.PackageNotFoundError(name)

    monkeypatch.setattr(inference, "version", missing)
    figures = {row["name"]: row for row in inference.measure(simulations=1000)}
    assert figures["log_q_sbi_1000"]["value"] is None
    assert figures["log_q_single_1000"]["peer_version"] == "not installed"
    assert figures["log_q_single_1000"]["aim"] is None


def test_what_was_measured_before_is_not_measured_again(fought, monkeypatch, tmp_path):
    path = tmp_path / "bouts.jsonl"
    first = inference.measure(simulations=1000, out=path)
    assert len(path.read_text().splitlines()) == 4

    def never(method, setting):
        raise AssertionError(method)

    monkeypatch.setattr(inference, "fight", never)
    assert inference.measure(simulations=1000, out=path) == first
    # Another setting is another question.
    with pytest.raises(AssertionError, match="train_single"):
        inference.measure(simulations=1000, held_out=10, out=path)


def test_a_run_that_was_cut_off_goes_on_with_who_is_left(fought, monkeypatch, tmp_path):
    path = tmp_path / "bouts.jsonl"
    first = inference.measure(simulations=1000, out=path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1][:40])
    made, asked = inference.fight, []
    monkeypatch.setattr(inference, "fight", lambda method, setting: [asked.append(method), made(method, setting)][1])
    assert inference.measure(simulations=1000, out=path) == first
    assert asked == [inference._METHODS[name] for name in ("ensemble", "distilled", "sbi")]


def test_a_line_that_is_no_bout_is_refused(fought, tmp_path):
    (tmp_path / "bouts.jsonl").write_text('{"method": "single"}\n')
    with pytest.raises(Refusal, match=r"Line 1 of .* is no bout"):
        inference.measure(simulations=1000, out=tmp_path / "bouts.jsonl")


def test_without_peers_none_is_named(fought):
    assert {row["peer"] for row in inference.measure(peers=False, simulations=1000)} == {None}


@pytest.fixture(scope="module")
def feature_rows():
    return features.measure(peers=False, turns=2)


def test_features_are_read_whole_and_as_they_come(feature_rows):
    assert all(set(row) == KEYS for row in feature_rows)
    steps = ("features_whole_ms", "features_ms")
    assert {row["name"] for row in feature_rows} == {f"{step}_{q}" for step in steps for q in ("p50", "p99")}
    assert all(row["value"] > 0 and row["peer"] is row["aim"] is None for row in feature_rows)


@pytest.mark.filterwarnings("ignore")
def test_features_are_those_of_efel_and_the_aim_is_a_twentieth_of_its_time():
    pytest.importorskip("efel", reason="eFEL is not installed.")
    figures = {row["name"]: row for row in features.measure(turns=2)}
    whole = figures["features_whole_ms_p50"]
    assert whole["aim"] == pytest.approx(whole["ratio"] * whole["value"] / 20.0)
    assert figures["spike_count_apart"]["value"] == 0.0
    # A low-pass of 3 kHz rounds the peak, and the two take the rest over different stretches.
    for name, most in (("rest", 0.2), ("threshold", 0.2), ("peak", 1.3), ("half_width", 0.045), ("trough", 0.4)):
        assert figures[f"{name}_apart"]["value"] < most


def test_the_long_sweep_is_as_long_as_is_said():
    assert len(features.STEP.command(features.RATE)) == 72_500


def test_efel_that_is_missing_is_named(monkeypatch):
    def missing(name):
        raise features.PackageNotFoundError(name)

    monkeypatch.setitem(__import__("sys").modules, "efel", None)
    monkeypatch.setattr(features, "version", missing)
    figure = features.measure(turns=1)[0]
    assert (figure["peer"], figure["peer_version"], figure["ratio"]) == ("efel", "not installed", None)
