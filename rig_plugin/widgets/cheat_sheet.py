"""This file is the cheat sheet: every key and every gesture on one card."""

from __future__ import annotations

from rig_plugin.widgets.qt import QtWidgets
from rig_plugin.widgets.theme import Theme

__all__ = ["KEYS", "CheatSheet"]

KEYS = (
    ("Space", "start, or stop and return the command to its exit state"),
    ("Esc", "stop at once, command to its exit state"),
    ("R", "record from the next sweep on, or end that"),
    ("M", "mark this moment in the recording"),
    ("N", "note: the same with a text, typed then"),
    ("A", "play each sweep by itself, or have each wait"),
    ("G and K", "play the sweep that waits; pass over the next one"),
    ("E", "make an NWB file of the recording that is over"),
    ("B", "scroll back through the session; ← → Home End move, ↑ ↓ zoom"),
    ("C", "cursors; ← → move one, ↑ ↓ choose the other"),
    ("Ctrl+S", "save the table of trials"),
    ("Ctrl+C", "copy the posterior as text, for the lab book"),
    ("Ctrl+O", "open a recording; one that is dropped anywhere opens too"),
    ("T", "dark or light"),
    ("Ctrl+= and −", "larger and smaller letters"),
    ("Ctrl+Z", "undo a change of the window"),
    ("F1", "this card"),
    ("hover", "value and unit under the mouse; definitions of names"),
    ("drag", "zoom into a plot"),
    ("double click", "reset the zoom"),
    ("right click", "save a panel as SVG or PNG, or copy it"),
    ("click a parameter", "follow it over the sweeps"),
)


class CheatSheet(QtWidgets.QDialog):
    """The keys; it blocks nothing, a sweep goes on behind it.

    Args:
        theme: Dark or light.
        parent: Owner, as in Qt.
    """

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setModal(False)
        self.setStyleSheet(theme.sheet())
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(18, 14, 18, 14)
        grid.setHorizontalSpacing(18)
        for row, (key, meaning) in enumerate(KEYS):
            label = QtWidgets.QLabel(key)
            label.setFont(theme.face(12, bold=True))
            grid.addWidget(label, row, 0)
            words = QtWidgets.QLabel(meaning)
            words.setObjectName("plain")
            grid.addWidget(words, row, 1)
