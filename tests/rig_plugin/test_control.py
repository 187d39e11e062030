import logging
import threading

import pytest

from rig_plugin.control import Control
from rig_plugin.feed import Ended, Feed
from simulators.refusal import Refusal


class Stub:
    """A session that runs until it is stopped."""

    def __init__(self, feed, error=None):
        self.feed, self.error = feed, error
        self.running, self.stopping = threading.Event(), threading.Event()
        self.marks = 0

    def run(self):
        self.running.set()
        if self.error is not None:
            raise self.error
        assert self.stopping.wait(60)
        self.feed.ended(None)

    def stop(self):
        self.stopping.set()

    def mark(self, text):
        self.marks += 1


@pytest.fixture
def feed():
    return Feed()


@pytest.fixture
def made():
    return []


@pytest.fixture
def control(feed, made):
    def make(feed):
        made.append(Stub(feed))
        return made[-1]

    control = Control(make, feed)
    yield control
    control.stop()
    control.join(60)


def begin(control, made, count=1):
    control.start()
    while len(made) < count:
        threading.Event().wait(0.001)
    assert made[-1].running.wait(60)


def test_start_stop_and_join_are_one_session(control, made, feed):
    begin(control, made)
    control.stop()
    control.join(60)
    assert feed.take() == (Ended(None),)


def test_a_running_session_is_not_started_again(control, made):
    begin(control, made)
    control.start()
    control.stop()
    control.join(60)
    assert len(made) == 1


def test_after_an_end_it_begins_anew(control, made):
    for count in (1, 2):
        begin(control, made, count)
        assert not made[-1].stopping.is_set()
        control.stop()
        control.join(60)
    assert len(made) == 2


def test_a_mark_reaches_the_session(control, made):
    control.mark()
    begin(control, made)
    control.mark()
    assert made[0].marks == 1


def test_before_anything_began_nothing_is_stopped_or_awaited(control):
    control.stop()
    control.join(1)
    assert control.status is None


def test_a_stop_while_the_session_opens_is_not_forgotten(feed):
    opening, go = threading.Event(), threading.Event()
    stub = Stub(feed)

    def slow(feed):
        opening.set()
        assert go.wait(60)
        return stub

    control = Control(slow, feed)
    control.start()
    assert opening.wait(60)
    control.stop()
    go.set()
    control.join(60)
    assert stub.stopping.is_set()
    assert feed.take() == (Ended(None),)


@pytest.mark.parametrize("error", [Refusal("The file is there already."), ZeroDivisionError("A defect.")])
def test_what_cannot_be_opened_says_why_in_the_window(feed, error, caplog):
    caplog.set_level(logging.CRITICAL, logger="rig_plugin")

    def fail(feed):
        raise error

    control = Control(fail, feed)
    control.start()
    control.join(60)
    assert feed.take() == (Ended(str(error)),)


@pytest.mark.parametrize("error", [Refusal("The rig is gone."), ZeroDivisionError("A defect.")])
def test_a_session_that_fails_leaves_a_control_that_can_start_again(feed, error, caplog):
    caplog.set_level(logging.CRITICAL, logger="rig_plugin")
    stubs = [Stub(feed, error), Stub(feed)]
    control = Control(lambda feed: stubs.pop(0), feed)
    first, second = stubs
    control.start()
    control.join(60)
    assert first.running.is_set()
    control.start()
    assert second.running.wait(60)
    control.stop()
    control.join(60)
    assert second.stopping.is_set()
