"""The desk in the engine: one session at a time, and a start that is asked for is never lost."""

import threading
from contextlib import closing

from rig_plugin.engine.host import _Desk
from rig_plugin.gaze import GazeError


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
