"""What refines a posterior beside a session: asked when it should be, dropped when it is of the past, harmless."""

import os
import threading
from dataclasses import replace

import numpy as np
import pytest

from estimators.context import Context
from estimators.features import NAMES
from estimators.pretrained import FIRST
from estimators.refinement import RefinementError
from rig_plugin.adviser import Adviser, AdviserError
from rig_plugin.audience import Silent
from rig_plugin.refine_settings import RefineSettings
from rig_plugin.refined import Refined
from rig_plugin.refiner import Refiner
from rig_plugin.rounds import Cell, refined
from rig_plugin.settings import read
from rig_plugin.toml_table import SettingsError


class Observer:
    """Who has one sweep."""

    known = (np.zeros((1, len(NAMES))), (Context(10.0, 0.0, 1.0, 200.0, 50.0, 20.0, 20.0),))


class Worker:
    """An adviser that answers when a test lets it."""

    def __init__(self, error=None):
        self.asked, self.let, self.closed, self.error = [], threading.Event(), 0, error
        self.there = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def ask(self, work, cell):
        assert work is refined
        self.asked.append(cell)
        self.there.set()

    def answer(self, seconds):
        if not self.let.wait(0.002):
            return None
        if self.error is not None:
            raise self.error
        return Refined(self.asked[-1].trial, np.zeros((1, 2)))

    def close(self):
        self.closed += 1


class Ear(Silent):
    """Who hears refinements."""

    def __init__(self):
        self.told, self.there = [], threading.Semaphore(0)

    def refined(self, refined):
        self.told.append(refined)
        self.there.release()


@pytest.fixture
def stand():
    made = []

    def make(after="never", error=None):
        ear, worker = Ear(), Worker(error)
        refiner = Refiner((ear,), FIRST, after, adviser=worker)
        refiner.attend(Observer())
        made.append(refiner)
        return refiner, worker, ear

    yield make
    for refiner in made:
        refiner.close()


def test_without_a_question_nothing_is_started(stand, scripted):
    refiner, worker, _ = stand()
    refiner.finished(scripted.trial(0))
    refiner.ended(None)
    assert refiner._thread is None
    assert not worker.asked


@pytest.mark.parametrize(("after", "asked"), [("sweep", [0, 1]), ("stop", [1])])
def test_it_begins_when_the_rig_file_says_and_tells_of_the_newest_trial(stand, scripted, after, asked):
    refiner, worker, ear = stand(after)
    worker.let.set()
    refiner.finished(scripted.trial(0))
    if after == "sweep":
        assert ear.there.acquire(timeout=5.0)
    refiner.finished(scripted.trial(1))
    refiner.ended(None)
    assert ear.there.acquire(timeout=5.0)
    assert [cell.trial for cell in worker.asked] == asked
    assert [each.trial for each in ear.told] == asked


def test_a_newer_sweep_drops_what_is_at_work_and_ends_its_process(stand, scripted):
    refiner, worker, ear = stand()
    refiner.finished(scripted.trial(0))
    refiner.ask()
    assert worker.there.wait(5.0)
    worker.there.clear()
    refiner.finished(scripted.trial(1))
    refiner.ask()
    assert worker.there.wait(5.0)
    worker.let.set()
    assert ear.there.acquire(timeout=5.0)
    assert [each.trial for each in ear.told] == [1]
    assert worker.closed == 1


def test_before_the_first_sweep_it_says_what_is_missing(stand):
    refiner, worker, ear = stand()
    refiner.ask()
    assert "play one" in ear.told[0].refusal
    assert not worker.asked


@pytest.mark.parametrize(("cause", "said"), [(RefinementError("No holding."), "No holding."), (None, "refine again")])
def test_a_refusal_and_a_death_are_told_in_words(stand, scripted, cause, said):
    error = AdviserError("No holding." if cause else "The process that chooses has died.")
    error.__cause__ = cause
    refiner, worker, ear = stand(error=error)
    worker.let.set()
    refiner.finished(scripted.trial(0))
    refiner.ask()
    assert ear.there.acquire(timeout=5.0)
    assert said in ear.told[0].refusal
    assert ear.told[0].draws is None


def test_a_choosing_session_is_refined_when_it_is_over_at_the_earliest(tmp_path):
    file = tmp_path / "RIG.toml"
    file.write_text('[refine]\nafter = "sweep"\n')
    assert read(file).refine == RefineSettings("sweep")
    assert read(file).refine.within("accept") == "stop"
    file.write_text('[refine]\nafter = "always"\n')
    with pytest.raises(SettingsError, match="after"):
        read(file)


def test_what_the_worker_is_given_is_refused_as_the_round_refuses_it():
    rows, (context,) = Observer.known
    with pytest.raises(RefinementError, match="holding"):
        refined(Cell(0, FIRST, rows, (replace(context, holding_known=0.0),)))


def gone(cell):
    """Die as a process does that the system kills."""
    os._exit(9)


@pytest.mark.long
def test_the_worker_s_death_costs_the_refinement_and_the_next_question_is_answered(scripted, monkeypatch):
    ear = Ear()
    refiner = Refiner((ear,), FIRST, adviser=Adviser())
    refiner.attend(Observer())
    monkeypatch.setattr("rig_plugin.refiner.refined", gone)
    refiner.finished(scripted.trial(0))
    refiner.ask()
    assert ear.there.acquire(timeout=60.0)
    assert "refine again" in ear.told[0].refusal
    monkeypatch.setattr("rig_plugin.refiner.refined", refined)
    refiner._cell = replace(refiner._cell, contexts=(replace(Observer.known[1][0], holding_known=0.0),))
    refiner.ask()
    assert ear.there.acquire(timeout=60.0)
    assert "holding" in ear.told[1].refusal
    refiner.close()
