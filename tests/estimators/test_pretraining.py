import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.resources import files

import numpy as np
import pytest
import torch

from estimators import judges, pretraining, simulation
from estimators.adaptation import weights_of
from estimators.adaptive import GAIN
from estimators.cell import BESIDE, CELL
from estimators.checkpoint import CheckpointError, load, save
from estimators.features import NAMES
from estimators.observer import Observer
from estimators.outlook import Outlook
from estimators.pretraining import pretrain
from estimators.process import PATCHSEQ
from estimators.spec import Adaptation, SpecError, spec_from
from estimators.training import train
from estimators.watchman import TAUGHT

PARTS = ("network", "likelihood", "predictive", "watchman")


@pytest.fixture
def simulated(monkeypatch, made):
    """Cells drawn without a simulation; counts how often a chunk of training cells was asked for."""
    chunks = []

    def generate(parameters, designs, nuisances, cells, rng, *, chunk=150, sweeps=None, kind=None):
        yield made.sets(cells, seed=int(rng.integers(2**31)), sweeps=sweeps)

    def lessons(spec, count, rng, distortion):
        drawn = {name: made.sets(40, seed=k, sweeps=1) for k, name in enumerate(["none", *TAUGHT])}
        return {name: (sets.features, sets.context) for name, sets in drawn.items()}

    def counted(*args, **rest):
        chunks.append(args[3])
        return generate(*args, **rest)

    monkeypatch.setattr(simulation, "CHUNK", 100)
    monkeypatch.setattr(simulation, "generate", counted)
    monkeypatch.setattr("estimators.calibration.generate", generate)
    monkeypatch.setattr("estimators.strata.generate", generate)
    monkeypatch.setattr("estimators.strata.GAIN", replace(GAIN, weighed=2, draws=2))
    monkeypatch.setattr("estimators.adaptive.respond", lambda theta, *_: np.ones((len(theta), len(NAMES))))
    monkeypatch.setattr("estimators.misfits.generate", generate)
    monkeypatch.setattr("estimators.misfits.simulate", lambda theta, *_, names: np.ones((len(theta), len(NAMES))))
    monkeypatch.setattr("estimators.misfits._CELLS", 12)
    monkeypatch.setattr("estimators.surprise.generate", generate)
    monkeypatch.setattr(judges, "_SURPRISES", 80)
    monkeypatch.setattr(judges, "lessons", lessons)
    return chunks


