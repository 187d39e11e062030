"""This file is the log: what happened, line by line, and which moments were marked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtGui, QtWidgets

__all__ = ["Log"]

_KEPT = 5000
_SIGNS = {"text": " ", "mark": "◆", "caution": "▲", "danger": "■"}
_SHOWN = {"all": tuple(_SIGNS), "marks": ("mark",), "cautions": ("caution", "danger")}


@dataclass(frozen=True)
class _Line:
    time: datetime
    tone: str
    text: str

    def told(self) -> str:
        """Write it: the time of day, a sign, and a word where the sign means something."""
        word = {"mark": "mark: ", "caution": "caution: ", "danger": "danger: "}.get(self.tone, "")
        return f"{self.time:%H:%M:%S}  {_SIGNS[self.tone]} {word}{self.text}"


class Log(Panel):
    """The newest line at the foot, which is followed unless somebody reads further up.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Log", "", parent)
        self._lines: deque[_Line] = deque(maxlen=_KEPT)
        self._choice = QtWidgets.QComboBox()
        self._choice.addItems(list(_SHOWN))
        self._choice.setToolTip("Which lines are shown; all are kept.")
        self._choice.currentTextChanged.connect(lambda _: self._write_all())
        self._top.insertWidget(1, self._choice)
        self._text = QtWidgets.QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setMaximumBlockCount(_KEPT)
        self._text.setLineWrapMode(QtWidgets.QPlainTextEdit.LineWrapMode.NoWrap)
        self._body.addWidget(self._text, 1)
        self.wear(self.theme)

    def write(self, text: str, tone: str = "text") -> None:
        """Add a line.

        Args:
            text: What happened.
            tone: "text", "mark", "caution" or "danger".
        """
        line = _Line(datetime.now().astimezone(), tone, text)
        self._lines.append(line)
        if tone in _SHOWN[self._choice.currentText()]:
            # At the foot Qt follows by itself; further up it stays where somebody reads.
            self._text.appendPlainText(line.told())
        self._count()

    def lines(self) -> list[str]:
        """Read what stands on the screen."""
        return self._text.toPlainText().splitlines()

    def show_only(self, kind: str) -> None:
        """Choose which lines are shown.

        Args:
            kind: "all", "marks" or "cautions".
        """
        self._choice.setCurrentText(kind)

    def _write_all(self) -> None:
        shown = _SHOWN[self._choice.currentText()]
        self._text.setPlainText("\n".join(line.told() for line in self._lines if line.tone in shown))
        self._text.moveCursor(QtGui.QTextCursor.MoveOperation.End)

    def _count(self) -> None:
        marks = sum(line.tone == "mark" for line in self._lines)
        self._aside.setText(f"{marks} mark{'' if marks == 1 else 's'}" if marks else "")

    def _wear(self) -> None:
        self._choice.setPalette(self.theme.palette())
        self._text.setFont(self.theme.face(11))
        self._text.setStyleSheet(
            f"QPlainTextEdit {{ background: transparent; border: none; color: {self.theme.text};"
            f" selection-background-color: {self.theme.line}; selection-color: {self.theme.text}; }}"
        )
