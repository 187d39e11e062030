import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from estimators.overlay import Overlay
from rig_plugin.bridge import Bridge
from rig_plugin.feed import Feed
from rig_plugin.trial import Posterior
from rig_plugin.widgets.qt import QtCore, QtWidgets
from rig_plugin.window import Window
from simulators.wide_cell import ACCESSORIES

Key = QtCore.Qt.Key


@pytest.fixture
def control(scripted):
    return scripted.control()


@pytest.fixture
def window(qtbot, scripted, control):
    made = Window(control, scripted.parameters, scripted.features, "cortical-steps", "simulated cell")
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_a_sweep_played_in_another_thread_reaches_the_scope(qtbot, window, scripted):
    player = threading.Thread(target=scripted.play, args=(window.feed, 3))
    with qtbot.waitSignal(window.bridge.started):
        player.start()
    player.join()
    expected = scripted.sweep(3).response
    qtbot.waitUntil(lambda: window.scope.shown.size == expected.size)
    assert (window.scope.shown == expected).all()
    assert window.is_running


def test_a_trial_reaches_every_panel(qtbot, window, scripted):
    trial = scripted.trial(3)
    with qtbot.waitSignal(window.bridge.finished):
        window.feed.finished(trial)
    assert window.features.cells("spike_count")[1] == str(int(trial.features["spike_count"]))
    assert window.posterior.rows["C"].has_posterior
    assert len(window.evolution.medians) == 1
    assert window.trust.word == "typical"
    assert window.firing.points and window.voltage.points
    assert "trial 3" in window.status_line.words()


def shaded(widget):
    """Tell which share of what a widget shows has the blue of the newest, as lines have little and a band much."""
    image = widget.grab().toImage()
    seen = [image.pixelColor(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)]
    return np.mean([colour.blue() - colour.red() > 20 for colour in seen])


def band(low=-75.0):
    times = np.arange(0.25, 800.0, 0.5)
    return Overlay(times, np.full(times.size, low), np.full(times.size, low + 10.0))


def test_trials_and_overlays_found_together_are_told_once_and_the_latest_stays(qtbot, scripted):
    feed = Feed()
    bridge = Bridge(feed)
    told = []
    bridge.finished.connect(lambda trials: told.append(len(trials)))
    bridge.overlaid.connect(lambda overlaid: told.append(overlaid.overlay.low[0]))
    for index in range(3):
        feed.finished(scripted.trial(index))
        feed.overlaid(index, band(-70.0 - index))
    bridge.poll()
    assert told == [3, -72.0]


def test_what_cells_of_the_posterior_do_lies_behind_the_trace_until_the_next_sweep_begins(qtbot, window, scripted):
    with qtbot.waitSignal(window.bridge.finished):
        window.feed.finished(scripted.trial(3))
    bare = shaded(window.scope)
    window.feed.overlaid(3, band())
    qtbot.waitUntil(lambda: window.scope.overlaid is not None)
    assert window.scope.overlaid.low[0] == -75.0
    assert shaded(window.scope) > bare + 0.1
    scripted.play(window.feed, 4, share=0.5)
    qtbot.waitUntil(lambda: window.scope.overlaid is None)
    assert shaded(window.scope) < bare + 0.01


def test_an_overlay_of_another_trial_is_not_drawn(qtbot, window, scripted):
    window.feed.overlaid(2, band())
    window.feed.finished(scripted.trial(3))
    window.feed.overlaid(2, band())
    with qtbot.waitSignal(window.bridge.overlaid):
        window.bridge.poll()
    assert window.scope.overlaid is None


def test_a_band_that_leaves_the_trace_has_room_on_the_axis(qtbot, window, scripted):
    window.feed.finished(scripted.trial(3))
    window.feed.overlaid(3, band(-140.0))
    qtbot.waitUntil(lambda: window.scope.overlaid is not None)
    assert window.scope.sweep.charts["response"].plot.vb.viewRange()[1][0] < -140.0


