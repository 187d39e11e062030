"""This file is the cursors: two vertical lines over charts of one axis of time, which the mouse and the keys move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.qt import QtCore, Signal, pg
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["Cursors"]

_NAMES = ("A", "B")


class _Line(Protocol):
    def value(self) -> float: ...


class Cursors(QtCore.QObject):
    """Cursors A (a whole line) and B (a dashed one), the same in all charts.

    Args:
        parent: Owner, as in Qt.
    """

    moved = Signal()

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._charts: tuple[Chart, ...] = ()
        self._lines: list[list[Any]] = [[], []]
        self._places = [0.0, 0.0]
        self._chosen = 0
        self._is_shown = self._was_placed = False
        self._theme: Theme = DARK

    @property
    def is_shown(self) -> bool:
        """Whether they are there."""
        return self._is_shown

    @property
    def places(self) -> tuple[float, float]:
        """Times of A and B, on the charts' axis."""
        return self._places[0], self._places[1]

    @property
    def chosen(self) -> str:
        """The one that the keys move."""
        return _NAMES[self._chosen]

    def lie_over(self, charts: Sequence[Chart]) -> None:
        """Lie over other charts.

        Args:
            charts: From top to bottom; the names stand on the first.
        """
        for chart, *lines in zip(self._charts, *self._lines, strict=True):
            for line in lines:
                chart.plot.removeItem(line)
        self._charts = tuple(charts)
        self._lines = [[self._line(k, chart, chart is charts[0]) for chart in charts] for k in range(2)]
        self.wear(self._theme)

    def show(self, is_shown: bool) -> None:
        """Show them, within what is visible, or take them away.

        Args:
            is_shown: Whether they shall be there.
        """
        self._is_shown = is_shown
        if is_shown and self._charts:
            left, right = self._charts[0].visible
            if not self._was_placed or not all(left <= place <= right for place in self._places):
                self._places = [left + (right - left) / 3, left + 2 * (right - left) / 3]
                self._was_placed = True
        for lines in self._lines:
            for line in lines:
                line.setVisible(is_shown)
        self._spread()

    def forget(self) -> None:
        """Lie somewhere else the next time they are shown, or at once where they are."""
        self._was_placed = False
        if self._is_shown:
            self.show(True)

    def put(self, a: float, b: float) -> None:
        """Move both.

        Args:
            a: Time of A, on the charts' axis.
            b: Time of B.
        """
        self._places, self._was_placed = [a, b], True
        self._spread()

    def choose(self) -> None:
        """Let the keys move the other one."""
        self._chosen = 1 - self._chosen
        self.wear(self._theme)

    def nudge(self, distance: float) -> None:
        """Move the chosen one.

        Args:
            distance: On the charts' axis.
        """
        self._places[self._chosen] += distance
        self._spread()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        styles = (QtCore.Qt.PenStyle.SolidLine, QtCore.Qt.PenStyle.DashLine)
        for k, lines in enumerate(self._lines):
            tone = theme.caution if k == self._chosen else theme.text
            for line in lines:
                line.setPen(pg.mkPen(tone, style=styles[k]))
                line.setHoverPen(pg.mkPen(theme.now, style=styles[k]))
                if (label := getattr(line, "label", None)) is not None:
                    label.setFont(theme.face(11, bold=True))
                    label.setColor(theme.panel)
                    label.fill = pg.mkBrush(tone)
                    label.update()

    def _line(self, k: int, chart: Chart, is_named: bool) -> _Line:
        label = {"label": _NAMES[k], "labelOpts": {"position": 0.8, "anchors": [(0.5, 0.5), (0.5, 0.5)]}}
        line: Any = pg.InfiniteLine(self._places[k], angle=90, movable=True, **(label if is_named else {}))
        line.setZValue(20)
        line.setVisible(self._is_shown)
        line.sigDragged.connect(lambda dragged, k=k: self._drag(k, dragged))
        chart.plot.addItem(line, ignoreBounds=True)
        made: _Line = line
        return made

    def _drag(self, k: int, line: _Line) -> None:
        self._places[k] = float(line.value())
        if self._chosen != k:
            self.choose()
        self._spread()

    def _spread(self) -> None:
        """Put all lines where their cursor is, and tell."""
        for place, lines in zip(self._places, self._lines, strict=True):
            for line in lines:
                line.setValue(place)
        if self._is_shown:
            self.moved.emit()
