"""A family is changed, drawn and applied; what is next is seen, and answered once."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from estimators.domain import Domain
from rig_plugin.feed import Live
from rig_plugin.proposal import Candidate, Proposed
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.unread import unread
from rig_plugin.widgets.family import amplitudes_of
from rig_plugin.widgets.family_builder import FamilyBuilder
from rig_plugin.widgets.qt import QtCore, QtTest
from rig_plugin.widgets.theme import DARK, LIGHT
from simulators.limits import Limits
from simulators.stimulus import step

FAMILY = ProtocolSettings(start=0.0, stop=90.0, step=10.0, interval=5000.0)
LEFT = QtCore.Qt.MouseButton.LeftButton
JUDGE = partial(unread, domain=Domain({"amplitude": (-50.0, 65.0)}), rate=20.0)


@pytest.fixture
def make(qtbot):
    def make(settings=FAMILY, **rest):
        panel = FamilyBuilder(settings, Limits(-200.0, 500.0), **rest)
        qtbot.addWidget(panel)
        panel.resize(625, 390)
        panel.show()
        return panel

    return make


def proposed(number=0, **rest):
    said = {"gain": 1.83, "place": number, "count": 10, "waits": True, "number": number} | rest
    return Proposed(step(85.0 + number), **said)


def type_in(box, text):
    box.setFocus()
    box.selectAll()
    QtTest.QTest.keyClicks(box, text)
    QtTest.QTest.keyClick(box, QtCore.Qt.Key.Key_Return)


def test_a_family_is_typed_drawn_and_applied_and_the_session_that_runs_keeps_its_own(qtbot, make):
    panel = make()
    assert "10 sweeps, 46 s" in panel.words()
    assert not panel.apply_button.isEnabled()
    assert panel.apply_button.toolTip() == "Nothing was changed."
    panel.enter(True)
    type_in(panel.form.boxes["stop"], "40")
    type_in(panel.form.boxes["interval"], "2.5")
    type_in(panel.form.boxes["start"], "-20")
    assert panel.form.boxes["start"].text() == "−20 pA"
    # As it is written it can be pasted.
    panel.form.boxes["start"].lineEdit().setText("−30 pA")
    panel.form.boxes["start"].interpretText()
    wanted = replace(FAMILY, start=-30.0, stop=40.0, interval=2500.0)
    assert panel.settings == wanted
    assert panel.preview.shown == wanted.stimuli()
    assert "8 sweeps, 18 s | Changed here, and not applied yet." in panel.words()
    with qtbot.waitSignal(panel.applied) as told:
        qtbot.mouseClick(panel.apply_button, LEFT)
    assert told.args == [wanted]
    panel.enter(True)
    assert "The session that runs keeps what it began with." in panel.words()
    panel.enter(False)
    panel.enter(True)
    assert panel.words() == "8 sweeps, 18 s | "


def test_what_is_wrong_stands_at_its_field_and_below_and_is_not_applied(qtbot, make):
    panel = make()
    type_in(panel.form.boxes["stop"], "600")
    assert "▲ stop: Command spans [0, 510] pA, outside the limits [-200, 500] pA" in panel.words()
    assert panel.form._labels["stop"].text() == "▲ stop"
    assert "outside the limits" in panel.form.boxes["stop"].toolTip()
    assert not panel.apply_button.isEnabled()
    assert "outside the limits" in panel.apply_button.toolTip()
    panel.apply()
    type_in(panel.form.boxes["stop"], "60")
    assert panel.form._labels["stop"].text() == "stop"
    assert panel.apply_button.isEnabled()


def test_what_the_network_does_not_read_is_said_and_dashed_and_can_be_played(make):
    panel = make(judge=JUDGE)
    assert "3 of 10 sweeps are played and not read" in panel.words()
    assert panel.preview._unread == {7, 8, 9}
    type_in(panel.form.boxes["start"], "70")
    assert "None of it can be read" in panel.words()
    assert not panel.apply_button.isEnabled()
    panel.judge_by(lambda stimuli: (None,) * len(stimuli))
    assert panel.apply_button.isEnabled()


def test_every_edit_can_be_undone_and_done_again_and_all_of_them_at_once(make):
    panel = make()
    type_in(panel.form.boxes["duration"], "250")
    panel.form.way.setCurrentIndex(1)
    assert panel.settings.amplitudes == tuple(10.0 * k for k in range(10))
    panel.form.amplitudes.setText("-50, 80; 20")
    QtTest.QTest.keyClick(panel.form.amplitudes, QtCore.Qt.Key.Key_Return)
    listed = replace(FAMILY, duration=250.0, amplitudes=(-50.0, 80.0, 20.0))
    assert panel.settings == listed
    panel.undo()
    panel.undo()
    assert panel.settings == replace(FAMILY, duration=250.0)
    assert panel.form.way.currentIndex() == 0
    panel.undo()
    assert (panel.settings, panel.undo_button.isEnabled()) == (FAMILY, False)
    for _ in range(3):
        panel.redo()
    assert (panel.settings, panel.form.amplitudes.text()) == (listed, "−50, 80, 20")
    panel.reset()
    assert panel.settings == FAMILY
    panel.undo()
    assert panel.settings == listed


def test_a_list_that_can_not_be_read_is_said_and_leaves_the_family_as_it_was(make):
    panel = make(replace(FAMILY, amplitudes=(10.0, 20.0)))
    panel.form.amplitudes.setText("10, ten")
    QtTest.QTest.keyClick(panel.form.amplitudes, QtCore.Qt.Key.Key_Return)
    assert "▲ steps: 'ten' is no number: write steps in pA" in panel.words()
    assert panel.settings.amplitudes == (10.0, 20.0)
    assert not panel.apply_button.isEnabled()
    for text in ("", "inf"):
        with pytest.raises(ValueError, match="for instance −50, 0, 50"):
            amplitudes_of(text)


def test_a_held_command_has_no_steps_and_says_so(make):
    panel = make()
    panel.form.way.setCurrentIndex(2)
    assert panel.settings.gap_free == 60_000.0
    assert "no sweeps, 0 pA held without gaps for 1 min" in panel.words()
    assert not panel.form.boxes["start"].isVisible()
    panel.form.way.setCurrentIndex(0)
    assert panel.settings == FAMILY


def test_no_wheel_changes_a_stimulus_in_passing(make):
    panel = make()
    box = panel.form.boxes["stop"]
    event = type("Wheel", (), {"ignore": lambda self: setattr(self, "passed", True)})()
    box.clearFocus()
    box.wheelEvent(event)
    assert event.passed
    assert panel.settings == FAMILY


def test_what_waits_is_answered_once_by_button_or_key_until_the_next_is_proposed(qtbot, make, scripted):
    panel = make()
    heard = []
    panel.accepted.connect(lambda: heard.append("go"))
    panel.skipped.connect(lambda: heard.append("skip"))
    line = panel.next
    assert line.words() == "next: known once a session runs"
    line.go()
    panel.propose(proposed())
    assert line.words() == "● waits: +85 pA, 500 ms (1 of 10) gain 1.8 bits"
    qtbot.mouseClick(line.pass_over, LEFT)
    line.go()
    line.skip()
    assert heard == ["skip"]
    panel.propose(proposed(1))
    qtbot.mouseClick(line.run, LEFT)
    line.skip()
    assert heard == ["skip", "go"]
    # Told again, since the gate was turned, it keeps its answer.
    panel.propose(proposed(1, waits=False))
    assert line.words().startswith("✓ runs: +86 pA")
    panel.begin(Live(step(86.0), 20.0, None))
    assert line.words().startswith("▶ playing: +86 pA")
    line.skip()
    panel.propose(proposed(2, waits=False, gain=None, place=None))
    assert line.words() == "next: +87 pA, 500 ms"
    assert (line.run.isEnabled(), line.pass_over.isEnabled()) == (False, True)
    assert "played by itself" in line.run.toolTip()
    panel.enter(False)
    assert line.words() == "next: known once a session runs"
    assert heard == ["skip", "go"]


def test_the_switch_says_how_the_gate_is_to_stand(qtbot, make):
    panel = make()
    assert (panel.next.mode, panel.next.auto.text()) == ("auto", "● A: auto")
    with qtbot.waitSignal(panel.gated) as told:
        qtbot.mouseClick(panel.next.auto, LEFT)
    assert (told.args, panel.next.auto.text()) == (["accept"], "○ A: auto")
    with qtbot.waitSignal(panel.gated) as told:
        panel.next.toggle()
    assert told.args == ["auto"]


def test_candidates_are_bars_where_they_are_there_and_no_chart_where_they_are_not(make):
    panel = make()
    weighed = tuple(Candidate(step(pA), gain, 0.2) for pA, gain in ((50.0, 0.4), (85.0, 1.83), (120.0, 1.1)))
    chart = panel.next.candidates
    panel.propose(proposed())
    assert not chart.isVisible()
    panel.propose(proposed(0, candidates=weighed))
    assert chart.isVisible()
    assert chart.heights == {50.0: 0.4, 85.0: 1.83, 120.0: 1.1}
    assert chart._bars.opts["height"].tolist() == [0.4, 1.83, 1.1]
    assert chart._mark.getData()[0].tolist() == [85.0]
    assert "gain 1.83 ± 0.20 bits" in panel.next.words()
    panel.propose(proposed(1))
    assert not chart.isVisible()


def test_of_a_recording_its_sweeps_are_shown_as_they_come_and_nothing_can_be_changed(make, scripted):
    panel = make(None)
    assert "appear here" in panel.notice
    panel.take(scripted.trial(0), scripted.trial(1), scripted.trial(2))
    assert not panel.notice
    assert [stimulus.amplitude for stimulus in panel.preview.shown] == [-60.0, 0.0, 60.0]
    assert "3 of the file's sweeps, −60 to 60 pA" in panel.words()
    assert not (panel.form.isVisible() or panel.apply_button.isVisible())
    panel.clear()
    assert panel.notice and panel.preview.shown == ()


def test_what_is_next_is_bright_over_the_family_until_the_session_ends(make):
    panel = make()
    panel.enter(True)
    panel.propose(proposed())
    assert np.nanmax(panel.preview._bright.getData()[1]) == 85.0
    panel.enter(False)
    assert panel.preview._next is None


def test_it_wears_both_themes_and_every_field_has_room(make):
    panel = make()
    panel.wear(DARK)
    dark = panel.grab().toImage()
    panel.wear(LIGHT)
    assert panel.grab().toImage() != dark
    panel.wear(replace(DARK, scale=1.5))
    panel.resize(420, 390)
    panel.grab()
    boxes = [box for box in panel.form.boxes.values() if box.isVisible()]
    assert len(boxes) == 11
    # What the borders take is no room.
    assert all(box.width() - 14 >= box.fontMetrics().horizontalAdvance(box.text()) for box in boxes)
    assert panel.form.width() <= panel._area.width()