def test_a_network_that_infers_more_has_all_its_rows(qtbot, scripted, control):
    parameters = (*scripted.parameters, *ACCESSORIES)
    u = np.random.default_rng(1).normal(0.0, 0.3, (500, len(parameters)))
    draws = np.column_stack([p.constrain(u[:, k]) for k, p in enumerate(parameters)])
    window = Window(control, parameters, scripted.features, "wide", "simulated cell")
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    with qtbot.waitSignal(window.bridge.finished):
        window.feed.finished(replace(scripted.trial(3), posterior=Posterior(parameters, draws)))
    rows = window.posterior.rows
    assert list(rows) == [parameter.name for parameter in parameters]
    assert all(row.has_posterior for row in rows.values())
    assert not window.grab().toImage().isNull()
    assert "nS" in rows["g_h"].numbers[0] and "nS" in rows["g_Kv3"].numbers[0]
    # C is the soma's; what is charged from afar is soma and dendrite.
    total = np.median(draws[:, 0] * (1.0 + draws[:, -2]))
    assert rows["C"].numbers[2].endswith("pF in all")
    assert float(rows["C"].numbers[2].split()[0]) == pytest.approx(total, rel=0.05)
    assert "Soma and dendrite: median" in rows["C"].toolTip()
    window.posterior.rows["coupling"].chosen.emit("coupling")
    qtbot.waitUntil(lambda: np.isfinite(window.evolution.medians).all())
    assert window.evolution.medians == [pytest.approx(np.median(draws[:, -1]))]
    # Without a posterior there is nothing that follows from one.
    window.feed.finished(scripted.trial(4, withheld=True, reason="The seal is lost."))
    qtbot.waitUntil(lambda: window.trust.word == "withheld")
    assert "Soma and dendrite" not in rows["C"].toolTip()


def test_a_withheld_trial_takes_the_last_good_posterior_away(qtbot, window, scripted):
    window.feed.finished(scripted.trial(0))
    window.feed.finished(scripted.trial(1, withheld=True, reason="The seal is lost."))
    qtbot.waitUntil(lambda: window.trust.word == "withheld")
    assert not any(row.has_posterior for row in window.posterior.rows.values())
    assert "The seal is lost." in window.posterior.notice
    assert "withheld" in window.header.words()


def test_the_status_reaches_the_header(qtbot, window, scripted):
    scripted.play(window.feed, 0, 0.1)
    with qtbot.waitSignal(window.bridge.status_changed):
        window.feed.status(scripted.status(100, lost=3))
    assert "● REC" in window.header.words() and "LOST 3" in window.header.words()


def test_an_error_ends_the_session_in_words(qtbot, window, scripted):
    scripted.play(window.feed, 0, 0.4)
    with qtbot.waitSignal(window.bridge.ended):
        window.feed.ended("The rig was unplugged.")
    assert not window.is_running
    assert "FAILED" in window.header.words()
    assert "The rig was unplugged." in window.status_line.words()
    assert "The rig was unplugged." in window.scope.notice


def test_a_plain_end_is_no_failure(qtbot, window, scripted):
    scripted.play(window.feed, 0)
    with qtbot.waitSignal(window.bridge.ended):
        window.feed.ended(None)
    assert "ENDED" in window.header.words()
    assert not window.scope.notice


def test_skipped_trials_are_counted_on_the_screen(qtbot, scripted, control):
    feed = Feed(messages=2)
    for index in range(3):
        feed.finished(scripted.trial(index))
    made = Window(control, scripted.parameters, scripted.features, "net", "cell", feed=feed)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: "display skipped 1" in made.status_line.words())


def test_space_starts_and_stops(qtbot, window, control):
    qtbot.keyClick(window, Key.Key_Space)
    assert control.calls == ["start"]
    assert window.is_running
    qtbot.keyClick(window, Key.Key_Space)
    assert control.calls == ["start", "stop"]


def test_escape_stops_whatever_the_window_believes(qtbot, window, control):
    qtbot.keyClick(window, Key.Key_Escape)
    assert control.calls == ["stop"]


