from pathlib import Path

import pytest

from rig_plugin.widgets.log import Log
from rig_plugin.widgets.qt import QtCore
from rig_plugin.widgets.recording import RecordingPanel


@pytest.fixture
def panel(qtbot):
    made = RecordingPanel(False, Path("/cells"))
    qtbot.addWidget(made)
    made.resize(420, 200)
    made.show()
    return made


def test_what_the_button_does_next_stands_on_it(qtbot, panel, scripted):
    assert panel.record.text() == "R: record" and "not recording" in panel.words() and "/cells" in panel.words()
    with qtbot.waitSignal(panel.asked):
        qtbot.mouseClick(panel.record, QtCore.Qt.MouseButton.LeftButton)
    panel.enter(True)
    panel.report(scripted.status(100, recording=False, path=None, on_disk=0))
    assert "MONITOR, not recorded" in panel.words() and "on disk –" in panel.words()
    panel.report(scripted.status(100))
    assert "● REC" in panel.words() and panel.record.text() == "R: end after this sweep"
    assert "2024_03_01_cell2.h5" in panel.words() and not panel.choose.isEnabled()
    panel.report(scripted.status(100, alarm="The disk is full: make room."))
    assert "NOT ON DISK" in panel.words()
    panel.enter(False)
    assert "not recording" in panel.words() and panel.choose.isEnabled()


def test_what_is_lost_is_a_word_and_not_a_colour_alone(panel, scripted):
    panel.enter(True)
    panel.report(scripted.status(100))
    assert "| lost 0 |" in panel.words()
    panel.report(scripted.status(100, lost=1234))
    assert "LOST 1,234" in panel.words()


def test_room_is_told_with_how_long_it_lasts(panel, scripted):
    panel.enter(True)
    panel.report(scripted.status(100, elapsed=10.0, free_bytes=3_601_000_000))
    assert "3.6 GB free |" in panel.words()
    panel.report(scripted.status(100, elapsed=20.0, free_bytes=3_600_000_000))
    # 100 kB a second.
    assert "3.6 GB free, 10 h" in panel.words()
    # Another file may lie on another disk.
    panel.report(scripted.status(100, path="other.h5", elapsed=30.0, free_bytes=3_000_000_000))
    assert "3.0 GB free |" in panel.words()


def test_latencies_are_those_of_the_trials(panel, scripted):
    panel.take(*(scripted.trial(index) for index in range(3)))
    assert "posterior 15  16  16 ms (n=3)" in panel.words()


def test_a_replay_is_not_recorded(qtbot, scripted):
    panel = RecordingPanel(True, Path("/cells"))
    qtbot.addWidget(panel)
    assert "REPLAY" in panel.words() and not panel.record.isEnabled() and "open a rig" in panel.record.toolTip()


def test_the_log_keeps_all_and_shows_what_is_chosen(qtbot):
    log = Log()
    qtbot.addWidget(log)
    for text, tone in (("a", "text"), ("drug in", "mark"), ("noisy", "caution"), ("lost", "danger")):
        log.write(text, tone)
    assert [line.split("  ", 1)[1].strip() for line in log.lines()] == [
        "a", "◆ mark: drug in", "▲ caution: noisy", "■ danger: lost",
    ]  # fmt: skip
    log.show_only("marks")
    log.write("b")
    log.write("drug out", "mark")
    assert [line.rpartition(" ")[2] for line in log.lines()] == ["in", "out"]
    log.show_only("cautions")
    assert len(log.lines()) == 2
    log.show_only("all")
    assert len(log.lines()) == 6


def test_the_log_follows_unless_somebody_reads_further_up(qtbot):
    log = Log()
    qtbot.addWidget(log)
    log.resize(300, 120)
    log.show()
    qtbot.waitExposed(log)
    for k in range(100):
        log.write(f"line {k}")
    bar = log._text.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(10)
    log.write("newest")
    assert bar.value() == 10
