"""Between two sweeps: what is next is told, waits where it was asked to, and is played by a word alone."""

import threading

import pytest

from hardware.model_cell import ModelCell
from hardware.passage import Passage
from hardware.recorder import Recorder
from rig_plugin.gate import Gate, GateError
from rig_plugin.interval import Interval
from rig_plugin.proposal import Candidate, Proposed
from rig_plugin.protocol import Request, family, recorded
from rig_plugin.session import Session
from rig_plugin.stretch import Hold
from tests.rig_plugin.estimate import PARAMETERS, STEPS, Estimate, Notes, passive


class Cell:
    """A session on a simulated cell, and who answers each of its proposals, in order."""

    def __init__(self, protocol=None, mode="accept", answers=(), **rest):
        self.rig, self.answers = ModelCell(passive, pace="max"), list(answers)
        self.notes = Notes({"proposed": self._answer})
        observer = Estimate()
        self.session = Session(
            self.rig, observer, PARAMETERS, protocol or family(STEPS), listeners=(self.notes,), **rest
        )
        if mode:
            self.session.gate(mode)

    def _answer(self, proposed):
        word = self.answers.pop(0) if self.answers else None
        if callable(word):
            word()
        elif word:
            getattr(self.session, word)()

    def run(self):
        return [trial.sweep.stimulus.amplitude for trial in self.session.trials()]

    @property
    def proposals(self):
        return [proposed for (proposed,) in self.notes.named("proposed")]


class Wait(Exception):
    """A gate waits, with nobody there to end it."""


class Slow:
    """An interval of which a minute is left, and a gate's wait that takes that time."""

    def __init__(self, gate_of, monkeypatch):
        self.left, self.waited = 60.0, []
        self.gate = gate_of(self)
        monkeypatch.setattr(self.gate, "_pause", self._pause)

    def _pause(self, seconds):
        self.waited.append(seconds)
        if seconds is None:
            raise Wait
        self.left = 0.0


def test_a_sweep_is_played_when_somebody_says_go_and_one_that_is_skipped_is_not():
    cell = Cell(answers=["go", "skip", "go"])
    assert cell.run() == [-50.0, 50.0]
    assert cell.proposals == [Proposed(s, None, k, 3, waits=True, number=k) for k, s in enumerate(STEPS)]
    events = [name for name, *_ in cell.notes.told if name not in ("block", "status")]
    sweep = ["started", "finished"]
    assert events == ["proposed", *sweep, "proposed", "proposed", *sweep, "ended"]
    assert [stimulus.amplitude for stimulus, *_ in cell.notes.named("started")] == [-50.0, 50.0]


def test_nothing_waits_and_nothing_is_proposed_until_somebody_asks():
    cell = Cell(mode=None)
    assert cell.run() == [-50.0, 0.0, 50.0]
    assert cell.proposals == []
    watched = Cell(mode="auto")
    assert watched.run() == [-50.0, 0.0, 50.0]
    assert [proposed.waits for proposed in watched.proposals] == [False, False, False]


def test_a_gate_that_is_turned_counts_from_the_sweep_that_waits_and_says_so():
    cell = Cell(answers=["go"])
    cell.answers.append(lambda: cell.session.gate("auto"))
    assert cell.run() == [-50.0, 0.0, 50.0]
    told = [(proposed.number, proposed.waits) for proposed in cell.proposals]
    assert told == [(0, True), (1, True), (1, False), (2, False)]


@pytest.mark.parametrize("how", ["stop", "end"])
def test_the_end_of_a_session_ends_its_wait_at_once_and_leaves_the_cell_at_rest(how):
    cell = Cell()
    there = threading.Event()
    cell.answers.append(there.set)
    thread = threading.Thread(target=cell.session.run)
    thread.start()
    assert there.wait(60)
    getattr(cell.session, how)()
    thread.join(60)
    assert not thread.is_alive()
    assert cell.notes.named("started") == []
    assert cell.notes.told[-1] == ("ended", None)
    assert cell.rig.output == cell.rig.exit_level


def test_a_go_from_another_thread_plays_what_waits():
    cell = Cell(protocol=family(STEPS[:1]))
    there = threading.Event()
    cell.answers.append(there.set)
    thread = threading.Thread(target=cell.session.run)
    thread.start()
    assert there.wait(60)
    cell.session.go()
    thread.join(60)
    assert len(cell.notes.named("finished")) == 1


