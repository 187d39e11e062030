"""This file is the header: is the cell alive, is it being recorded, can the numbers be trusted."""

from __future__ import annotations

from typing import Literal

import numpy as np

from rig_plugin.feed import Live, RecordingStatus
from rig_plugin.trial import Trial
from rig_plugin.widgets.number import MISSING, clock, fixed, significant, space
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets
from rig_plugin.widgets.theme import lettered
from rig_plugin.widgets.verdict import SIGNS, verdict

__all__ = ["Header", "State"]

State = Literal["ready", "running", "ended", "failed"]
_WINDOW = 20.0
_EVERY = 6
_LITTLE = 2_000_000_000
_UNSEEN = "command alone"  # What the amplifier adds by itself is unknown.


class Header(Panel):
    """One line that is read from across the rig.

    Args:
        is_replay: Whether the sweeps come from a file.
        exit_pA: Command of the exit state [pA].
        parent: Owner, as in Qt.
    """

    def __init__(self, is_replay: bool, exit_pA: float, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._is_replay = is_replay
        self._state: State = "ready"
        self._status: RecordingStatus | None = None
        self._trial: Trial | None = None
        self._silence = 0.0
        self._frames = 0
        self._voltage = _cell("Clamp mode and the median of the last 20 ms, as recorded: no correction is applied.", 17)
        self._holding = _cell("Command before the step, and where it is known from.")
        self._recording = _cell(
            "REC: samples go to the file. NOT ON DISK: they are kept in memory. MONITOR: nothing is written. "
            "REPLAY: from a file.",
            14,
        )
        self._figures = _cell("Time since the session began, and space left where the file lies.")
        self._lost = _cell("Samples known to be missing.")
        self._trust = _cell("Score of the trust badge: 1 is typical. The reason stands in the badge.", 14)
        self.go = _button("Start", "Space: start, or stop; the command then returns to its exit state.")
        self.mark = _button("Mark", "M: note this moment in the recording.")
        self.stop = _button(
            f"Esc: {significant(exit_pA)} pA", "Esc: stop at once and return the command to its exit state."
        )
        self.stop.setObjectName("stop")
        self._arrange()
        self.wear(self.theme)
        self._draw()

    def grow(self, live: Live) -> None:
        """Show the newest voltage; five times a second, so that it can be read.

        Args:
            live: The sweep as it comes in.
        """
        self._frames += 1
        if self._frames % _EVERY == 1:
            clamp, unit = ("CC", "mV") if live.stimulus.clamp == "current" else ("VC", "pA")
            late = live.response[-max(round(_WINDOW * live.rate), 1) :]
            value = fixed(float(np.median(late)), 1) if late.size else MISSING
            self._show(self._voltage, f"{clamp} {value} {unit} raw", "text")

    def begin(self, live: Live) -> None:
        """Be told that a sweep begins.

        Args:
            live: The sweep as it comes in.
        """
        self._frames = 0
        unit = "pA" if live.stimulus.clamp == "current" else "mV"
        source: str = self._trial.sweep.holding_source if self._trial and self._trial.sweep else "command"
        source = _UNSEEN if source == "unknown" else source
        self._holding.setText(f"hold {significant(round(live.stimulus.holding, 1))} {unit} ({source})")

    def enter(self, state: State) -> None:
        """Show another state of the session.

        Args:
            state: "ready", "running", "ended" or "failed".
        """
        self._state = state
        self._draw()

    def report(self, status: RecordingStatus) -> None:
        """Show how the recording is doing.

        Args:
            status: The newest one.
        """
        self._status = status
        self._draw()

    def stall(self, seconds: float) -> None:
        """Show that samples stay away in the middle of a sweep.

        Args:
            seconds: For how long; 0 when they came back [s].
        """
        self._silence = seconds
        self._draw()

    def words(self) -> str:
        """Read the whole line as it stands on the screen."""
        cells = (self._voltage, self._holding, self._recording, self._figures, self._lost, self._trust)
        return " | ".join(cell.text() for cell in cells if cell.text())

    def _arrange(self) -> None:
        self._body.setContentsMargins(10, 5, 8, 5)
        for cell in (self._voltage, self._holding, self._recording, self._figures, self._lost):
            self._top.addWidget(cell)
            self._top.addSpacing(14)
        self._top.addStretch(1)
        self._top.addWidget(self._trust)
        self._top.addSpacing(10)
        for button in (self.go, self.mark, self.stop):
            self._top.addWidget(button)

    def _take(self, trial: Trial) -> None:
        self._trial = trial
        sweep = trial.sweep
        if sweep is not None and sweep.stimulus is not None:
            unit = "pA" if sweep.clamp == "current" else "mV"
            level = significant(round(sweep.stimulus.holding, 1))
            known = sweep.holding_source != "unknown"
            self._holding.setText(f"hold {level} {unit} ({sweep.holding_source if known else _UNSEEN})")
        elif sweep is None:
            self._holding.setText("hold unknown")

    def _clear(self) -> None:
        self._trial = None

    def _draw(self) -> None:
        status, running = self._status, self._state == "running"
        word, tone = self._recording_word()
        self._show(self._recording, word, tone)
        self._show(self._figures, _figures(status), "text")
        lost = status.lost if status else 0
        if self._silence > 0:
            self._show(self._lost, f"NO SAMPLES for {self._silence:.0f} s", "danger")
        else:
            self._show(
                self._lost, f"LOST {lost}" if lost else "lost 0" if status else "", "danger" if lost else "quiet"
            )
        trust = verdict(self._trial)
        score = fixed(self._trial.trust.score, 2) if self._trial else MISSING
        tone = "caution" if trust in ("caution", "withheld") else "text"
        self._show(self._trust, f"TRUST {score} {SIGNS[trust]} {trust}", tone)
        told = self._voltage.text()
        is_told = bool(told) and not told.startswith(MISSING)
        self._show(self._voltage, told if is_told else f"{MISSING} mV", "text" if is_told else "quiet")
        self.go.setText("Stop" if running else "Start")
        self.mark.setEnabled(running)

    def _recording_word(self) -> tuple[str, str]:
        status, running = self._status, self._state == "running"
        if not running:
            return {"ready": "○ READY, Space starts", "ended": "○ ENDED", "failed": "■ FAILED"}[self._state], (
                "danger" if self._state == "failed" else "quiet"
            )
        if status is not None and status.recording:
            return ("■ NOT ON DISK" if status.alarm else "● REC"), "danger"
        return ("▶ REPLAY" if self._is_replay else "◌ MONITOR, not recorded"), "text"

    def _show(self, cell: QtWidgets.QLabel, text: str, tone: str) -> None:
        cell.setText(text)
        cell.setVisible(bool(text))
        colours = {"danger": self.theme.danger, "caution": self.theme.caution, "quiet": self.theme.quiet}
        cell.setStyleSheet(f"color: {colours.get(tone, self.theme.text)};")


def _figures(status: RecordingStatus | None) -> str:
    if status is None:
        return ""
    free = "" if status.free_bytes is None else f"   {space(status.free_bytes)} free"
    return clock(status.elapsed) + free


def _cell(tip: str, size: int = 12) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel("")
    lettered(label, size, bold=size > 12)
    label.setToolTip(tip)
    return label


def _button(text: str, tip: str) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setToolTip(tip)
    return button
