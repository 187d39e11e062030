import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from estimators.fitting import fit
from estimators.prior import Prior
from rig_plugin.__main__ import main
from rig_plugin.benchmarks import sbibm
from rig_plugin.benchmarks.sbibm import measure
from rig_plugin.tasks import score
from rig_plugin.tasks.gaussian import LINEAR
from rig_plugin.tasks.ledger import Ledger
from rig_plugin.tasks.outcome import Outcome
from rig_plugin.tasks.reference import Reference
from rig_plugin.tasks.score import Score, take
from rig_plugin.tasks.task import Task
from rig_plugin.tasks.trained import Trained
from simulators.refusal import Refusal

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}
SCORE = Score("slcp", "rig-plugin", "0.1.0", 10_000, 0, "own", (0.8, 0.9), 1.5, 60.0, 50.0, 0.2)
RNG = np.random.default_rng(0)


def closed(theta, x, prior, seed):
    """The posterior of the linear task, as if somebody had learned it without an error."""

    def draw(observed, n):
        return 0.5 * observed + np.sqrt(0.05) * RNG.normal(size=(n, len(observed)))

    def log_prob(at, observed):
        return -0.5 * ((at - 0.5 * observed) ** 2 / 0.05 + np.log(0.1 * np.pi)).sum(1)

    return Trained(draw, draw, log_prob)


class References:
    """A wheel whose references are drawn from closed forms, fewer than the true ones."""

    def __init__(self, path):
        pass

    def reference(self, task, observation):
        theta, x = LINEAR.draw(1, observation)
        return Reference(x[0], theta[0], 0.5 * x[0] + np.sqrt(0.05) * RNG.normal(size=(100, 10)))


@pytest.fixture
def stand_ins(monkeypatch):
    """References that are small, and trainers that count how often they are asked."""
    asked = []

    def counting(name):
        def train(*given):
            asked.append(name)
            return closed(*given)

        return train

    monkeypatch.setattr(sbibm, "Wheel", References)
    monkeypatch.setattr(score, "c2st", lambda pairs, classifier: [0.5 + RNG.random() / 2 for _ in pairs])
    monkeypatch.setattr(sbibm.own, "train", counting("rig-plugin"))
    monkeypatch.setattr(sbibm, "version", lambda name: {"sbi": "0.27.0", "rig-plugin": "0.1.0"}[name])
    stand_in = type(sys)("sbi")
    stand_in.train = counting("sbi")
    monkeypatch.setitem(sys.modules, "rig_plugin.peers.sbi", stand_in)
    return asked


SMALL = {"task": "gaussian_linear", "simulations": 1000, "seeds": 2, "observations": 2}


def test_both_learn_in_turns_and_every_figure_has_every_key(stand_ins):
    figures = {figure["name"]: figure for figure in measure(**SMALL)}
    assert stand_ins == ["rig-plugin", "sbi"] * 2
    assert all(set(figure) == KEYS for figure in figures.values())
    assert json.dumps(figures, allow_nan=False)
    main_figure = figures["gaussian_linear_c2st_mean"]
    assert (main_figure["peer"], main_figure["peer_version"], main_figure["n"]) == ("sbi", "0.27.0", 4)
    assert main_figure["unit"] == "1 (own classifier)"
    assert figures["gaussian_linear_c2st_mean_against_ten_rounds"]["aim"] == 0.652
    # The closed form: minus the entropy of a normal of ten numbers.
    entropy = 5.0 * np.log(2.0 * np.pi * np.e * 0.05)
    assert figures["gaussian_linear_log_q"]["value"] == pytest.approx(-entropy, abs=0.25)


def test_a_run_that_was_killed_is_gone_on_with(stand_ins, tmp_path):
    out = tmp_path / "scores.jsonl"
    first = measure(**SMALL, out=out)
    out.write_text("".join(out.read_text().splitlines(keepends=True)[:3]) + '{"task": "gau')
    again = measure(**SMALL, out=out)
    assert stand_ins == ["rig-plugin", "sbi"] * 2 + ["sbi"]
    assert next(f["value"] for f in again if f["name"].endswith("c2st_mean")) == first[0]["value"]
    assert len(out.read_text().splitlines()) == 4