def test_a_protocol_is_not_sent_a_trial_of_what_was_passed_over():
    sent = []

    def protocol():
        for stimulus in STEPS:
            sent.append((yield stimulus))

    assert Cell(protocol=protocol(), answers=["skip", "go", "skip"]).run() == [0.0]
    assert [None if trial is None else trial.index for trial in sent] == [None, 0, None]


def test_what_an_adaptive_protocol_reckoned_is_told_with_its_proposal():
    weighed = tuple(Candidate(stimulus, gain, 0.1) for stimulus, gain in zip(STEPS, (0.2, 0.4, 1.8), strict=True))

    def protocol():
        yield Request(STEPS[2], gain=1.8, candidates=weighed)

    cell = Cell(protocol=protocol(), answers=["go"])
    assert cell.run() == [50.0]
    assert cell.proposals == [Proposed(STEPS[2], 1.8, None, None, True, weighed)]


def test_only_sweeps_that_can_be_played_are_proposed(passages):
    def protocol():
        yield Hold(0.0, 20.0)
        yield from recorded(passages)

    cell = Cell(protocol=protocol(), answers=["go"])
    first, second = cell.session.trials()
    assert (first.sweep, second.sweep.stimulus) == (None, STEPS[1])
    assert [(proposed.place, proposed.count) for proposed in cell.proposals] == [(1, 2)]


def test_each_trial_of_a_family_says_what_is_played_after_it_and_the_last_one_nothing():
    trials = list(Cell(mode=None, protocol=family(STEPS[:2], 3)).session.trials())
    assert [trial.next_stimulus and trial.next_stimulus["step_pA"] for trial in trials] == [0.0, -50.0, None]
    assert trials[0].to_json()["next_stimulus"] == {
        "clamp": "current", "holding_pA": 0.0, "step_pA": 0.0, "onset_ms": 100.0, "duration_ms": 200.0,
        "epochs": [{"level": 0.0, "duration_ms": length} for length in (100.0, 200.0, 50.0)],
    }  # fmt: skip


def test_a_go_shortens_no_interval_and_a_skip_waits_for_none(monkeypatch):
    slow = Slow(lambda interval: Gate(family(STEPS), interval), monkeypatch)
    slow.gate.turn("accept")
    words = [slow.gate.skip, slow.gate.go]
    request = slow.gate.next(None, lambda _: words.pop(0)(), lambda: None)
    assert request.place == 1
    assert slow.waited == [60.0]


def test_an_answer_that_comes_before_its_sweep_was_proposed_counts_for_none(monkeypatch):
    slow = Slow(lambda interval: Gate(family(STEPS), interval), monkeypatch)
    slow.gate.turn("accept")
    slow.gate.go()
    with pytest.raises(Wait):
        slow.gate.next(None, lambda _: None, lambda: None)
    assert slow.waited == [60.0, None]


def test_a_recording_that_is_asked_for_while_a_sweep_waits_begins_before_it(tmp_path, monkeypatch):
    cell = Cell(make=lambda _: Recorder(tmp_path / "cell.h5", {}), protocol=family(STEPS[:1]))
    cell.notes.then["status"] = lambda status: status.recording and cell.session.go()
    gate, waits = cell.session._gate, threading.Event()
    pause = gate._pause
    monkeypatch.setattr(gate, "_pause", lambda seconds: waits.set() or pause(seconds))
    thread = threading.Thread(target=cell.session.run)
    thread.start()
    assert waits.wait(60)
    cell.session.record(True)
    thread.join(60)
    assert not thread.is_alive()
    events = [name for name, *what in cell.notes.told if name == "started" or (name == "status" and what[0].recording)]
    assert events[:2] == ["status", "started"]


def test_a_gate_that_is_turned_to_what_it_does_not_know_stays_as_it_is():
    gate = Gate(family(STEPS), Interval())
    with pytest.raises(GateError, match="turned to 'ajar'; 'auto' or 'accept' was wanted"):
        gate.turn("ajar")
    assert gate.next(None, pytest.fail, lambda: None).place == 0


@pytest.fixture
def passages():
    """Two sweeps of a file, of which the first can't be played."""
    return Passage(0, None, "It has no current before its step."), Passage(1, STEPS[1], None)
