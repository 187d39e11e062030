"""This file is the guardian's line: what became of an output that the engine could not return, until it was seen."""

from __future__ import annotations

from datetime import datetime

from hardware.last_word import Word
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets
from rig_plugin.widgets.verdict import SIGNS

__all__ = ["GuardianLine"]


class GuardianLine(Panel):
    """A line that is there from a guardian's word until the user says that it was seen; no start takes it away.

    Several words stand one below the other. It blocks nothing.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._words: list[tuple[str, Word]] = []
        self._label = QtWidgets.QLabel("")
        self._label.setWordWrap(True)
        self.seen = QtWidgets.QPushButton("Seen")
        self.seen.setToolTip("Takes this away, once you have looked after the cell.")
        self.seen.clicked.connect(self.forget)
        self._body.setContentsMargins(10, 4, 10, 4)
        self._top.addWidget(self._label, 1)
        self._top.addWidget(self.seen)
        self.hide()
        self.wear(self.theme)

    @property
    def words(self) -> str:
        """What stands there; empty where there is nothing."""
        return "" if self.isHidden() else self._label.text()

    def tell(self, word: Word) -> None:
        """Show a guardian's word.

        Args:
            word: What it did.
        """
        self._words.append((f"{datetime.now().astimezone():%H:%M:%S}", word))
        self._draw()

    def forget(self) -> None:
        """Be told that it was seen."""
        self._words.clear()
        self._draw()

    def _draw(self) -> None:
        told = (
            f"{time}  {SIGNS['caution']} OUTPUT RETURNED  {word.sentence}"
            if word.returned
            else f"{time}  {SIGNS['withheld']} OUTPUT NOT RETURNED  {word.sentence}"
            for time, word in self._words
        )
        self._label.setText("\n".join(told))
        is_safe = all(word.returned for _, word in self._words)
        colour = self.theme.caution if is_safe else self.theme.danger
        self._label.setStyleSheet(f"color: {colour}; font-size: {self.theme.pixels(13)}px; font-weight: 600;")
        self.setVisible(bool(self._words))
