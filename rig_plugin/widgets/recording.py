"""This file is the recording's panel: what is kept of what came, where, and for how long there is room."""

from __future__ import annotations

from collections import deque
from pathlib import Path, PurePath

import numpy as np

from rig_plugin.feed import RecordingStatus
from rig_plugin.trial import Trial
from rig_plugin.widgets.number import MISSING, clock, significant, space
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import lettered

__all__ = ["RecordingPanel"]

_KEPT = 1000
_LEARNT = 5.0
_BESIDE = 3
_ROWS = (
    ("elapsed", "Time since the session began."),
    ("disk", "Space left where the file lies, and for how long it lasts at the pace of the last minute."),
    ("expected", "Samples of the response that the protocol asked for so far, in this file."),
    ("received", "Samples that came, in this file."),
    ("on disk", "Samples that would survive if the power failed now."),
    ("lost", "Samples known to be missing: the rig lost them, or neither disk nor memory had room."),
    ("queue", "Samples that only memory has."),
    ("posterior", "From a sweep's last sample to its posterior: median, 95th and 99th percentile."),
)


class RecordingPanel(Panel):
    """The state as a word and a shape, the file, and the counts; one button says what it will do.

    Args:
        is_replay: Whether the sweeps come from a file.
        folder: Where a recording goes that is begun here.
        parent: Owner, as in Qt.
    """

    asked = Signal()
    chose = Signal()

    def __init__(self, is_replay: bool, folder: Path, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Recording", "", parent)
        self._is_replay, self._is_running = is_replay, False
        self._status: RecordingStatus | None = None
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._room: deque[tuple[float, int]] = deque(maxlen=_KEPT)
        self.folder = folder
        self._state = QtWidgets.QLabel("")
        self._file = QtWidgets.QLabel("")
        self._file.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.record = QtWidgets.QPushButton("")
        self.choose = QtWidgets.QPushButton("Folder…")
        self._numbers = {name: QtWidgets.QLabel(MISSING) for name, _ in _ROWS}
        self._lay_out()
        self.record.clicked.connect(lambda: self.asked.emit())
        self.choose.clicked.connect(lambda: self.chose.emit())
        self.wear(self.theme)

    def report(self, status: RecordingStatus) -> None:
        """Show how the recording is doing.

        Args:
            status: The newest one.
        """
        if self._status is not None and status.path != self._status.path:
            self._room.clear()
        self._status = status
        if status.recording and status.free_bytes is not None:
            self._room.append((status.elapsed, status.free_bytes))
        self._draw()

    def enter(self, running: bool) -> None:
        """Be told whether a session runs.

        Args:
            running: Whether it does.
        """
        self._is_running = running
        self._draw()

    def keep_in(self, folder: Path) -> None:
        """Show another folder.

        Args:
            folder: Where recordings go from now on.
        """
        self.folder = folder
        self._draw()

    def words(self) -> str:
        """Read the panel as it stands on the screen."""
        rows = [f"{name} {label.text()}" for name, label in self._numbers.items()]
        return " | ".join([self._state.text(), self._file.text(), *rows])

    def _lay_out(self) -> None:
        lettered(self._state, 15, bold=True)
        top = QtWidgets.QHBoxLayout()
        top.addWidget(self._state)
        top.addStretch(1)
        top.addWidget(self.choose)
        top.addWidget(self.record)
        self._body.addLayout(top)
        self._file.setObjectName("plain")
        self._file.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._body.addWidget(self._file)
        grid = QtWidgets.QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(1)
        for place, (name, tip) in enumerate(_ROWS):
            row, column = divmod(place, _BESIDE)
            label, value = QtWidgets.QLabel(name), self._numbers[name]
            label.setObjectName("quiet")
            lettered(value, 12)
            for widget in (label, value):
                widget.setToolTip(tip)
            grid.addWidget(label, row, 2 * column)
            grid.addWidget(value, row, 2 * column + 1)
        for column in range(_BESIDE):
            grid.setColumnStretch(2 * column + 1, 1)
        self._body.addLayout(grid)
        self._body.addStretch(1)

    def _take(self, trial: Trial) -> None:
        self._latencies.append(trial.latency.total)

    def _clear(self) -> None:
        self._latencies.clear()
        self._room.clear()
        self._status = None

    def _draw(self) -> None:
        status = self._status
        is_recording = self._is_running and status is not None and status.recording
        word, tone = self._word(is_recording, status is not None and status.alarm is not None)
        self._state.setText(word)
        self._state.setStyleSheet(f"color: {self.theme.danger if tone else self.theme.text};")
        self._name(status if is_recording else None)
        self.record.setText("R: end after this sweep" if is_recording else "R: record")
        self.record.setEnabled(not self._is_replay)
        self.record.setToolTip(
            "A recording is not recorded once more: open a rig."
            if self._is_replay
            else "Closes the file; the session goes on."
            if is_recording
            else "From the next sweep on, or starts a session that is recorded."
        )
        self.choose.setVisible(not self._is_replay)
        self.choose.setEnabled(not is_recording)
        self.choose.setToolTip(f"Recordings are made in {self.folder}; choose another folder.")
        for name, text in self._told(status, is_recording).items():
            self._numbers[name].setText(text)
        lost = status is not None and status.lost > 0
        self._numbers["lost"].setStyleSheet(f"color: {self.theme.danger if lost else self.theme.text};")

    def _word(self, is_recording: bool, is_alarmed: bool) -> tuple[str, bool]:
        if is_recording:
            return ("■ NOT ON DISK", True) if is_alarmed else ("● REC", True)
        if self._is_replay:
            return "▶ REPLAY", False
        return ("◌ MONITOR, not recorded" if self._is_running else "○ not recording"), False

    def _name(self, status: RecordingStatus | None) -> None:
        if status is not None and status.path is not None:
            path = PurePath(status.path)
            self._file.setText(f"{path.name}   in {path.parent}")
            self._file.setToolTip(str(path))
            return
        self._file.setText("" if self._is_replay else f"a new file in {self.folder}")
        self._file.setToolTip(str(self.folder))

    def _told(self, status: RecordingStatus | None, is_recording: bool) -> dict[str, str]:
        told = dict.fromkeys(self._numbers, MISSING)
        if status is not None:
            told |= {
                "elapsed": clock(status.elapsed),
                "expected": f"{status.expected:,}",
                "received": f"{status.received:,}",
                "lost": f"■ LOST {status.lost:,}" if status.lost else "0",
            }
        if status is not None and is_recording:
            told |= {"on disk": f"{status.on_disk:,}", "queue": f"{status.queued:,}", "disk": self._lasts(status)}
        if self._latencies:
            shares = np.percentile(self._latencies, [50, 95, 99])
            told["posterior"] = f"{'  '.join(significant(share, 2) for share in shares)} ms (n={len(self._latencies)})"
        return told

    def _lasts(self, status: RecordingStatus) -> str:
        """Say how much room there is, and for how long where the last minute tells that."""
        if status.free_bytes is None:
            return MISSING
        free = f"{space(status.free_bytes)} free"
        near = [entry for entry in self._room if entry[0] > status.elapsed - 60.0]
        if len(near) < 2 or near[-1][0] - near[0][0] < _LEARNT or near[0][1] <= near[-1][1]:
            return free
        pace = (near[0][1] - near[-1][1]) / (near[-1][0] - near[0][0])
        hours = status.free_bytes / pace / 3600.0
        return f"{free}, {hours:.0f} h" if hours >= 1 else f"{free}, {60.0 * hours:.0f} min"

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """Open the folder."""
        status = self._status
        path = Path(status.path).parent if status is not None and status.path else self.folder
        QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(str(path)))
