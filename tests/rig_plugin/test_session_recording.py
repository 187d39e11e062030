"""A session and its recording: what was lost, what could not be written, and what was marked."""

import errno
import os
import threading
from dataclasses import replace

import h5py
import numpy as np
import pytest

from estimators.observer import Verdict
from hardware import medium
from hardware.model_cell import ModelCell
from hardware.recorder import Recorder, RecorderError
from hardware.replay import Replay
from hardware.rig import Block, Gain
from rig_plugin.feed import Feed
from rig_plugin.protocol import family, gap_free
from rig_plugin.session import Session
from rig_plugin.stretch import Hold
from simulators.stimulus import step

STEPS = tuple(step(pA, onset=100.0, duration=200.0, tail=50.0) for pA in (-50.0, 0.0, 50.0))


def passive(stimulus, rate, rng):
    """Answer -70 mV and .1 GOhm at once."""
    return -70.0 + 0.1 * stimulus.command(rate)


class Estimate:
    """An observer that believes every sweep that is not refused."""

    used = 0

    def warm(self, *, overlays=False):
        """Have nothing to compile."""

    def expect(self, context):
        """Expect nothing."""

    def observe(self, row, context, prediction=None, refusal=None):
        self.used += refusal is None
        return Verdict(None, self.used, refusal is None, 1.0, (refusal,) if refusal else ())


class Notes:
    """A listener that notes what it is told."""

    def __init__(self, then=None):
        self.told, self.then = [], then or {}

    def __getattr__(self, event):
        def note(*what):
            self.told.append((event, *what))
            if event in self.then:
                self.then[event](*what)

        return note

    def named(self, event):
        return [what for name, *what in self.told if name == event]


@pytest.fixture
def estimate():
    return Estimate()


@pytest.fixture
def make(estimate):
    def make(recorder, *listeners):
        return Session(ModelCell(passive, pace="max"), estimate, (), family(STEPS), recorder, listeners)

    return make


class Leaky(ModelCell):
    """A model cell on a rig that loses samples of its second sweep."""

    def __init__(self, at=(3, 40)):
        super().__init__(passive, pace="max")
        self.played, self.at = 0, at

    def _start(self, stimulus):
        super()._start(stimulus)
        self.played, self.came = self.played + 1, 0

    def _read(self):
        block = super()._read()
        self.came += 1
        if block is None or self.played != 2 or self.came != self.at[0]:
            return block
        lost = self.at[1]
        return Block(block.response[lost:], block.command[lost:], lost)


def test_a_sweep_with_lost_samples_is_refused_with_their_place_and_the_session_goes_on(estimate, tmp_path):
    notes = Notes()
    recorder = Recorder(tmp_path / "cell.h5", {})
    first, leaky, last = Session(Leaky(), estimate, (), family(STEPS), recorder, (notes,)).trials()
    assert "40 samples were lost at 40.00 ms (from sample 800)" in leaky.trust.reason
    assert not leaky.trust.in_distribution
    assert np.isnan(list(leaky.features.values())).all()
    assert [trial.sweeps_used for trial in (first, leaky, last)] == [1, 1, 2]
    assert np.isnan(leaky.sweep.response[800:840]).all()
    assert leaky.sweep.response.size == 7000
    status = notes.named("status")[-1][0]
    assert (status.expected, status.received, status.on_disk, status.lost) == (21_000, 20_960, 20_960, 40)
    with h5py.File(tmp_path / "cell.h5") as file:
        assert [sweep["gaps"][()].tolist() for sweep in file["sweeps"].values()] == [[], [[800, 40]], []]


class Cut(ModelCell):
    """A model cell on a rig that loses the last samples of its second sweep, and says so with an empty block."""

    def __init__(self, lost, with_command):
        super().__init__(passive, pace="max")
        self.played, self.lost, self.command = 0, lost, np.empty(0) if with_command else None

    def _start(self, stimulus):
        super()._start(stimulus)
        self.played, self.told = self.played + 1, False

    def _read(self):
        if self.played != 2:
            return super()._read()
        if self._position < self._response.size - self.lost:
            block = super()._read()
            left = self._response.size - self.lost - (self._position - block.response.size)
            return Block(block.response[:left], block.command[:left])
        told, self.told = self.told, True
        return None if told else Block(np.empty(0), self.command, self.lost)


