"""The window says what became of the output when the engine is dead, in the guardian's words or for want of them."""

import os
import signal
import sys
from contextlib import closing
from functools import partial

import pytest
from nidaq_server import NidaqServer

from hardware.last_word import Lookout, Word
from rig_plugin import opening
from rig_plugin.engine import opened
from rig_plugin.engine.client import Client
from rig_plugin.engine.vigil import Vigil
from rig_plugin.feed import Guarded
from rig_plugin.nidaq_settings import NidaqSettings
from rig_plugin.settings import AmplifierSettings, ProtocolSettings, RigSettings, Settings
from rig_plugin.widgets.qt import QtCore
from rig_plugin.window import Window


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def vigil():
    clock = Clock()
    made = Vigil(clock)
    made.clock = clock
    yield made
    made.end()
    assert not made.folder.exists()


def test_a_rig_without_a_guardian_is_waited_for_by_nobody(vigil):
    assert not vigil.mourn()
    vigil.clock.now += 100.0
    assert vigil.take() == ()


def test_a_guardian_that_says_nothing_is_missed_after_ten_seconds_and_only_once(vigil):
    (vigil.folder / "7.watch").touch()
    assert vigil.mourn()
    vigil.clock.now += 9.9
    assert vigil.take() == ()
    vigil.clock.now += 0.2
    (word,) = vigil.take()
    assert not word.returned
    assert "has not said within 10 s" in word.sentence and "by hand" in word.sentence
    vigil.clock.now += 100.0
    assert vigil.take() == ()
    assert not vigil.mourn()


def test_a_word_ends_the_wait_whatever_it_says(vigil):
    (vigil.folder / "7.watch").write_text('{"returned": false, "sentence": "It could not."}')
    assert vigil.mourn()
    (vigil.folder / "7.watch").rename(vigil.folder / "7.word")
    assert vigil.take() == (Word(False, "It could not."),)
    vigil.clock.now += 100.0
    assert vigil.take() == ()


def test_a_guardian_that_was_killed_in_an_earlier_session_is_not_waited_for(vigil):
    (vigil.folder / "7.watch").touch()
    vigil.begin()
    assert not vigil.mourn()


def test_a_new_start_does_not_end_the_wait_for_a_word(vigil):
    (vigil.folder / "7.watch").touch()
    vigil.mourn()
    vigil.begin()
    assert Lookout(vigil.folder).is_watched


def test_what_nobody_saw_before_the_end_is_logged(caplog):
    vigil = Vigil()
    (vigil.folder / "7.word").write_text('{"returned": true, "sentence": "It returned."}')
    vigil.end()
    assert "It returned." in caplog.text


def test_the_guardian_s_line_stays_until_it_was_seen(qtbot, scripted):
    window = Window(scripted.control(), scripted.parameters, scripted.features, "net", "cell")
    qtbot.addWidget(window)
    window.show()
    window.bridge.stop()
    assert window.guardian.words == ""
    window.feed._send(Guarded(Word(True, "It returned.")))
    window.bridge.poll()
    assert "▲ OUTPUT RETURNED  It returned." in window.guardian.words
    assert window.guardian.theme.caution in window.guardian._label.styleSheet()
    window.feed._send(Guarded(Word(False, "It could not.")))
    window.bridge.poll()
    window.start()
    window.swap_theme()
    assert "It returned.\n" in window.guardian.words
    assert "■ OUTPUT NOT RETURNED  It could not." in window.guardian.words
    assert window.guardian.theme.danger in window.guardian._label.styleSheet()
    hint = window.minimumSizeHint()
    assert hint.width() <= 1366 and hint.height() <= 700
    qtbot.mouseClick(window.guardian.seen, QtCore.Qt.MouseButton.LeftButton)
    assert window.guardian.words == ""


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL.")
def test_the_window_says_that_the_guardian_ended_the_step_of_an_engine_that_was_killed(qtbot, scripted, capfd):
    with NidaqServer(speed=0.2) as server:
        settings = Settings(
            RigSettings("nidaq", rate=20.0),
            amplifier=AmplifierSettings(kind="manual", mode="current"),
            protocol=ProtocolSettings((80.0,), onset=100.0, duration=1000.0, tail=1000.0),
            nidaq=NidaqSettings("Dev1", server.address, response_mV=100.0, command_pA=400.0, exit_level=-8.0),
        )
        parameters = opening.network().spec.parameters
        with (
            closing(Client(partial(opened.attach, settings), parameters)) as client,
            closing(Window(client, parameters, scripted.features, "net", "nidaq", feed=client)) as window,
        ):
            qtbot.addWidget(window)
            window.start()
            # Where the kernels have to be compiled first, that comes before the rig is opened.
            qtbot.waitUntil(lambda: server.output == 0.2 or not window.is_running, timeout=300_000)
            assert window.is_running, window.status_line.words()
            os.kill(client.process, signal.SIGKILL)
            qtbot.waitUntil(lambda: bool(window.guardian.words), timeout=20_000)
            said = f"The guardian returned Dev1/ao0 on {server.address} to -0.02 V, because the program that held it"
            assert f"▲ OUTPUT RETURNED  {said} has died." in window.guardian.words
            assert server.output == -0.02
            assert "Its guardian is to return the output and will say here" in window.scope.notice
            folder = client._vigil.folder
        assert not folder.exists()
    assert said in capfd.readouterr().err
