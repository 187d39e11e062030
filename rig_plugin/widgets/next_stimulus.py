"""This file is the next stimulus: what would be played, what it is expected to tell, and who says that it is."""

from __future__ import annotations

from typing import Literal

from rig_plugin.feed import Live
from rig_plugin.proposal import Proposed
from rig_plugin.widgets.candidates import CandidatesChart, gain_text
from rig_plugin.widgets.number import significant
from rig_plugin.widgets.qt import QtCore, QtWidgets, Signal
from rig_plugin.widgets.theme import DARK, Theme, lettered

__all__ = ["NextStimulus"]

_State = Literal["idle", "next", "accepted", "skipping", "playing"]
_PROMISE = "next: known once a session runs"
_ON, _OFF = "●", "○"


class NextStimulus(QtWidgets.QWidget):
    """One line and two buttons, with the candidates' gains under it where there are any.

    An answer is given once: until the next proposal comes, both buttons are off, so that nobody answers for a sweep
    that they have not seen.

    Args:
        parent: Owner, as in Qt.
    """

    accepted = Signal()
    skipped = Signal()
    gated = Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = DARK
        self._state: _State = "idle"
        self._proposed: Proposed | None = None
        self._words, self._gain = QtWidgets.QLabel(_PROMISE), QtWidgets.QLabel("")
        self.run, self.pass_over = QtWidgets.QPushButton("G: run"), QtWidgets.QPushButton("K: skip")
        self.auto = QtWidgets.QPushButton()
        self.auto.setCheckable(True)
        self.auto.setChecked(True)
        self.auto.setToolTip("Each sweep is played as soon as the interval is over; off, it waits for G.")
        self.candidates = CandidatesChart()
        self._lay_out()
        self.run.clicked.connect(lambda: self.go())
        self.pass_over.clicked.connect(lambda: self.skip())
        self.auto.toggled.connect(lambda _: self._turn())
        self.wear(DARK)

    @property
    def mode(self) -> str:
        """How a session's gate is to stand: "auto" or "accept"."""
        return "auto" if self.auto.isChecked() else "accept"

    @property
    def proposed(self) -> Proposed | None:
        """What is next, or None where that is not known."""
        return self._proposed

    def words(self) -> str:
        """Read the line as it stands on the screen."""
        return f"{self._words.text()} {self._gain.text()}".strip()

    def propose(self, proposed: Proposed) -> None:
        """Be told what is next.

        Args:
            proposed: The newest one.
        """
        # One that is told again because the gate was turned keeps the answer that it has.
        same = self._proposed is not None and self._proposed.number == proposed.number
        if not (same and self._state in ("accepted", "skipping")):
            self._state = "next"
        self._proposed = proposed
        self.candidates.show_candidates(proposed.candidates, proposed.stimulus)
        self._draw()

    def begin(self, live: Live) -> None:
        """Be told that a sweep is played.

        Args:
            live: As it comes in.
        """
        self._state = "playing" if self._proposed is not None else "idle"
        self._draw()

    def end(self) -> None:
        """Be told that nothing is played any more."""
        self._state, self._proposed = "idle", None
        self.candidates.show_candidates((), None)
        self._draw()

    def go(self) -> None:
        """Have what waits played; does nothing where nothing does."""
        if self.run.isEnabled():
            self._state = "accepted"
            self._draw()
            self.accepted.emit()

    def skip(self) -> None:
        """Have the next sweep passed over; does nothing where none is known."""
        if self.pass_over.isEnabled():
            self._state = "skipping"
            self._draw()
            self.skipped.emit()

    def toggle(self) -> None:
        """Change between sweeps that are played by themselves and sweeps that wait."""
        self.auto.setChecked(not self.auto.isChecked())

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        self.candidates.wear(theme)
        self._draw()

    def _lay_out(self) -> None:
        lettered(self._words, 13, bold=True)
        lettered(self._gain, 12)
        self._words.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._words, 1)
        for widget in (self._gain, self.run, self.pass_over, self.auto):
            row.addWidget(widget)
            if widget is not self._gain:
                widget.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.candidates)

    def _turn(self) -> None:
        self._draw()
        self.gated.emit(self.mode)

    def _draw(self) -> None:
        proposed, state = self._proposed, self._state
        self.auto.setText(f"{_ON if self.auto.isChecked() else _OFF} A: auto")
        waits = proposed is not None and proposed.waits and state == "next"
        self.run.setEnabled(waits)
        self.pass_over.setEnabled(proposed is not None and state == "next")
        self.run.setToolTip(_why_not(state, waits) or "Plays it as soon as the interval is over.")
        self.pass_over.setToolTip("Passes over it; the protocol is asked for the next one, and nothing is played.")
        tone = self._theme.now if waits else self._theme.text if proposed is not None else self._theme.quiet
        self._words.setStyleSheet(f"color: {tone};")
        self._words.setText(_PROMISE if proposed is None else f"{_said(state, waits)}: {_told(proposed)}")
        self._words.setToolTip(self._words.text())
        gain = None if proposed is None else proposed.gain
        error = None if proposed is None else _error(proposed)
        self._gain.setText("" if gain is None else f"gain {gain_text(gain, error)}")
        self._gain.setToolTip("How much it is expected to tell of the cell; a bit is half the volume of the posterior.")


def _said(state: _State, waits: bool) -> str:
    """Name what becomes of a sweep."""
    return {"playing": "▶ playing", "accepted": "✓ runs", "skipping": "skipping"}.get(
        state, "● waits" if waits else "next"
    )


def _why_not(state: _State, waits: bool) -> str:
    """Say why a sweep can't be accepted; empty where it can."""
    if waits:
        return ""
    return {
        "idle": "No session runs: Space starts one.",
        "next": "It is played by itself: take auto away to have the next ones wait.",
        "accepted": "It is played as soon as the interval is over.",
        "skipping": "The protocol is being asked for the next one.",
        "playing": "It is being played.",
    }[state]


def _told(proposed: Proposed) -> str:
    """Say what a proposal is, and where it stands."""
    stimulus = proposed.stimulus
    sign = "+" if stimulus.amplitude > 0 else ""
    told = f"{sign}{significant(stimulus.amplitude)} pA, {significant(stimulus.step_duration)} ms"
    if proposed.place is None:
        return told
    return f"{told} ({proposed.place + 1}{'' if proposed.count is None else f' of {proposed.count}'})"


def _error(proposed: Proposed) -> float | None:
    """Find the standard error of what was chosen, where it was weighed."""
    return next((each.error for each in proposed.candidates if each.stimulus == proposed.stimulus), None)