@pytest.mark.parametrize("with_command", [True, False])
@pytest.mark.parametrize("lost", [1, 530])
def test_a_sweep_whose_last_samples_were_lost_is_no_shorter_and_not_inferred_from(
    estimate, tmp_path, lost, with_command
):
    notes = Notes()
    recorder = Recorder(tmp_path / "cell.h5", {})
    first, cut, last = Session(Cut(lost, with_command), estimate, (), family(STEPS), recorder, (notes,)).trials()
    at = 7000 - lost
    noun = "1 sample was" if lost == 1 else "530 samples were"
    assert f"{noun} lost at {at / 20.0:.2f} ms (from sample {at})" in cut.trust.reason
    assert "(rule lost)" in cut.trust.reason
    assert np.isnan(list(cut.features.values())).all()
    assert [trial.sweeps_used for trial in (first, cut, last)] == [1, 1, 2]
    assert np.flatnonzero(np.isnan(cut.sweep.response)).tolist() == list(range(at, 7000))
    assert np.flatnonzero(np.isnan(cut.sweep.command)).tolist() == list(range(at, 7000))
    status = notes.named("status")[-1][0]
    counts = (21_000, 21_000 - lost, 21_000 - lost, lost)
    assert (status.expected, status.received, status.on_disk, status.lost) == counts
    with h5py.File(tmp_path / "cell.h5") as file:
        assert [sweep["gaps"][()].tolist() for sweep in file["sweeps"].values()] == [[], [[at, lost]], []]
        assert [sweep["response"].size for sweep in file["sweeps"].values()] == 3 * [7000]
        assert [sweep["command"].size for sweep in file["sweeps"].values()] == 3 * [7000]
        assert all(sweep.attrs["complete"] for sweep in file["sweeps"].values())
    passage = Replay(tmp_path / "cell.h5", speed="max").stimuli[1]
    assert passage.refusal is not None and f"from sample {at}" in passage.refusal


def test_who_listens_gets_samples_at_their_time_even_after_a_loss(estimate):
    notes = Notes()
    Session(Leaky(), estimate, (), family(STEPS[:2]), None, (notes,)).run()
    told = np.concatenate([response for response, _ in notes.named("block")])
    assert told.size == 14_000
    assert np.flatnonzero(np.isnan(told)).tolist() == list(range(7800, 7840))
    assert notes.named("status")[-1][0].lost == 40


def test_a_disk_that_takes_nothing_is_in_the_status_and_stops_no_session(make, tmp_path, monkeypatch):
    refusing = threading.Event()
    write = os.write

    def full(descriptor, data):
        if refusing.is_set():
            raise OSError(errno.ENOSPC, "no space left")
        return write(descriptor, data)

    monkeypatch.setattr(medium.os, "write", full)
    notes = Notes({"finished": lambda trial: refusing.clear() if trial.index == 2 else refusing.set()})
    assert len(list(make(Recorder(tmp_path / "cell.h5", {}), notes).trials())) == 3
    statuses = [status for (status,) in notes.named("status")]
    assert any("is full: free some space" in (status.alarm or "") for status in statuses)
    assert max(status.queued for status in statuses) >= 7000
    with h5py.File(tmp_path / "cell.h5") as file:
        assert [sweep["response"].size for sweep in file["sweeps"].values()] == 3 * [7000]
        assert all(sweep.attrs["complete"] for sweep in file["sweeps"].values())


def test_a_file_that_is_not_complete_at_the_end_is_the_reason_of_the_end(make, tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / "cell.h5", {})
    notes = Notes()
    close = recorder.close

    def full():
        close()
        raise RecorderError("cell.h5 is not complete.")

    monkeypatch.setattr(recorder, "close", full)
    with pytest.raises(RecorderError, match="not complete"):
        make(recorder, notes).run()
    assert notes.told[-1] == ("ended", "cell.h5 is not complete.")


def test_a_mark_is_a_row_of_the_file_and_one_after_the_end_is_nothing(make, tmp_path):
    session = None
    session = make(Recorder(tmp_path / "cell.h5", {}), Notes({"started": lambda *_: session.mark("drug")}))
    session.run()
    session.mark("too late")
    with h5py.File(tmp_path / "cell.h5") as file:
        rows = [(row["sample"], row["sweep"], row["text"]) for row in file["marks"][()]]
    assert rows == [(0, 0, b"drug"), (7000, 1, b"drug"), (14_000, 2, b"drug")]


def test_a_held_command_is_recorded_without_gaps_and_sweeps_may_follow(tmp_path):
    def protocol():
        assert (yield Hold(-20.0, 25_000.0)) is None
        yield STEPS[2]
        yield Hold(10.0, 300.0)

    notes = Notes()
    rig = ModelCell(passive, rate=10.0, pace="max", interval=0.0)
    with Recorder(tmp_path / "cell.h5", {}) as recorder:
        session = Session(rig, Estimate(), (), protocol(), recorder, [notes])
        session.run()
    assert session.status.received == session.status.on_disk == 250_000 + 3500 + 3000
    with h5py.File(tmp_path / "cell.h5") as file:
        first, second = (file["continuous"][name] for name in sorted(file["continuous"]))
        assert (first["response"][()] == -72.0).all()
        assert (first["command"][()] == -20.0).all()
        assert [len(stretch["response"]) for stretch in (first, second)] == [250_000, 3000]
        assert [len(sweep["response"]) for sweep in file["sweeps"].values()] == [3500]
    # Three pages, a sweep, and one page.
    assert len(notes.named("started")) == 5
    assert len(notes.named("finished")) == 1