def test_a_peer_that_is_not_installed_is_named_as_such(stand_ins, monkeypatch):
    def missing(name):
        if name == "sbi":
            raise sbibm.PackageNotFoundError(name)
        return "0.1.0"

    monkeypatch.setattr(sbibm, "version", missing)
    figures = {figure["name"]: figure for figure in measure(**SMALL | {"seeds": 1})}
    for name in ("gaussian_linear_c2st_mean", "gaussian_linear_c2st_mean_sbi"):
        assert (figures[name]["peer"], figures[name]["peer_version"]) == ("sbi", "not installed")
    assert figures["gaussian_linear_c2st_mean_sbi"]["value"] is None
    assert figures["gaussian_linear_c2st_mean"]["aim"] is None


def test_a_peer_that_fails_says_of_what_and_ours_is_measured(stand_ins, monkeypatch):
    def fail(*_):
        raise RuntimeError("it\ndied")

    monkeypatch.setattr(sys.modules["rig_plugin.peers.sbi"], "train", fail)
    figures = {figure["name"]: figure for figure in measure(**SMALL | {"seeds": 1})}
    said = figures["gaussian_linear_c2st_mean_sbi"]["peer_version"]
    assert said == "could not be measured: RuntimeError: it died"
    assert figures["gaussian_linear_c2st_mean"]["value"] > 0


def test_without_peers_none_is_named(stand_ins):
    figures = measure(peers=False, **SMALL | {"seeds": 1})
    assert stand_ins == ["rig-plugin"]
    assert not [figure for figure in figures if figure["peer"] == "sbi"]


def test_a_true_posterior_scores_a_half():
    plane = Task("plane", Prior.normal(np.zeros(2), 0.1 * np.eye(2)), LINEAR.simulate)
    theta, x = plane.draw(2, 9)
    drawn = [0.5 * each + np.sqrt(0.05) * RNG.normal(size=(1000, 2)) for each in x]
    references = [Reference(*each) for each in zip(x, theta, drawn, strict=True)]
    found = take(plane, references, closed, 100, 0, method="closed", version="1")
    assert np.mean(found.c2st) == pytest.approx(0.5, abs=0.03)
    assert found.log_q == pytest.approx(-np.log(2.0 * np.pi * np.e * 0.05), abs=0.15)


def test_no_held_out_row_was_learned_from(monkeypatch):
    monkeypatch.setattr(score, "c2st", lambda pairs, classifier: [0.5 for _ in pairs])
    learned, asked = [], []

    def train(theta, x, prior, seed):
        learned.extend(theta[:, 0])
        trained = closed(theta, x, prior, seed)

        def log_prob(at, observed):
            asked.extend(at[:, 0])
            return trained.log_prob(at, observed)

        return replace(trained, log_prob=log_prob)

    take(LINEAR, [References(None).reference("", 0)], train, 2000, 0, method="closed", version="1")
    assert (len(learned), len(asked)) == (2000, 1000)
    assert not set(learned) & set(asked)


@pytest.mark.parametrize(
    ("ours", "theirs", "aim", "met"),
    [(0.80, 0.90, 0.87, True), (0.88, 0.90, 0.87, False), (0.53, 0.54, 0.54, True), (0.545, 0.54, 0.54, False)],
)
def test_ours_is_to_be_better_where_the_peer_is_poor_and_no_worse_elsewhere(ours, theirs, aim, met):
    mine, other = replace(SCORE, c2st=(ours, ours)), replace(SCORE, c2st=(theirs,), method="sbi")
    figure = Outcome("slcp", 10_000, "own", [mine], [other], "sbi", "0.27.0").rows()[0]
    assert figure["aim"] == pytest.approx(aim)
    assert figure["met"] is met
    assert figure["ratio"] == pytest.approx(theirs / ours)


def test_a_budget_that_was_not_published_is_held_against_nothing_published():
    rows = Outcome("slcp", 5000, "own", [SCORE], []).rows()
    assert not [row for row in rows if "against" in row["name"]]