def test_escape_stops_while_a_list_has_the_focus(qtbot, window, control):
    box = window.evolution.findChild(QtWidgets.QComboBox)
    box.setFocus()
    qtbot.keyClick(box, Key.Key_Escape)
    assert control.calls == ["stop"]


def test_m_marks_only_what_runs(qtbot, window, control):
    qtbot.keyClick(window, Key.Key_M)
    assert control.calls == []
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.keyClick(window, Key.Key_M)
    assert control.calls == ["start", "mark"]


def test_the_buttons_do_what_the_keys_do(qtbot, window, control):
    for button in (window.header.go, window.header.mark, window.header.stop):
        qtbot.mouseClick(button, QtCore.Qt.MouseButton.LeftButton)
    assert control.calls == ["start", "mark", "stop"]


def test_a_new_start_forgets_the_last_cell(qtbot, window, scripted, control):
    window.feed.finished(scripted.trial(0))
    qtbot.waitUntil(lambda: window.posterior.rows["C"].has_posterior)
    qtbot.keyClick(window, Key.Key_Space)
    assert not window.posterior.rows["C"].has_posterior
    assert window.evolution.medians == []
    assert window.trust.word == "waiting"


def test_closing_stops_what_runs(qtbot, window, control):
    qtbot.keyClick(window, Key.Key_Space)
    window.close()
    assert control.calls == ["start", "stop"]


@pytest.fixture
def leaving(qtbot, window, scripted):
    """A window that was closed while it recorded."""
    window.start()
    window.feed.status(scripted.status(100, path="cell.h5"))
    qtbot.waitUntil(lambda: window.left is not None)
    window.close()
    return window


def test_closing_while_it_records_stops_and_waits_for_the_recording(leaving, control):
    assert control.calls == ["start", "stop"]
    assert leaving.isVisible()
    assert "close the window once more" in leaving.status_line.words()


def test_a_second_request_closes_whatever_the_session_does(leaving):
    leaving.close()
    assert not leaving.isVisible()


def test_who_was_leaving_is_offered_the_export_and_goes_with_the_answer(qtbot, leaving):
    leaving.feed.ended(None)
    qtbot.waitUntil(lambda: leaving.offer.is_open)
    assert leaving.isVisible()
    leaving.offer.decline.click()
    assert not leaving.isVisible()


def test_who_declines_and_was_not_leaving_stays(qtbot, window, scripted):
    qtbot.keyClick(window, Key.Key_Space)
    window.feed.status(scripted.status(100, path="cell.h5"))
    qtbot.waitUntil(lambda: window.left is not None)
    window.feed.ended(None)
    qtbot.waitUntil(lambda: window.offer.is_open)
    window.offer.decline.click()
    assert window.isVisible()


