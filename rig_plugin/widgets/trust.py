"""This file is the trust badge: a word, a score and the reason in full."""

from __future__ import annotations

from rig_plugin.trial import Trial
from rig_plugin.widgets.number import fixed
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtWidgets
from rig_plugin.widgets.verdict import CAUTION, SIGNS, verdict

__all__ = ["TrustBadge"]

_EXPLANATION = (
    "How typical this cell is of the cells that the network was trained on: the smallest p-value of the checks "
    f"that could be made, 1 is typical, below {CAUTION:g} take care.\n"
    "Withheld: what was recorded can't be read with this network, and no posterior is shown."
)
_PLAIN = {
    "typical": "The checks that could be made found nothing unusual.",
    "caution": f"The score is below {CAUTION:g}: take the numbers with care.",
    "withheld": "No reason was given.",
}


class TrustBadge(Panel):
    """Whether the numbers beside it can be believed; a shape and a word go with the colour.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Trust", "Judged after the first sweep.", parent)
        self._trial: Trial | None = None
        self._word = QtWidgets.QLabel("")
        self._word.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self._reason = QtWidgets.QLabel("")
        self._reason.setObjectName("plain")
        self._reason.setWordWrap(True)
        self._reason.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self._reason.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(self._word)
        row.addWidget(self._reason, 1)
        self._body.addLayout(row, 1)
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

    def _take(self, trial: Trial) -> None:
        self._trial = trial

    def _clear(self) -> None:
        self._trial = None

    def _draw(self) -> None:
        trial, word = self._trial, self.word
        tone = self.theme.caution if word in ("caution", "withheld") else self.theme.text
        self._word.setStyleSheet(f"color: {tone}; font-size: {self.theme.pixels(18)}px; font-weight: 600;")
        self._word.setVisible(trial is not None)
        if trial is None:
            self._reason.setText("")
            return
        self.say("")
        self._word.setText(f"{SIGNS[verdict(trial)]} {fixed(trial.trust.score, 2)} {word}")
        self._reason.setText(trial.trust.reason or _PLAIN[word])
