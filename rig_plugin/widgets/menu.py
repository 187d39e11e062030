"""This file is the menu: one that Esc closes, and that does not keep Esc from the cell."""

from __future__ import annotations

from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal

__all__ = ["Menu"]


class Menu(QtWidgets.QMenu):
    """An open menu takes the keys for itself; of Esc it tells at once.

    Args:
        title: What it is called.
        parent: Owner, as in Qt.
    """

    escaped = Signal()

    def __init__(self, title: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setToolTipsVisible(True)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Tell of Esc, and close by it."""
        if event.key() == QtCore.Qt.Key.Key_Escape:
            self.escaped.emit()
        super().keyPressEvent(event)
