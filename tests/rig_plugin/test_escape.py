"""Esc stops the session wherever the keys go."""

import pytest

from rig_plugin.proposal import Proposed
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.widgets.family_builder import FamilyBuilder
from rig_plugin.widgets.file_dialog import choose
from rig_plugin.widgets.qt import QtCore, QtWidgets
from rig_plugin.window import Window
from simulators.stimulus import step

Key = QtCore.Qt.Key


@pytest.fixture
def control(scripted):
    return scripted.control()


@pytest.fixture
def window(qtbot, scripted, control):
    builder = FamilyBuilder(ProtocolSettings())
    made = Window(control, scripted.parameters, scripted.features, "net", "simulated cell", protocol=builder)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.start()
    return made


def popup(window):
    window.evolution._choice.showPopup()
    return QtWidgets.QApplication.activePopupWidget()


def note(window):
    window.note_line.ask()
    return window.note_line


def floating(window):
    window.docks._docks["trust"].setFloating(True)
    return window.docks._docks["trust"]


def sheet(window):
    window.show_keys()
    return window._sheet


def dialog(window):
    return choose(window, "Open", "All files (*)", lambda path: None)


def log(window):
    window.docks.front("log")
    window.log._text.setFocus()
    return window.log._text


def number(window):
    window.docks.front("protocol")
    window.protocol.form.boxes["start"].setFocus()
    return window.protocol.form.boxes["start"]


@pytest.mark.parametrize("where", [popup, note, floating, sheet, dialog, log, number], ids=lambda where: where.__name__)
def test_escape_stops_the_session_from_anywhere(qtbot, window, control, where):
    widget = where(window)
    qtbot.waitUntil(widget.isVisible)
    qtbot.keyClick(widget, Key.Key_Escape)
    assert control.calls == ["start", "stop"]
    window.evolution._choice.hidePopup()
    window.feed.ended(None)
    qtbot.waitUntil(lambda: not window.is_running)


def test_keys_that_are_typed_into_a_field_are_letters_there(qtbot, window, control):
    window.note_line.ask()
    qtbot.keyClicks(window.note_line, "r m n c b")
    assert window.note_line.text() == "r m n c b" and control.calls == ["start"]
    window.feed.ended(None)
    qtbot.waitUntil(lambda: not window.is_running)


def test_a_sweep_that_waits_says_so_wherever_one_looks_and_is_answered_by_a_key(qtbot, window, control):
    qtbot.keyClick(window, Key.Key_A)
    assert control.stands == "accept"
    window.feed.proposed(Proposed(step(150.0), place=1, count=4, waits=True))
    qtbot.waitUntil(lambda: "+150 pA" in window.status_line.words())
    assert "waits" in window.status_line.words() and "G plays" in window.status_line.words()
    qtbot.keyClick(window, Key.Key_G)
    qtbot.keyClick(window, Key.Key_K)
    # It was answered, and is answered once.
    assert control.calls == ["start", "go"]
    window.feed.proposed(Proposed(step(200.0), place=2, count=4, waits=True, number=1))
    qtbot.waitUntil(lambda: "+200 pA" in window.status_line.words())
    qtbot.keyClick(window, Key.Key_K)
    assert control.calls == ["start", "go", "skip"]
    window.feed.ended(None)
    qtbot.waitUntil(lambda: not window.is_running)