def test_the_ledger_knows_what_it_was_given_and_nothing_else(tmp_path):
    path = tmp_path / "scores.jsonl"
    Ledger(path).add(SCORE)
    known = Ledger(path)
    assert known.find("slcp", "rig-plugin", "0.1.0", 10_000, 0, "own", 2) == SCORE
    for other in (
        ("sir", "rig-plugin", "0.1.0", 10_000, 0, "own", 2),
        ("slcp", "sbi", "0.1.0", 10_000, 0, "own", 2),
        ("slcp", "rig-plugin", "0.2.0", 10_000, 0, "own", 2),
        ("slcp", "rig-plugin", "0.1.0", 1000, 0, "own", 2),
        ("slcp", "rig-plugin", "0.1.0", 10_000, 1, "own", 2),
        ("slcp", "rig-plugin", "0.1.0", 10_000, 0, "sklearn", 2),
        ("slcp", "rig-plugin", "0.1.0", 10_000, 0, "own", 3),
    ):
        assert known.find(*other) is None


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n")
    with pytest.raises(Refusal, match=r"Line 1 of .*notes.txt is no score .*--out"):
        Ledger(path)
    assert path.read_text() == "buy milk\n"


def test_a_ledger_without_a_folder_is_refused_before_anything_is_trained(stand_ins, tmp_path):
    with pytest.raises(Refusal, match=r"The folder of .*scores\.jsonl is not there"):
        measure(**SMALL, out=tmp_path / "none" / "scores.jsonl")
    assert not stand_ins


def test_of_a_score_with_more_observations_only_those_asked_for_count(stand_ins, tmp_path):
    out = tmp_path / "scores.jsonl"
    measure(**SMALL, out=out)
    first = Ledger(out).find("gaussian_linear", "rig-plugin", "0.1.0", 1000, 0, "own", 2)
    figure = measure(**SMALL | {"observations": 1, "seeds": 1}, out=out)[0]
    assert (figure["value"], figure["n"]) == (first.c2st[0], 1)
    assert len(stand_ins) == 4


def test_scikit_learn_that_is_missing_is_refused(monkeypatch):
    monkeypatch.setattr(sbibm, "find_spec", lambda name: None)
    with pytest.raises(Refusal, match=r"install rig-plugin\[bench\], or leave --classifier out"):
        measure(task="slcp", classifier="sklearn")


def test_options_of_another_benchmark_are_refused(capsys):
    assert main(["bench", "replay", "--task", "slcp", "--json"]) == 2
    assert "The benchmark 'replay' takes no --task" in capsys.readouterr().err


def test_a_task_has_to_be_named(capsys):
    assert main(["bench", "sbibm", "--json"]) == 2
    assert "name one with --task, or 'all'" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")
def test_sbi_itself_learns_never_leaves_the_prior_and_writes_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # Its progress bars would leave a thread that watches them.
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    pytest.importorskip("sbi", reason="sbi is not installed.")
    from rig_plugin.peers.sbi import train
    from rig_plugin.tasks.gaussian import MIXTURE

    theta, x = MIXTURE.draw(200, 0)
    trained = train(theta, x, MIXTURE.prior, 0)
    draws = trained.draw(np.array([9.9, -9.9]), 50)
    assert draws.shape == (50, 2)
    assert (np.abs(draws) <= 10.0).all()
    assert trained.draw_many(x[:3], 5).shape == (5, 3, 2)
    assert np.isfinite(trained.log_prob(theta[:20], x[:20])).all()
    assert not list(tmp_path.iterdir())


def test_ours_learns_and_draws_one_and_many():
    from rig_plugin.tasks.gaussian import MIXTURE
    from rig_plugin.tasks.own import trained

    theta, x = MIXTURE.draw(200, 0)
    method = trained(fit(theta, x, MIXTURE.prior, heads=["mixture"], ensemble=1, epochs=1))
    assert method.draw(x[0], 50).shape == (50, 2)
    assert method.draw_many(x[:3], 5).shape == (5, 3, 2)
    assert method.log_prob(theta[:20], x[:20]).shape == (20,)