@pytest.mark.parametrize("end", ["stop", "end"])
def test_a_held_command_without_an_end_is_over_when_the_session_is(tmp_path, end):
    rig = ModelCell(passive, rate=10.0, pace="max", exit_level=-5.0)
    session = Session(
        rig, Estimate(), (), gap_free(0.0), Recorder(tmp_path / "cell.h5", {}),
        [Notes({"status": lambda status: status.received > 120_000 and getattr(session, end)()})],
    )  # fmt: skip
    session.run()
    assert rig.output == -5.0
    with h5py.File(tmp_path / "cell.h5") as file:
        (stretch,) = file["continuous"].values()
        assert stretch.attrs["complete"]
        assert len(stretch["response"]) == session.status.received


def test_what_a_held_rig_loses_is_a_gap_at_its_place(tmp_path):
    class Leaky(ModelCell):
        def _read(self):
            block = super()._read()
            return Block(block.response[7:], block.command[7:], 7) if block and self._position == 2000 else block

    rig = Leaky(passive, rate=10.0, pace="max")
    session = Session(rig, Estimate(), (), gap_free(0.0, 500.0), Recorder(tmp_path / "cell.h5", {}))
    session.run()
    assert (session.status.received, session.status.lost, session.status.expected) == (4993, 7, 5000)
    with h5py.File(tmp_path / "cell.h5") as file:
        (stretch,) = file["continuous"].values()
        response = stretch["response"][()]
    assert np.flatnonzero(np.isnan(response)).tolist() == list(range(1800, 1807))


def test_the_last_word_on_a_recording_is_that_all_of_it_is_on_the_disk(make, tmp_path):
    notes = Notes()
    make(Recorder(tmp_path / "cell.h5", {}), notes).run()
    (last,) = notes.named("status")[-1]
    assert last.received == last.on_disk == 3 * 7000
    assert last.queued == 0
    assert notes.told[-1] == ("ended", None)


def test_the_file_holds_every_sample_as_it_was_measured(make, tmp_path):
    notes = Notes()
    make(Recorder(tmp_path / "cell.h5", {}), notes).run()
    with h5py.File(tmp_path / "cell.h5") as file:
        sweeps = [group[()] for group in (g["response"] for g in file["sweeps"].values())]
    assert np.array_equal(np.concatenate(sweeps), np.concatenate([response for response, _ in notes.named("block")]))


def test_a_mark_is_kept_with_the_trial(make, tmp_path):
    session = None
    session = make(Recorder(tmp_path / "cell.h5", {}), Notes({"started": lambda *_: session.mark()}))
    session.run()
    with h5py.File(tmp_path / "cell.h5") as file:
        assert b'"marks": [0, 7000, 14000]' in file["sweeps/000002/summary"][()]


def test_what_a_dynamic_clamp_adds_is_said_beside_what_is_inferred(make, monkeypatch):
    (alone, *_) = make(None).trials()
    assert "dynamic clamp" not in (alone.trust.reason or "")
    monkeypatch.setattr(ModelCell, "added", "g_M of -5 nS")
    (beside, *_) = make(None).trials()
    assert "A dynamic clamp adds g_M of -5 nS: what is inferred is the cell with it." in beside.trust.reason


class Wide(ModelCell):
    """A model cell with the bath's temperature beside it: a hundredth of the response."""

    def __init__(self):
        super().__init__(passive, pace="max")
        self.gains = {**self.gains, "bath": Gain(10.0, "degC/V", "rig file")}

    def _read(self):
        block = super()._read()
        return block and replace(block, others={"bath": block.response / 100.0})


@pytest.mark.parametrize("protocol", [family(STEPS[:2]), gap_free(0.0, 700.0)], ids=["sweeps", "held"])
def test_whoever_listens_is_told_the_further_channels_and_their_units(estimate, protocol):
    feed, notes = Feed(), Notes()
    Session(Wide(), estimate, (), protocol, None, (feed, notes)).run()
    assert notes.named("started")[-1][3] == {"bath": "degC"}
    assert dict(feed.live.units) == {"bath": "degC"}
    assert feed.live.response.size
    np.testing.assert_array_equal(feed.live.others["bath"], feed.live.response / 100.0)


def test_where_there_are_no_further_channels_nobody_hears_of_any(make):
    notes = Notes()
    make(None, notes).run()
    assert {len(what) for what in notes.named("started")} == {3}
    assert {len(what) for what in notes.named("block")} == {2}
