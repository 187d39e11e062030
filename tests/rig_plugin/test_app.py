"""The window over an engine: what a user gets who starts the program."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from rig_plugin import app
from rig_plugin.benchmarks import window
from rig_plugin.desk import Desk
from rig_plugin.export_process import written
from rig_plugin.preparation import on_rig
from rig_plugin.protocol_settings import CHOOSERS
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.settings import ProtocolSettings, RecordingSettings, RigSettings, Settings
from rig_plugin.widgets.qt import QtCore, QtWidgets

PROTOCOL = ProtocolSettings(amplitudes=(-50.0, 50.0, 150.0), onset=100.0, duration=200.0, tail=50.0, interval=0.0)


@pytest.fixture
def watch(qtbot):
    """Look at the window that opens, and close it when something is seen."""
    timer = QtCore.QTimer()
    timer.setInterval(50)

    def watch(seen):
        def look():
            desks = [w for w in QtWidgets.QApplication.topLevelWidgets() if isinstance(w, Desk) and w.isVisible()]
            if desks and seen(desks[0].board):
                timer.stop()
                desks[0].close()

        timer.timeout.connect(look)
        timer.start()

    yield watch
    timer.stop()


def test_a_session_on_a_simulated_cell_reaches_the_screen(watch):
    reached = []

    def seen(window):
        reached[:] = [len(window.evolution.medians), window.scope.overlaid is not None, window.is_running]
        return reached == [3, True, False]

    watch(seen)
    app.attach(Settings(rig=RigSettings(seed=1, pace="max"), protocol=PROTOCOL))
    assert reached == [3, True, False]


@pytest.mark.long
def test_an_engine_that_dies_is_told_in_the_window(watch):
    killed = []

    def seen(window):
        if window.scope.shown.size and not killed:
            killed.append(window.feed.process)
            os.kill(killed[0], signal.SIGKILL)
        return "The engine died" in window.scope.notice

    watch(seen)
    app.attach(Settings(rig=RigSettings(seed=1), protocol=PROTOCOL))
    assert killed


@pytest.mark.long
def test_a_recording_is_replayed_on_the_screen(watch, data):
    watch(lambda window: len(window.evolution.medians) == 1 and not window.is_running)
    app.replay(ReplaySettings(data / "18713001.abf", sweep=12, pace="max"))


@pytest.mark.long
def test_a_window_that_is_closed_at_once_while_it_records_says_how_to_export(watch, tmp_path, capsys):
    def seen(window):
        if window.left is None or not window.scope.shown.size:
            return False
        window.close()
        # The second request, which leaves no moment for an offer, comes from the one who watches.
        return True

    watch(seen)
    app.attach(Settings(rig=RigSettings(seed=1), protocol=PROTOCOL, recording=RecordingSettings(folder=tmp_path)))
    (session,) = tmp_path.iterdir()
    assert f"`rig-plugin export {session} --nwb {session.with_suffix('.nwb')}`" in capsys.readouterr().err
    assert written("export", session, tmp_path / "cell.nwb")["sweeps"] == 1


@pytest.mark.long
def test_a_window_that_is_closed_while_it_records_offers_the_export_before_it_goes(watch, tmp_path, capsys):
    asked = []

    def seen(window):
        if window.left is not None and window.scope.shown.size and not asked:
            asked.append(True)
            window.close()
            assert window.isVisible()
        if asked and window.offer.is_open:
            window.offer.take_up()
        return "holds 1 sweep" in window.offer.words()

    watch(seen)
    app.attach(Settings(rig=RigSettings(seed=1), protocol=PROTOCOL, recording=RecordingSettings(folder=tmp_path)))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".h5", ".nwb"]
    assert not capsys.readouterr().err


@pytest.mark.long
def test_a_new_user_drops_a_recording_and_gets_its_posterior(qtbot, data, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    desk = Desk(on_rig(Settings(rig=RigSettings(seed=1), protocol=PROTOCOL)))
    qtbot.addWidget(desk)
    desk.show()
    desk.start()
    qtbot.waitUntil(lambda: desk.board.scope.shown.size > 0, timeout=60_000)
    assert "dropped anywhere" in desk.banner.words()
    desk.open_file(data / "18713001.abf")
    qtbot.waitUntil(lambda: desk.preparation.is_replay, timeout=60_000)
    board = desk.board
    qtbot.waitUntil(lambda: len(board.evolution.medians) >= 2, timeout=120_000)
    assert board.posterior.rows["C"].has_posterior and "REPLAY" in board.header.words()
    assert board.firing.points and board.trust.word in ("typical", "caution")
    # What can't be read is a sentence with the remedy, and no window more.
    desk.open_file(data / "README.md" if (data / "README.md").exists() else Path(__file__))
    qtbot.waitUntil(lambda: desk.preparation.name.endswith((".md", ".py")), timeout=60_000)
    qtbot.waitUntil(lambda: bool(desk.board.scope.notice) and not desk.board.is_running, timeout=60_000)
    assert "Traceback" not in desk.board.scope.notice and "■" in desk.board.status_line.words()
    desk.close()
    assert not [w for w in QtWidgets.QApplication.topLevelWidgets() if isinstance(w, QtWidgets.QMessageBox)]


@pytest.mark.long
def test_the_benchmark_of_the_window_tells_all_it_promises():
    rows = {row["name"]: row for row in window.measure(sweeps=10, hours=0.03, starts=1)}
    assert set(rows) == {
        "first_start_s", "second_start_s", "posterior_ms_p50", "posterior_ms_p99", "window_ms_p50", "window_ms_p99",
        "escape_ms_p50", "escape_ms_p99", "frame_ms_p50", "frame_ms_p99", "memory_mib", "memory_growth_mib",
    }  # fmt: skip
    assert all(row["value"] is not None and row["n"] for row in rows.values())
    assert rows["first_start_s"]["value"] > rows["second_start_s"]["value"]


@pytest.mark.long
def test_steps_are_chosen_from_the_panel_and_wait_with_their_gains_for_a_key(qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    quick = replace(PROTOCOL, interval=4000.0)
    desk = Desk(on_rig(Settings(rig=RigSettings(seed=4), protocol=quick)))
    qtbot.addWidget(desk)
    desk.show()
    qtbot.waitUntil(desk.isActiveWindow)
    panel = desk.board.protocol
    desk.board.docks.front("protocol")
    panel.form.chooser.setCurrentIndex(CHOOSERS.index("accept"))
    panel.apply_button.click()
    desk.start()
    assert "steps chosen" in panel.words()
    for sweep in range(3):
        qtbot.waitUntil(panel.next.run.isEnabled, timeout=90_000)
        assert "waits" in desk.board.status_line.words()
        if sweep == 2:
            # What a hardly known cell may be asked is weighed as well, with what it would tell.
            assert panel.next.candidates.heights and panel.next.candidates.isVisible()
            assert "gain" in panel.next.words() or "largest step" in desk.board.log._text.toPlainText()
        qtbot.keyClick(desk.board, QtCore.Qt.Key.Key_G)
        qtbot.waitUntil(lambda sweep=sweep: len(desk.board.evolution.medians) == sweep + 1, timeout=60_000)
    assert "nothing is known of this cell yet" in desk.board.log._text.toPlainText().lower()
    desk.close()
    qtbot.waitUntil(lambda: not desk.isVisible())
