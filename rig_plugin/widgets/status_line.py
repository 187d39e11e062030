"""This file is the status line: what happened last, how long it took and what it was made with."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from pathlib import PurePath

import numpy as np

from rig_plugin.feed import RecordingStatus
from rig_plugin.tidings import Tidings
from rig_plugin.trial import Trial
from rig_plugin.widgets.number import significant
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets, Signal
from rig_plugin.widgets.theme import lettered

__all__ = ["StatusLine"]

_KEPT = 200


class StatusLine(Panel):
    """The last line of the log, samples on their way to the disk, latency, what the display missed, and the network.

    Args:
        source_name: Rig or file.
        network_name: As the checkpoint calls itself.
        parent: Owner, as in Qt.
    """

    wrote = Signal(str, str)

    def __init__(self, source_name: str, network_name: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._path: str | None = None
        self._alarm: str | None = None
        self._refusal: str | None = None
        self._tone = "text"
        self._tidings = Tidings()
        self._log = QtWidgets.QLabel("Nothing yet. Space starts.")
        self._log.setObjectName("plain")
        self._log.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._samples = _quiet(
            "Samples expected by now, received, safe in the file, and waiting in memory to be written to it."
        )
        self._latency = _quiet("Time from the end of a sweep to its posterior: median and 99th percentile.")
        self._missed = _quiet("Trials that the display skipped because it was busy; the recording has them all.")
        self._source = _quiet("Where the sweeps come from, and the network that reads them.")
        self._source.setText(f"{source_name}   {network_name}")
        self._body.setContentsMargins(10, 3, 10, 3)
        self._top.addWidget(self._log, 1)
        for label in (self._samples, self._latency, self._missed, self._source):
            self._top.addWidget(label)
            self._top.addSpacing(12)
        help_ = _quiet("F1 shows the keys.")
        help_.setText("F1 keys")
        self._top.addWidget(help_)
        self.wear(self.theme)
        self.miss(0)

    def write(self, text: str, tone: str = "text") -> None:
        """Write a line, with the time of day.

        Args:
            text: What happened.
            tone: "text", "caution" or "danger".
        """
        self._tone = tone
        sign = "" if tone == "text" else "▲ " if tone == "caution" else "■ "
        self._log.setText(f"{datetime.now().astimezone():%H:%M:%S}  {sign}{text}")
        self._log.setToolTip(text)
        self._draw()
        self.wrote.emit(text, tone)

    def report(self, status: RecordingStatus) -> None:
        """Show how many samples are where, and what keeps them from the disk.

        Args:
            status: The newest one.
        """
        self._path = status.path if status.recording else None
        counts = f"expected {status.expected:,}  received {status.received:,}"
        if status.recording:
            counts += f"  on disk {status.on_disk:,}  queue {status.queued:,}"
        self._samples.setText(counts)
        if status.alarm is not None:
            self.write(status.alarm, "danger")
        elif self._alarm is not None:
            self.write("all samples are on the disk again", "caution")
        self._alarm = status.alarm
        if status.refusal is not None and status.refusal != self._refusal:
            self.write(status.refusal, "danger")
        self._refusal = status.refusal

    def miss(self, count: int) -> None:
        """Show how many trials the display skipped.

        Args:
            count: Since the window opened.
        """
        self._missed.setText(f"display skipped {count}")

    def words(self) -> str:
        """Read the whole line as it stands on the screen."""
        labels = (self._log, self._samples, self._latency, self._missed, self._source)
        return " | ".join(label.text() for label in labels if label.text())

    def _take(self, trial: Trial) -> None:
        self._latencies.append(trial.latency.total)
        # While nothing reaches the disk, nothing is said to be saved.
        if self._alarm is None:
            self._tell(trial)
        # What is news of the cell is written last, where it is read first.
        for sentence in self._tidings.of(trial):
            self.write(sentence, "caution")

    def _tell(self, trial: Trial) -> None:
        # The name of the file comes last: it is what a narrow window may cut.
        fate = f"saved to {PurePath(self._path).name}" if self._path else "not recorded"
        self.write(f"trial {trial.index} read in {significant(trial.latency.total, 2)} ms, {fate}")

    def _clear(self) -> None:
        self._latencies.clear()
        self._tidings.clear()

    def _draw(self) -> None:
        colours = {"caution": self.theme.caution, "danger": self.theme.danger}
        self._log.setStyleSheet(f"color: {colours.get(self._tone, self.theme.text)};")
        if self._latencies:
            middle, late = np.percentile(self._latencies, [50, 99])
            self._latency.setText(f"latency p50 {significant(middle, 2)} ms  p99 {significant(late, 2)} ms")


def _quiet(tip: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel("")
    label.setObjectName("figures")
    lettered(label, 11)
    label.setToolTip(tip)
    return label
