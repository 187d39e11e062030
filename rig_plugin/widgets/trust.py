"""This file is the trust panel: whether the numbers can be believed, and which feature says that they can't."""

from __future__ import annotations

import math

from estimators.wager import ALARM
from rig_plugin.trial import Trial
from rig_plugin.widgets.oddities import Oddities
from rig_plugin.widgets.oddity_text import chance
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.score_strip import ScoreStrip
from rig_plugin.widgets.theme import lettered
from rig_plugin.widgets.verdict import CAUTION, SIGNS, verdict

__all__ = ["TrustBadge"]

_LEFT_WIDTH = 150
_EXPLANATION = (
    "How typical this cell is of the cells that the network was trained on: the smaller p-value of the checks on this "
    f"sweep, 1 is typical, below {CAUTION:g} take care.\n"
    "Withheld: what was recorded can't be read with this network, and no posterior is shown."
)
_CHECKS = (
    "this sweep: held by itself against simulated sweeps of such a step.\n"
    "sweeps before: held against what the sweeps before it predicted.\n"
    f"In one sound sweep of twenty each of these is at most {CAUTION:g}, so the smaller of the two in one of ten at "
    "most.\n"
    "session: the evidence of all sweeps together, as p = 1/evidence; one sound cell in "
    f"{ALARM:.0f} at most ever comes to {1.0 / ALARM:g}, however many sweeps it has.\n"
    "A single feature that is off says where to look: some sound sweeps have one, and the checks allow for that."
)
_PLAIN = {
    "typical": "The checks that could be made found nothing unusual.",
    "caution": f"The score is below {CAUTION:g}: take the numbers with care.",
    "withheld": "No reason was given.",
}


class TrustBadge(Panel):
    """Verdict and score, the reason, the features that are off, the single checks, and the scores so far.

    A shape and a word go with each colour. In a low panel the reason scrolls and the worst features stay.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Trust", "Judged after the first sweep.", parent)
        self._trial: Trial | None = None
        self._score = QtWidgets.QLabel("")
        self._word = QtWidgets.QLabel("")
        lettered(self._score, 30, bold=True)
        lettered(self._word, 16, bold=True)
        self.strip = ScoreStrip()
        self._reason = QtWidgets.QLabel("")
        self._reason.setObjectName("plain")
        self._reason.setWordWrap(True)
        self._reason.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self._reason.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.oddities = Oddities()
        self._checks = QtWidgets.QLabel("")
        self._checks.setObjectName("quiet")
        self._checks.setWordWrap(True)
        self._checks.setToolTip(_CHECKS)
        self._lay_out()
        self.setToolTip(_EXPLANATION)
        self.wear(self.theme)

    @property
    def word(self) -> str:
        """The verdict."""
        return verdict(self._trial)

    @property
    def reason(self) -> str:
        """What is written beside it."""
        return self._reason.text()

    @property
    def checks(self) -> str:
        """The single checks as they are read, without their colours."""
        return " · ".join(text for text, _ in self._told())

    def _lay_out(self) -> None:
        self._left = QtWidgets.QWidget()
        self._right = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(self._left)
        for label in (self._score, self._word):
            column.addWidget(label)
        column.addWidget(self.strip, 1)
        self._area = QtWidgets.QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._reason)
        self._area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        stack = QtWidgets.QVBoxLayout(self._right)
        stack.addWidget(self._area, 1)
        stack.addWidget(self.oddities, 0)
        stack.addStretch(0)
        stack.addWidget(self._checks, 0)
        for layout in (column, stack):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._left)
        row.addWidget(self._right, 1)
        self._body.addLayout(row, 1)

    def _take(self, trial: Trial) -> None:
        self._trial = trial
        self.strip.push(trial)

    def _clear(self) -> None:
        self._trial = None
        self.strip.clear()

    def _wear(self) -> None:
        self._left.setFixedWidth(self.theme.pixels(_LEFT_WIDTH))
        self._area.setMinimumHeight(self.theme.pixels(30))
        self.strip.wear(self.theme)
        self.oddities.wear(self.theme)

    def _draw(self) -> None:
        trial, word = self._trial, self.word
        tone = self.theme.caution if word in ("caution", "withheld") else self.theme.text
        for label in (self._score, self._word):
            label.setStyleSheet(f"color: {tone};")
        for widget in (self._left, self._right):
            widget.setVisible(trial is not None)
        if trial is None:
            self._reason.setText("")
            return
        self.say("")
        self._score.setText(f"{SIGNS[verdict(trial)]} {chance(trial.trust.score)}")
        self._word.setText(word)
        self._reason.setText(trial.trust.reason or _PLAIN[word])
        self._reason.setToolTip(self._reason.text())
        self.oddities.show_rows(_heading(trial), trial.trust.off)
        tones = {True: self.theme.caution, False: self.theme.quiet}
        parts = [f"<span style='color:{tones[low]}'>{text.replace('<', '&lt;')}</span>" for text, low in self._told()]
        self._checks.setText(("p&nbsp; " if parts else "") + " · ".join(parts))
        self.strip.update()
        self._fit()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Give the reason the room that it needs, and the rest to what stands under it."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = self.width() - self.theme.pixels(_LEFT_WIDTH) - 40
        self._area.setMaximumHeight(max(self._reason.heightForWidth(width) + 4, self._area.minimumHeight()))

    def _told(self) -> list[tuple[str, bool]]:
        """Write each check, and whether it is low enough to ask for care."""
        told = []
        for check in self._trial.trust.checks if self._trial is not None else ():
            is_low = check.p <= CAUTION
            name = check.name
            text = f"{name} {chance(check.p)}"
            if name == "session" and is_low:
                text = f"{SIGNS['withheld']} session alarm {min(1.0 / check.p, 9999.0):.0f}:1"
            elif is_low:
                text = f"{SIGNS['caution']} {text}"
            told.append((text, is_low))
        return told


def _heading(trial: Trial) -> str:
    """Say what the rows are, or why there are none."""
    trust = trial.trust
    if any(odd.is_off for odd in trust.off):
        return "off; as a whole typical" if trust.score >= CAUTION else "off, worst first"
    if any(check.p <= CAUTION for check in trust.checks if check.name != "session"):
        return "no feature alone is off: together they are"
    if trust.off:
        return "none is off; the farthest"
    checked = bool(trust.checks) and math.isfinite(trust.score)
    return "no feature is off" if checked else "features of this sweep were not checked"