def test_a_spec_becomes_a_checkpoint(simulated, spec, tmp_path):
    out = tmp_path / "net.h5"
    events = list(pretrain(spec, out))
    assert [e["stage"] for e in events if e["event"] == "progress"] == [
        "simulate", "simulate", "train", "train", "train",
        "likelihood", "likelihood", "predictive", "predictive", "reference", "calibrate",
    ]  # fmt: skip
    summary = events[-1]
    assert summary["event"] == "summary"
    assert (summary["cells"], summary["bytes"]) == (180, out.stat().st_size)
    assert json.dumps(events, allow_nan=False)
    there = load(out)
    assert there.spec == spec
    assert there.calibration["n"] == 60
    assert {there.calibration["cells"][kind] for kind in ("random", "family", "adaptive", "gain")} == {12}
    assert there.calibration["verdict"]
    assert datetime.fromisoformat(there.record["made"]).tzinfo is not None
    assert len(there.record["epochs"]) == 3
    assert set(there.reference) == {
        "novelty_tokens", "novelty_scores", "feature_range", "misfit_1", "misfit_3", "misfit_10", "surprise_scores",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["net.h5"]


def test_a_share_of_the_cells_follows_an_earlier_network_and_teaches_no_judge(
    simulated, spec, taught, tmp_path, monkeypatch
):
    monkeypatch.setattr("estimators.adaptation._CHUNK", 50)
    save(tmp_path / "earlier.h5", taught)
    more = replace(spec.training, cells=225, held_out=25)
    following = replace(spec, training=more, adaptive=Adaptation(str(tmp_path / "earlier.h5"), 0.2, (2, 4)))
    one, other = tmp_path / "blind.h5", tmp_path / "following.h5"
    list(pretrain(spec, one))
    events = list(pretrain(following, other))
    assert [event["of"] for event in events if event.get("stage") == "adapt"] == [50]
    loaded, before = load(other), load(one)
    assert loaded.record["adaptive"] == {"cells": 45, "weights": weights_of(tmp_path / "earlier.h5")}
    assert "adaptive" not in before.record and not (tmp_path / "following.h5.adaptive").exists()
    for part in ("likelihood", "predictive"):
        weights = getattr(before, part).state_dict()
        assert all((weights[name] == value).all() for name, value in getattr(loaded, part).state_dict().items())
    weights = before.network.state_dict()
    assert any((weights[name] != value).any() for name, value in loaded.network.state_dict().items())


def test_what_sweeps_teach_is_learned_last_where_the_spec_asks_for_it(simulated, spec, made, tmp_path, monkeypatch):
    monkeypatch.setattr("estimators.prospecting.adapt", lambda *given, **more: iter([made.sets(60)]))
    asking = replace(spec, prospect=Outlook(cells=60, rounds=2, epochs=1, width=4, hidden=4))
    events = list(pretrain(asking, tmp_path / "net.h5"))
    assert [e["stage"] for e in events if e["event"] == "progress"][-4:] == [
        "reference", "prospect", "prospect", "calibrate",
    ]  # fmt: skip
    loaded = load(tmp_path / "net.h5")
    assert loaded.prospect is not None and loaded.record["prospect"]["cells"] == 60
    assert np.isfinite(loaded.record["prospect"]["foretold"])


def test_what_was_typed_goes_before_what_the_spec_says(simulated, spec, tmp_path):
    out = tmp_path / "net.h5"
    *_, summary = pretrain(spec, out, simulations=300, seed=5)
    assert summary["cells"] == 280
    assert load(out).spec.seed == 5


@pytest.fixture
def shared(monkeypatch):
    """Threads in place of the workers, and a head start in this process; notes how many workers were asked for."""
    asked = []

    @contextmanager
    def processes(count):
        asked.append(count)
        with ThreadPoolExecutor(count) as executor:
            yield executor

    @contextmanager
    def head_start(work):
        work()
        waited = iter([False, True])
        yield lambda _: next(waited)

    monkeypatch.setattr(pretraining, "processes", processes)
    monkeypatch.setattr(pretraining, "head_start", head_start)
    return asked


def same(folder, one, other, part):
    weights = [getattr(load(folder / name), part).state_dict() for name in (one, other)]
    return all((weights[0][name] == weights[1][name]).all() for name in weights[0])


@pytest.mark.long
def test_workers_change_nothing_but_who_works(simulated, spec, tmp_path, shared):
    list(pretrain(spec, tmp_path / "alone.h5"))
    assert shared == [1]
    told = list(pretrain(spec, tmp_path / "shared.h5", workers=3))
    assert shared == [1, 3]
    assert all(same(tmp_path, "alone.h5", "shared.h5", part) for part in PARTS)
    alone, other = (load(tmp_path / name).reference["surprise_scores"] for name in ("alone.h5", "shared.h5"))
    assert (alone == other).all()
    coverages = [load(tmp_path / name).calibration["coverage"] for name in ("alone.h5", "shared.h5")]
    assert coverages[0] == coverages[1]
    # What was done ahead is found and not done again; while it was awaited, something was told.
    stages = [event.get("stage") for event in told]
    assert stages == ["simulate"] * 2 + ["train"] * 3 + ["judges", "reference", "calibrate", None]


@pytest.mark.long
def test_a_head_start_that_came_to_nothing_costs_only_time(simulated, spec, tmp_path, shared, monkeypatch):
    @contextmanager
    def nothing(_):
        yield lambda _: True

    monkeypatch.setattr(pretraining, "head_start", nothing)
    list(pretrain(spec, tmp_path / "alone.h5"))
    list(pretrain(spec, tmp_path / "shared.h5", workers=3))
    assert all(same(tmp_path, "alone.h5", "shared.h5", part) for part in PARTS)


def test_training_has_one_thread_and_gives_them_back(simulated, spec, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        events = pretrain(spec, tmp_path / "net.h5")
        next(events)
        assert torch.get_num_threads() == 1
        events.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def interrupted(*_):
    raise KeyboardInterrupt


@pytest.fixture
def killed(simulated, spec, tmp_path, monkeypatch):
    """Where a run was killed that had come as far as its calibration."""
    out = tmp_path / "killed.h5"
    with monkeypatch.context() as patched:
        patched.setattr(pretraining, "calibrate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(pretrain(spec, out))
    return out


@pytest.mark.long
def test_a_watchman_of_other_cells_is_taught_anew(killed, spec, tmp_path):
    list(pretrain(spec, killed, seed=5))
    list(pretrain(spec, tmp_path / "fresh.h5", seed=5))
    assert same(tmp_path, "killed.h5", "fresh.h5", "watchman")


@pytest.mark.long
def test_a_run_that_is_killed_at_its_calibration_makes_nothing_again(simulated, killed, spec, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(judges, "lessons", interrupted)
        list(pretrain(spec, killed))
    made = len(simulated)
    list(pretrain(spec, tmp_path / "whole.h5"))
    # The one that was killed simulated nothing more, the other two chunks to train with and one to check by.
    assert (made, len(simulated)) == (3, 6)
    assert all(same(tmp_path, "killed.h5", "whole.h5", part) for part in PARTS)


def test_cells_that_check_a_network_are_none_that_trained_it(spec, tmp_path, simulated):
    there = []
    for purpose in (simulation.TRAINING, simulation.CHECKING):
        list(simulation.simulate_to(tmp_path / "cells", spec, 100, purpose=purpose))
        there.append(simulation.load_sets(tmp_path / "cells", 100).u)
    assert not set(there[0][:, 0]) & set(there[1][:, 0])


def test_a_killed_run_goes_on_where_it_was(simulated, spec, tmp_path, monkeypatch):
    out = tmp_path / "net.h5"

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretraining, "load_sets", killed)
    with pytest.raises(KeyboardInterrupt):
        list(pretrain(spec, out))
    assert (len(simulated), out.exists()) == (2, False)
    monkeypatch.setattr(pretraining, "load_sets", simulation.load_sets)
    list(pretrain(spec, out))
    # The third chunk is that of the cells which check the network.
    assert len(simulated) == 3
    assert out.exists()


def test_a_killed_run_ends_where_an_undisturbed_one_does(simulated, spec, tmp_path):
    begun = pretrain(spec, tmp_path / "killed.h5")
    next(begun)
    begun.close()
    list(pretrain(spec, tmp_path / "killed.h5"))
    list(pretrain(spec, tmp_path / "whole.h5"))
    assert all(same(tmp_path, "killed.h5", "whole.h5", part) for part in PARTS)


@pytest.mark.long
@pytest.mark.parametrize("stage", ["likelihood", pytest.param("predictive", marks=pytest.mark.long)])
def test_a_run_that_is_killed_at_its_likelihood_ends_where_an_undisturbed_one_does(simulated, spec, tmp_path, stage):
    begun = pretrain(spec, tmp_path / "killed.h5")
    while next(begun).get("stage") != stage:
        pass
    begun.close()
    assert (tmp_path / f"killed.h5.{stage}").exists()
    rest = list(pretrain(spec, tmp_path / "killed.h5"))
    assert [e["epoch"] for e in rest if e.get("stage") == stage] == [2]
    list(pretrain(spec, tmp_path / "whole.h5"))
    assert same(tmp_path, "killed.h5", "whole.h5", stage)


def test_a_failing_training_is_told_to_who_waits(simulated, spec, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(pretraining, "train", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(pretrain(spec, tmp_path / "net.h5"))
    assert not (tmp_path / "net.h5").exists()


def test_a_loss_that_is_no_number_is_null_in_the_progress(simulated, spec, tmp_path, monkeypatch):
    def worse(*args):
        *rest, done, device, bookmark, former = args
        return train(*rest, lambda epoch, best: done(replace(epoch, loss=float("nan")), best), device, bookmark, former)

    monkeypatch.setattr(pretraining, "train", worse)
    events = list(pretrain(spec, tmp_path / "net.h5"))
    assert json.dumps(events, allow_nan=False)
    assert [e["loss"] for e in events if e.get("stage") == "train"] == [None] * 3


def test_nothing_is_simulated_for_a_name_that_is_taken(simulated, spec, saved):
    with pytest.raises(CheckpointError, match="never overwritten"):
        next(pretrain(spec, saved))
    assert simulated == []


@pytest.mark.parametrize(
    ("options", "said"), [({"device": "abacus"}, "'abacus' is not there"), ({"simulations": 7}, "at least 200")]
)
def test_what_cannot_be_done_is_refused_before_anything_is_simulated(simulated, spec, tmp_path, options, said):
    with pytest.raises(SpecError, match=said):
        next(pretrain(spec, tmp_path / "net.h5", **options))
    assert simulated == []


@pytest.mark.long
def test_a_spec_that_has_more_in_its_cells_becomes_a_checkpoint(made, tmp_path, monkeypatch):
    text = made.spec(*BESIDE).text
    for long, short in (
        ("duration = [200.0, 1000.0]", "duration = [200.0, 210.0]"),
        ("sweeps = [1, 40]", "sweeps = [1, 3]"),
        ("epochs = 3", "epochs = 1"),
    ):
        assert long in text
        text = text.replace(long, short)
    spec = spec_from(text, "wide.toml")
    monkeypatch.setattr("estimators.misfits._CELLS", 5)
    monkeypatch.setattr(judges, "_LESSONS", 60)
    monkeypatch.setattr(judges, "_SURPRISES", 80)
    monkeypatch.setattr(simulation, "CHUNK", 200)
    out = tmp_path / "wide.h5"
    *_, summary = pretrain(spec, out)
    there = load(out)
    assert there.spec == spec
    assert there.spec.names == (*CELL, *BESIDE)
    assert set(summary["coverage"]) == {*CELL, *BESIDE}
    assert all(len(there.reference[f"misfit_{stratum}"]) for stratum in (1, 3, 10))
    Observer(there, draws=20).warm()


@pytest.mark.long
def test_a_spec_of_the_second_process_becomes_a_checkpoint(spec, tmp_path, monkeypatch):
    text = (files("estimators.pretrained") / "patchseq-13.toml").read_text(encoding="utf-8").split("[training]")[0]
    for long, short in (
        ("duration = [200.0, 1000.0]", "duration = [200.0, 210.0]"),
        ("tail = [20.0, 300.0]", "tail = [285.0, 300.0]"),
        ("sweeps = [1, 40]", "sweeps = [1, 3]"),
    ):
        assert long in text
        text = text.replace(long, short)
    tiny = spec.text[spec.text.index("[training]") :].replace("epochs = 3", "epochs = 1")
    spec = spec_from(text + tiny, "patchseq.toml")
    monkeypatch.setattr("estimators.misfits._CELLS", 3)
    monkeypatch.setattr(judges, "_LESSONS", 60)
    monkeypatch.setattr(judges, "_SURPRISES", 80)
    monkeypatch.setattr(simulation, "CHUNK", 200)
    out = tmp_path / "patchseq.h5"
    *_, summary = pretrain(spec, out)
    there = load(out)
    assert there.spec == spec
    assert there.spec.process is PATCHSEQ
    assert set(summary["coverage"]) == set(PATCHSEQ.within)
    assert there.calibration["cells"]["adaptive"] == 12
    Observer(there, draws=20).warm()


@pytest.mark.long
def test_two_hundred_cells_make_a_network_that_can_be_asked(spec, tmp_path, monkeypatch):
    monkeypatch.setattr("estimators.misfits._CELLS", 10)
    monkeypatch.setattr(judges, "_LESSONS", 60)
    monkeypatch.setattr(judges, "_SURPRISES", 100)
    monkeypatch.setattr(simulation, "CHUNK", 200)
    out = tmp_path / "net.h5"
    *_, summary = pretrain(spec, out, simulations=200)
    assert summary["cells"] == 180
    assert load(out).calibration["n"] == 60
