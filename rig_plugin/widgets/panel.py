"""This file is the panel: what every part of the window has in common."""

from __future__ import annotations

from rig_plugin.trial import Trial
from rig_plugin.widgets.menu import Menu
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import DARK, Theme
from rig_plugin.widgets.verdict import SIGNS

__all__ = ["Panel"]

_FORMS = (("Save figure as SVG…", "svg"), ("Save figure as PNG…", "png"), ("Copy picture", "copy"))


class Panel(QtWidgets.QFrame):
    """A framed piece of the window that takes frozen trials and draws them; it can stand alone.

    A panel says what will appear and when while it has nothing to show. Panels that need more than trials
    have slots of their own; all are fed in Qt's thread.

    Args:
        heading: What it shows, in a word or two; empty for a bare line.
        promise: What will appear here and when.
        parent: Owner, as in Qt.
    """

    figure_asked = Signal(str)
    escaped = Signal()
    _warning_at = 0.5

    def __init__(self, heading: str, promise: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.theme: Theme = DARK
        self.heading = heading
        self._promise = promise
        self._is_seen, self._is_stale = True, False
        self._aside = _label("", "quiet")
        self._top = QtWidgets.QHBoxLayout()
        self._aside.setParent(self)
        self._aside.setVisible(bool(heading))
        if heading:
            self._top.addWidget(_label(heading, "heading"))
            self._top.addStretch(1)
            self._top.addWidget(self._aside)
        self._body = QtWidgets.QVBoxLayout(self)
        self._body.setContentsMargins(8, 5, 8, 6)
        self._body.setSpacing(4)
        self._body.addLayout(self._top)
        self._notice = _label(promise, "notice")
        self._notice.setParent(self)
        self._notice.setVisible(bool(promise))
        self._notice.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._notice.setWordWrap(True)
        self._notice.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    @property
    def notice(self) -> str:
        """What is written across the panel; empty where it shows something."""
        return "" if self._notice.isHidden() else self._notice.text()

    @property
    def sentence(self) -> QtWidgets.QLabel:
        """What is written across the panel, as it lies there."""
        return self._notice

    def take(self, *trials: Trial) -> None:
        """Show trials, oldest first; several at once are drawn once.

        Args:
            trials: New ones only.
        """
        for trial in trials:
            self._take(trial)
        if trials:
            self._is_stale = not self._is_seen
            if self._is_seen:
                self._draw()

    def attend(self, seen: bool) -> None:
        """Be told whether anybody can see it: what is behind another panel is drawn when it comes to the front.

        Args:
            seen: Whether it is not behind one, nor closed.
        """
        self._is_seen = seen
        if seen and self._is_stale:
            self._is_stale = False
            self._draw()

    def clear(self) -> None:
        """Forget all trials and say again what will appear."""
        self._clear()
        self.say(self._promise)
        self._draw()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.theme = theme
        self.setPalette(theme.palette())
        # A panel that was never shown would keep what its children have of an earlier sheet.
        self.ensurePolished()
        self.setStyleSheet(theme.sheet())
        for label in self.findChildren(QtWidgets.QLabel):
            face = label.property("face")
            if face:
                label.setFont(theme.face(*face))
        self._wear()
        self._draw()

    def say(self, text: str) -> None:
        """Write a quiet sentence across the panel, or take it away.

        Args:
            text: The sentence; empty takes it away.
        """
        self._post(text, "notice")

    def warn(self, text: str) -> None:
        """Write a sentence across the panel that is not to be overlooked.

        Args:
            text: The sentence.
        """
        self._post(f"{SIGNS['withheld']} {text}", "warning")

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Keep the sentence in the middle."""
        super().resizeEvent(event)
        self._place()

    def contextMenuEvent(self, event: QtGui.QContextMenuEvent) -> None:
        """Offer the panel as a figure; a bare line is none."""
        if not self.heading:
            super().contextMenuEvent(event)
            return
        menu = Menu(self.heading, self)
        menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.escaped.connect(self.escaped)
        for text, kind in _FORMS:
            entry = menu.addAction(text)
            if entry is not None:
                entry.triggered.connect(lambda *_, kind=kind: self.figure_asked.emit(kind))
        menu.popup(event.globalPos())
        event.accept()

    def _post(self, text: str, name: str) -> None:
        self._notice.setText(text)
        self._notice.setVisible(bool(text))
        if self._notice.objectName() != name:
            self._notice.setObjectName(name)
            self.setStyleSheet(self.theme.sheet())
        self._place()

    def _place(self) -> None:
        width = min(self.width() - 40, 520)
        height = self._notice.heightForWidth(width)
        share = self._warning_at if self._notice.objectName() == "warning" else 0.5
        middle = round(self.height() * share) + 8
        self._notice.setGeometry((self.width() - width) // 2, middle - height // 2, width, height)
        self._notice.raise_()

    def _take(self, trial: Trial) -> None:
        """Keep what this panel needs of a trial."""

    def _clear(self) -> None:
        """Forget what was kept."""

    def _draw(self) -> None:
        """Bring the screen up to what was kept."""

    def _wear(self) -> None:
        """Recolour what the style sheet does not reach."""


def _label(text: str, name: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setObjectName(name)
    return label
