"""This file is the note: a line to type what a moment is worth remembering for."""

from __future__ import annotations

from rig_plugin.widgets.qt import QtGui, QtWidgets, Signal

__all__ = ["Note"]


class Note(QtWidgets.QLineEdit):
    """It is there from the key that held the moment until Enter; what stays empty is no note.

    Args:
        parent: Owner, as in Qt.
    """

    taken = Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("What happened? Enter keeps it at the moment N was pressed; leave it empty for none.")
        self.setMaxLength(1000)
        self.returnPressed.connect(self._take)
        self.hide()

    def ask(self) -> None:
        """Appear, empty, where the keys go."""
        self.clear()
        self.show()
        self.setFocus()

    def drop(self) -> None:
        """Go away without a note."""
        self.clear()
        self.hide()

    def focusOutEvent(self, event: QtGui.QFocusEvent) -> None:
        """Go away when the user turns to something else and has typed nothing."""
        super().focusOutEvent(event)
        if not self.text().strip():
            self.drop()

    def _take(self) -> None:
        text = self.text().strip()
        self.drop()
        if text:
            self.taken.emit(text)
