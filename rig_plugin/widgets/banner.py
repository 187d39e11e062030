"""This file is the banner: a sentence over the panels that stays until it was read, and keeps nobody from working."""

from __future__ import annotations

from collections.abc import Callable

from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets

__all__ = ["Banner"]


class Banner(Panel):
    """One sentence at a time, the newest, with one thing that can be done about it and a button to close it.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("", "", parent)
        self._words = QtWidgets.QLabel("")
        self._words.setObjectName("plain")
        self._words.setWordWrap(True)
        self.remedy = QtWidgets.QPushButton("")
        self.close_button = QtWidgets.QPushButton("Close")
        self._act: Callable[[], object] | None = None
        self._tone = "text"
        self._body.setContentsMargins(10, 4, 10, 4)
        self._top.addWidget(self._words, 1)
        for button in (self.remedy, self.close_button):
            self._top.addWidget(button)
        self.remedy.clicked.connect(lambda: self._take_up())
        self.close_button.clicked.connect(lambda: self.withdraw())
        self.hide()
        self.wear(self.theme)

    def tell(self, sentence: str, tone: str = "text", remedy: tuple[str, Callable[[], object]] | None = None) -> None:
        """Say something.

        Args:
            sentence: With the remedy in it, where something went wrong.
            tone: "text", or "caution" where something was refused.
            remedy: A button's text and what it does.
        """
        self._tone, self._act = tone, remedy[1] if remedy else None
        self._words.setText(f"▲ {sentence}" if tone == "caution" else sentence)
        self.remedy.setVisible(remedy is not None)
        self.remedy.setText(remedy[0] if remedy else "")
        self._draw()
        self.show()

    def withdraw(self) -> None:
        """Take the sentence away."""
        self._act = None
        self._words.setText("")
        self.hide()

    def words(self) -> str:
        """Read what stands on the screen; empty where there is nothing."""
        return "" if self.isHidden() else self._words.text()

    def _take_up(self) -> None:
        act = self._act
        self.withdraw()
        if act is not None:
            act()

    def _draw(self) -> None:
        tone = self.theme.caution if self._tone == "caution" else self.theme.text
        self._words.setStyleSheet(f"color: {tone};")
