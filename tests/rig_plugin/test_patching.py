"""Membrane tests without an end: each is told as it comes, nothing outlasts a stop, and the window hears of them."""

import threading
from contextlib import closing
from functools import partial

import pytest

from rig_plugin.engine import opened
from rig_plugin.engine.client import Client
from rig_plugin.feed import Ended, Feed, MembraneTested, Started
from rig_plugin.patch_settings import PatchSettings
from rig_plugin.patching import Patching
from rig_plugin.settings import RigSettings, Settings

SETTINGS = Settings(RigSettings(seed=1, pace="max"), patch=PatchSettings(bath=1500.0, seal=1000.0))


def patched(clamp, count, *listeners):
    return Patching(SETTINGS, clamp, count, listeners)


def test_each_test_is_told_with_its_pulse_and_the_end_comes_last():
    feed = Feed()
    tests = list(patched("voltage", 4, feed).tests())
    told = feed.take()
    assert [type(message) for message in told] == [Started, MembraneTested] * 4 + [Ended]
    assert [message.tested for message in told if isinstance(message, MembraneTested)] == tests
    assert tests[0].stage == "bath" and tests[-1].stage == "whole cell"
    assert told[-1].reason is None
    live = told[-3].live
    assert (live.stimulus.clamp, live.count) == ("voltage", live.expected)
    status = feed.recording
    assert not status.recording and status.received == status.expected == 4 * live.expected


@pytest.mark.parametrize("how", ["stop", "end"])
def test_without_a_count_it_goes_on_until_it_is_ended(how):
    class Listener(Feed):
        def tested(self, tested):
            super().tested(tested)
            seen.append(tested.index)
            if len(seen) == 3:
                getattr(patching, how)()

    seen, listener = [], Listener()
    patching = Patching(SETTINGS, "current", listeners=(listener,))
    thread = threading.Thread(target=patching.run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert seen == [0, 1, 2]
    assert listener.take()[-1] == Ended(None)


def test_a_stop_in_the_middle_of_a_pulse_gives_no_test_of_half_of_it():
    class Listener(Feed):
        def block(self, response, command):
            super().block(response, command)
            patching.stop()

    listener = Listener()
    patching = Patching(SETTINGS, "voltage", listeners=(listener,))
    assert list(patching.tests()) == []
    assert [type(message) for message in listener.take()] == [Started, Ended]
    assert listener.live.count < listener.live.expected


def test_a_rig_that_fails_is_told_and_left_at_its_exit_level(monkeypatch):
    feed = Feed()
    patching = patched("voltage", 4, feed)
    monkeypatch.setattr(patching._rig, "_read", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        patching.run()
    assert feed.take()[-1] == Ended("division by zero")
    assert not patching._rig._is_open


@pytest.mark.long
def test_the_window_hears_of_tests_in_the_engine_until_it_stops_them():
    with closing(Client(partial(opened.patch, SETTINGS, "voltage"), ())) as client:
        client.start()
        wait, told = threading.Event(), []
        for _ in range(12_000):
            told += client.take()
            if sum(isinstance(message, MembraneTested) for message in told) >= 2:
                client.stop()
            if told and isinstance(told[-1], Ended):
                break
            wait.wait(0.005)
        assert told[-1] == Ended(None)
        assert {m.tested.membrane.clamp for m in told if isinstance(m, MembraneTested)} == {"voltage"}