def test_the_newest_trial_is_copied_as_text_and_nothing_before_there_is_one(qtbot, window, scripted):
    clipboard = QtWidgets.QApplication.clipboard()
    clipboard.setText("what was there")
    qtbot.keyClick(window, Key.Key_C, QtCore.Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == "what was there"
    assert "nothing to copy" in window.status_line.words()
    with qtbot.waitSignal(window.bridge.finished):
        window.feed.finished(scripted.trial(3))
    qtbot.keyClick(window, Key.Key_C, QtCore.Qt.KeyboardModifier.ControlModifier)
    assert "simulated cell, trial 3" in clipboard.text() and "V_T" in clipboard.text()
    assert "trial 3 copied" in window.status_line.words()
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.keyClick(window, Key.Key_C, QtCore.Qt.KeyboardModifier.ControlModifier)
    assert "nothing to copy" in window.status_line.words()


def test_choosing_a_parameter_shows_it_over_the_sweeps(qtbot, window):
    qtbot.mouseClick(window.posterior.rows["V_T"], QtCore.Qt.MouseButton.LeftButton)
    assert window.evolution.findChild(QtWidgets.QComboBox).currentText() == "V_T"
    assert window.posterior.rows["V_T"].is_chosen and not window.posterior.rows["C"].is_chosen


def test_f1_shows_the_keys_and_takes_them_away(qtbot, window):
    qtbot.keyClick(window, Key.Key_F1)
    sheet = window.findChild(QtWidgets.QDialog)
    assert sheet.isVisible()
    assert any("exit state" in label.text() for label in sheet.findChildren(QtWidgets.QLabel))
    qtbot.keyClick(window, Key.Key_F1)
    assert not sheet.isVisible()


def test_every_control_says_what_it_does(window):
    controls = window.findChildren(QtWidgets.QAbstractButton) + window.findChildren(QtWidgets.QComboBox)
    own = [c for c in controls if not c.objectName().startswith("qt_") and c.isVisibleTo(window)]
    assert len(own) >= 4
    named = [c for c in own if type(c) in (QtWidgets.QPushButton, QtWidgets.QComboBox)]
    assert all(c.toolTip() for c in named)


def test_it_fits_a_small_screen(window):
    hint = window.minimumSizeHint()
    assert hint.width() <= 1366 and hint.height() <= 700


@pytest.fixture
def stood_still(window, monkeypatch):
    """Make the window believe that nothing of it ran for six seconds."""

    def now():
        monkeypatch.setattr(window.bridge, "_clock", lambda: time.monotonic() + 6.0)

    return now


def test_a_window_that_stood_still_says_so_and_shows_all_that_came_meanwhile(
    qtbot, window, control, scripted, stood_still
):
    window.start()
    for index in range(3):
        scripted.play(window.feed, index)
        window.feed.finished(scripted.trial(index))
    stood_still()
    qtbot.waitUntil(lambda: "stood still" in window.status_line.words())
    assert len(window.evolution.medians) == 3
    assert control.calls == ["start"]


def test_one_that_has_nothing_to_show_stands_still_unnoticed(qtbot, window, stood_still):
    with qtbot.waitSignal(window.bridge.lagged):
        stood_still()
    assert "stood still" not in window.status_line.words()


def test_when_a_recorded_session_is_over_its_export_is_offered_once(qtbot, window, control, scripted, tmp_path):
    control.status = scripted.status(100, path=str(tmp_path / "cell.h5"))
    window.start()
    assert window.offer.words() == ""
    window.feed.ended(None)
    qtbot.waitUntil(lambda: "cell.h5 is closed" in window.offer.words())
    assert window.left is None
    window.start()
    assert window.offer.words() == ""
    with qtbot.waitSignal(window.bridge.ended):
        window.feed.ended("The device is gone: plug it in.")
    # Nothing was recorded since.
    assert window.offer.words() == ""


def test_when_a_session_ends_by_a_fault_its_recovery_is_offered(qtbot, window, control, scripted, tmp_path):
    control.status = scripted.status(100, path=str(tmp_path / "cell.h5"))
    window.start()
    window.feed.ended("The engine died.")
    qtbot.waitUntil(lambda: "can be recovered" in window.offer.words())


def test_a_note_is_kept_at_the_moment_its_key_was_pressed(qtbot, window, control):
    qtbot.keyClick(window, Key.Key_N)
    assert window.note_line.isHidden()
    window.start()
    qtbot.keyClick(window, Key.Key_N)
    qtbot.waitUntil(window.note_line.hasFocus)
    assert control.calls == ["start", "note"]
    qtbot.keyClicks(window.note_line, "m drug in")
    qtbot.keyClick(window.note_line, Key.Key_Return)
    assert control.calls == ["start", "note", "mark m drug in"]
    assert window.note_line.isHidden()


def test_escape_stops_while_a_note_is_typed_and_an_empty_note_is_none(qtbot, window, control):
    window.start()
    qtbot.keyClick(window, Key.Key_N)
    qtbot.waitUntil(window.note_line.hasFocus)
    qtbot.keyClick(window.note_line, Key.Key_Return)
    qtbot.keyClick(window, Key.Key_N)
    qtbot.waitUntil(window.note_line.hasFocus)
    qtbot.keyClicks(window.note_line, "drug")
    qtbot.keyClick(window.note_line, Key.Key_Escape)
    assert control.calls == ["start", "note", "note", "stop"]
    assert window.note_line.isHidden()
