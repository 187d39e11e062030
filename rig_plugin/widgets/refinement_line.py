"""This file is the refinement line: what refining a posterior came to, and the button that asks for it."""

from __future__ import annotations

from rig_plugin.refined import Refined
from rig_plugin.widgets.qt import QtCore, QtWidgets, Signal
from rig_plugin.widgets.theme import DARK, Theme
from rig_plugin.widgets.verdict import SIGNS

__all__ = ["RefinementLine"]

_WORKING = "refining, about a minute; a newer sweep ends it"
_BUTTON = (
    "Simulate all sweeps of this cell for what its posterior leaves, and let the network learn from them.\n"
    "It takes about a minute in a process of low priority; the recording goes on."
)
_FIGURES = (
    "Gain: log density of simulated cells like this one under the refined posterior, less that under the amortized.\n"
    "Worth: effective sample size of the amortized draws as draws of the refined posterior; a Pareto k above 0.7 says\n"
    "that the two hardly overlap."
)


class RefinementLine(QtWidgets.QWidget):
    """One line under the posterior, a second where refined and amortized disagree.

    Args:
        parent: Owner, as in Qt.
    """

    asked = Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self.words = QtWidgets.QLabel("")
        self.words.setObjectName("quiet")
        self.words.setWordWrap(True)
        self.words.setToolTip(_FIGURES)
        self.button = QtWidgets.QPushButton("Refine")
        self.button.setToolTip(_BUTTON)
        self.button.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(lambda *_: self._ask())
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)

    def tell(self, refined: Refined | None, *, can_ask: bool, theme: Theme) -> None:
        """Say what is known.

        Args:
            refined: The refined posterior or why there is none; None before it was asked for.
            can_ask: Whether there is a posterior that could be refined.
            theme: Dark or light.
        """
        self.theme = theme
        self.button.setEnabled(can_ask)
        self.setVisible(can_ask)
        if refined is None:
            self._say("amortized; refined for this cell it appears dashed beside", "quiet")
        elif refined.disagreement:
            self._say(f"{SIGNS['caution']} {refined.disagreement}\n{refined.line}", "caution")
        else:
            self._say(refined.line if refined.draws is not None else f"{SIGNS['caution']} {refined.line}", "quiet")

    def _ask(self) -> None:
        self.button.setEnabled(False)
        self._say(_WORKING, "quiet")
        self.asked.emit()

    def _say(self, text: str, kind: str) -> None:
        colour = self.theme.caution if kind == "caution" else self.theme.quiet
        self.words.setText(text)
        self.words.setStyleSheet(f"color: {colour};")
