"""The keys R, M and N, and what the panels for recording and log say of them."""

import pytest

from rig_plugin.widgets.qt import QtCore
from rig_plugin.window import Window

Key = QtCore.Qt.Key


@pytest.fixture
def control(scripted):
    return scripted.control()


@pytest.fixture
def window(qtbot, scripted, control, tmp_path):
    made = Window(control, scripted.parameters, scripted.features, "net", "simulated cell", folder=tmp_path)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def tell(qtbot, window, control, status):
    control.status = status
    window.feed.status(status)
    qtbot.waitUntil(lambda: window.recording._status is status)


def test_r_begins_a_recording_and_ends_it_and_the_session_goes_on(qtbot, window, scripted, control):
    qtbot.keyClick(window, Key.Key_R)
    assert control.calls == ["start", "record"] and "from the next sweep on" in window.status_line.words()
    tell(qtbot, window, control, scripted.status(100))
    assert "● REC" in window.header.words() and "● REC" in window.recording.words()
    qtbot.keyClick(window, Key.Key_R)
    assert control.calls[2:] == ["record no more"] and window.is_running
    # The file that is over is offered at once, beside the session that goes on.
    tell(qtbot, window, control, scripted.status(200, recording=False, path=None))
    assert "2024_03_01_cell2.h5 is closed" in window.offer.words() and "MONITOR" in window.header.words()
    window.feed.ended(None)
    qtbot.waitUntil(lambda: not window.is_running)


def test_each_file_of_a_session_is_offered_when_it_is_over(qtbot, window, scripted, control):
    window.start()
    tell(qtbot, window, control, scripted.status(100, path="one.h5"))
    tell(qtbot, window, control, scripted.status(100, path="two.h5"))
    assert "one.h5 is closed" in window.offer.words()
    window.feed.ended(None)
    qtbot.waitUntil(lambda: "two.h5 is closed" in window.offer.words())
    assert window.left is None


def test_why_nothing_is_recorded_is_said_once(qtbot, window, scripted, control):
    window.start()
    refused = scripted.status(0, recording=False, path=None, refusal="x can't be made: choose another folder.")
    tell(qtbot, window, control, refused)
    assert "choose another folder" in window.status_line.words()
    tell(qtbot, window, control, scripted.status(9, recording=False, path=None, refusal=refused.refusal))
    assert sum("choose another folder" in line for line in window.log.lines()) == 1
    assert any("■ danger" in line for line in window.log.lines())
    window.feed.ended(None)
    qtbot.waitUntil(lambda: not window.is_running)


def test_a_replay_is_not_recorded(qtbot, scripted, control):
    window = Window(control, scripted.parameters, scripted.features, "net", "cell.abf", is_replay=True)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Key.Key_R)
    assert control.calls == [] and "not recorded once more" in window.status_line.words()


def test_marks_stand_in_the_log_with_their_moment(qtbot, window, scripted, control):
    window.start()
    tell(qtbot, window, control, scripted.status(100))
    qtbot.keyClick(window, Key.Key_M)
    qtbot.keyClick(window, Key.Key_N)
    qtbot.keyClicks(window.note_line, "drug in")
    qtbot.keyClick(window.note_line, Key.Key_Return)
    window.log.show_only("marks")
    marks = [line.partition("◆ ")[2] for line in window.log.lines()]
    assert marks == ["mark: at 00:12:41 of the session", "mark: at 00:12:41 of the session: drug in"]
    window.feed.ended(None)
    qtbot.waitUntil(lambda: not window.is_running)
