"""This file is the reading card: what a recording holds, and how it is read, for who knows it better than the file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from rig_plugin.otherwise import FIELDS, read_so, typed
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import Theme

__all__ = ["ReadingCard"]

_PROMISE = "What is left empty is found automatically, or stays unknown."
_EMPTY = {"sweep": "all", "junction_potential": "unknown", "bridge": "unknown"}


class ReadingCard(QtWidgets.QDialog):
    """Fields at the left, and beside them what the file holds; it blocks nothing.

    Args:
        settings: How the recording is read so far.
        outline: Tells what the file holds; it is called in a thread of its own, since a file may be far away.
        theme: Dark or light.
        parent: Owner, as in Qt.
    """

    chosen = Signal(object)
    _described = Signal(str)

    def __init__(
        self,
        settings: ReplaySettings,
        outline: Callable[[], str],
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"How {settings.file.name} is read")
        self.setModal(False)
        self.setStyleSheet(theme.sheet())
        self.setPalette(theme.palette())
        self._settings, self._theme = settings, theme
        self.boxes = {name: QtWidgets.QLineEdit(text) for name, text in typed(settings).items()}
        self.fast = QtWidgets.QCheckBox("as fast as can be")
        self.fast.setChecked(settings.pace == "max")
        self.words = QtWidgets.QLabel(_PROMISE)
        self.words.setObjectName("plain")
        self.words.setWordWrap(True)
        self.content = QtWidgets.QPlainTextEdit("Reading what it holds …")
        self.content.setReadOnly(True)
        self.content.setLineWrapMode(QtWidgets.QPlainTextEdit.LineWrapMode.NoWrap)
        self.content.setFont(QtGui.QFont(theme.face(9)))
        self.use = QtWidgets.QPushButton("Read it so")
        self._lay_out()
        for box in self.boxes.values():
            box.textChanged.connect(lambda _: self._judge())
            box.returnPressed.connect(lambda: self._choose())
        self.use.clicked.connect(lambda: self._choose())
        self._described.connect(self.content.setPlainText)
        self._judge()
        self._work = threading.Thread(target=lambda: self._described.emit(outline()), name="outline")
        self._work.start()
        self.resize(theme.pixels(820), theme.pixels(480))

    @property
    def settings(self) -> ReplaySettings:
        """How it is to be read, as far as what was typed is understood."""
        return read_so(self._settings, {name: box.text() for name, box in self.boxes.items()})[0]

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Leave no thread behind."""
        self._work.join()
        super().closeEvent(event)

    def _lay_out(self) -> None:
        form = QtWidgets.QGridLayout()
        form.setVerticalSpacing(4)
        for row, (name, (words, unit, meaning)) in enumerate(FIELDS.items()):
            label, behind, box = QtWidgets.QLabel(words), QtWidgets.QLabel(unit), self.boxes[name]
            for quiet in (label, behind):
                quiet.setObjectName("quiet")
            box.setMaxLength(200)
            box.setFixedWidth(self._theme.pixels(110))
            for widget in (label, box):
                widget.setToolTip(meaning)
            box.setPlaceholderText(_EMPTY.get(name, "automatic"))
            form.addWidget(label, row, 0)
            form.addWidget(box, row, 1)
            form.addWidget(behind, row, 2)
        form.addWidget(self.fast, len(FIELDS), 0, 1, 3)
        left = QtWidgets.QVBoxLayout()
        left.addLayout(form)
        left.addWidget(self.words)
        left.addStretch(1)
        left.addWidget(self.use, 0, QtCore.Qt.AlignmentFlag.AlignRight)
        column = QtWidgets.QHBoxLayout(self)
        column.addLayout(left)
        column.addWidget(self.content, 1)

    def _judge(self) -> None:
        _, faults = read_so(self._settings, {name: box.text() for name, box in self.boxes.items()})
        self.words.setText("\n".join(f"▲ {fault}" for fault in faults.values()) or _PROMISE)
        self.words.setStyleSheet(f"color: {self._theme.caution if faults else self._theme.quiet};")
        self.use.setEnabled(not faults)

    def _choose(self) -> None:
        if self.use.isEnabled():
            pace = "max" if self.fast.isChecked() else "real"
            self.chosen.emit(replace(self.settings, pace=pace))
            self.close()
