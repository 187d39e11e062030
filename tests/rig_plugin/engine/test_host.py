"""The desk in the engine: one session at a time, and a start that is asked for is never lost."""

import json
import threading
from contextlib import closing
from dataclasses import asdict
from functools import partial

from rig_plugin.engine.host import _Desk
from rig_plugin.engine.letter import open_letter, seal
from rig_plugin.gate import Gate
from rig_plugin.gaze import GazeError
from rig_plugin.interval import Interval
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.stages import DrugStage


class Told:
    """An outbox that keeps what it was told."""

    def __init__(self):
        self.is_over, self.reasons, self.there = True, [], threading.Event()

    def ended(self, reason):
        self.is_over = True
        self.reasons.append(reason)
        self.there.set()


class Scripted:
    """A session that ends when it is stopped, and whose thread then lives on for a while."""

    def __init__(self, outbox, linger=0.0):
        self.outbox, self.linger, self.looked = outbox, linger, []
        self.running, self.stopped = threading.Event(), threading.Event()

    def run(self):
        self.running.set()
        self.stopped.wait(10.0)
        self.outbox.ended(None)
        threading.Event().wait(self.linger)

    def stop(self):
        self.stopped.set()

    end = stop

    def look(self, names):
        if "x" in names:
            raise GazeError("There is no x.")
        self.looked.append(tuple(names))


def test_a_start_is_not_lost_that_comes_before_the_last_session_s_thread_is_gone():
    outbox, opened = Told(), []

    def opener(listener):
        opened.append(Scripted(listener, linger=0.3))
        return opened[-1]

    with closing(_Desk(opener, outbox)) as desk:
        desk.do("start")
        while not opened:
            pass
        opened[0].running.wait(5.0)
        desk.do("stop")
        assert outbox.there.wait(5.0)
        desk.do("start")
        assert not outbox.is_over
        desk.do("stop")
    assert len(opened) == 2
    assert outbox.reasons == [None, None]


def test_the_gate_and_another_protocol_are_told_to_the_next_session_and_words_to_the_one_that_runs():
    outbox, opened = Told(), []

    def opener(listener, **changed):
        session = Scripted(listener)
        opened.append(session)
        session.told = [changed]
        session.gate = session.told.append
        session.go, session.skip = (partial(session.told.append, word) for word in ("go", "skip"))
        return session

    first, other = ProtocolSettings(amplitudes=(20.0, 40.0)), ProtocolSettings(step=25.0)
    with closing(_Desk(opener, outbox)) as desk:
        desk.do("go")
        desk.do("gate", text="accept")
        desk.do("play", protocol=json.loads(json.dumps(asdict(first))))
        for _ in range(2):
            outbox.there.clear()
            desk.do("start")
            while not (opened and opened[-1].running.wait(0.001)):
                pass
            desk.do("go")
            desk.do("play", protocol=asdict(other))
            desk.do("gate", text="auto")
            desk.do("skip")
            desk.do("stop")
            assert outbox.there.wait(5.0)
            opened[-1].running.clear()
    assert [session.told for session in opened] == [
        [{"protocol": first}, "accept", "go", "auto", "skip"],
        [{"protocol": other}, "auto", "go", "auto", "skip"],
    ]


def test_a_gate_that_can_not_stand_as_it_was_told_is_logged_and_the_session_goes_on(caplog):
    outbox, opened = Told(), []

    def opener(listener):
        opened.append(Scripted(listener))
        opened[-1].gate = Gate(iter(()), Interval()).turn
        return opened[-1]

    with closing(_Desk(opener, outbox)) as desk:
        desk.do("gate", text="ajar")
        desk.do("start")
        while not (opened and opened[0].running.wait(0.001)):
            pass
        desk.do("stop")
    assert outbox.reasons == [None]
    assert "turned to 'ajar'" in caplog.text


def test_a_session_that_runs_is_not_begun_again():
    outbox, opened = Told(), []

    def opener(listener):
        opened.append(Scripted(listener))
        return opened[-1]

    with closing(_Desk(opener, outbox)) as desk:
        desk.do("start")
        desk.do("start")
        desk.do("stop")
    assert len(opened) == 1
    assert outbox.reasons == [None]


def test_one_that_could_not_be_opened_is_over_and_can_be_tried_again():
    outbox, tries = Told(), []

    def opener(listener):
        tries.append(listener)
        raise OSError("no such folder")

    with closing(_Desk(opener, outbox)) as desk:
        for count in (1, 2, 3):
            outbox.there.clear()
            desk.do("start")
            assert outbox.there.wait(5.0)
            assert len(tries) == count
    assert outbox.reasons == ["no such folder"] * 3


def test_what_the_window_looks_at_is_told_to_the_session_that_runs_and_to_those_that_come(caplog):
    outbox, opened = Told(), []

    def opener(listener):
        opened.append(Scripted(listener))
        return opened[-1]

    with closing(_Desk(opener, outbox)) as desk:
        desk.do("look", names=["C", "V_T"])
        for names in (["C", "x"], []):
            outbox.there.clear()
            desk.do("start")
            while not opened or opened[-1].stopped.is_set():
                pass
            assert opened[-1].running.wait(5.0)
            desk.do("look", names=names)
            desk.do("stop")
            assert outbox.there.wait(5.0)
    assert [session.looked for session in opened] == [[("C", "V_T")], [()]]
    assert caplog.text.count("There is no x.") == 2


def test_a_drug_reaches_the_session_that_can_give_it_and_is_logged_where_none_can(caplog):
    outbox, given, opened = Told(), [], []
    stage = DrugStage("g_K", 0.5, ProtocolSettings(amplitudes=(-50.0, 150.0)))
    letter = open_letter(seal("give", drug=asdict(stage)))

    class Giving(Scripted):
        def give(self, stage):
            given.append(stage)

    def opener(listener):
        opened.append((Giving if not opened else Scripted)(listener))
        return opened[-1]

    with closing(_Desk(opener, outbox)) as desk:
        for count in (1, 2):
            desk.do("start")
            while len(opened) < count:
                pass
            assert opened[-1].running.wait(5.0)
            desk.do(**letter)
            desk.do("stop")
            assert outbox.there.wait(5.0)
            outbox.there.clear()
    assert given == [stage]
    assert "start a session on a rig" in caplog.text


def test_the_last_cell_can_be_refined_when_its_session_is_over_and_a_new_session_ends_that():
    outbox, opened, begun = Told(), [], threading.Semaphore(0)

    class Refiner:
        def __init__(self):
            self.calls = []

        def ask(self):
            self.calls.append("ask")

        def close(self):
            self.calls.append("close")

    def opener(listener):
        session = Scripted(listener)
        session.refiner = Refiner()
        opened.append(session)
        begun.release()
        return session

    with closing(_Desk(opener, outbox)) as desk:
        desk.do("refine")
        for k in range(2):
            outbox.there.clear()
            desk.do("start")
            assert begun.acquire(timeout=5.0)
            assert opened[k].running.wait(5.0)
            desk.do("stop")
            assert outbox.there.wait(5.0)
            desk.do("refine")
    assert [session.refiner.calls for session in opened] == [["ask", "close"], ["ask", "close"]]
