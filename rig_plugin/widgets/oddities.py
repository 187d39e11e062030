"""This file is the list of oddities: the features that are off, each with its place in the expected range."""

from __future__ import annotations

import math

from estimators.oddity import Oddity
from rig_plugin.widgets.oddity_text import expected, how_far, measured, sentence
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["Oddities"]

_HEAD, _ROW, _LEAST = 15, 17, 2
_NAME, _MARK, _VALUE, _EXPECTED, _FAR, _GAP = 120, 48, 82, 78, 96, 6
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
_SHAPE = {"above": "▲", "below": "▼", "missing": "○", "there": "●"}


class Oddities(QtWidgets.QWidget):
    """Rows of name, mark, value, expected range and distance, worst first, as many as there is room for.

    In the mark the bar is the 5 to 95 % that were expected, as wide whatever its unit, with as much room on either
    side; a value farther out is an arrow at the edge.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self.heading = ""
        self._rows: tuple[Oddity, ...] = ()
        self.setMouseTracking(True)
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Preferred)

    @property
    def rows(self) -> tuple[Oddity, ...]:
        """What is to be shown, worst first."""
        return self._rows

    @property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """Each row as it is read: shape and name, value, expected range, distance."""
        return tuple((_named(odd), measured(odd), expected(odd), how_far(odd)) for odd in self._rows)

    def show_rows(self, heading: str, rows: tuple[Oddity, ...]) -> None:
        """Show other rows.

        Args:
            heading: What they are.
            rows: Worst first.
        """
        self.heading, self._rows = heading, rows
        self.setToolTip("\n".join(sentence(odd) for odd in rows))
        self.setAccessibleName(" ".join([heading, *(sentence(odd) for odd in rows)]))
        self.setMinimumHeight(self._height(min(len(rows), _LEAST)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QtCore.QSize:
        """Ask for room for all rows."""
        return QtCore.QSize(self.theme.pixels(300), self._height(len(self._rows)))

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.theme = theme
        self.show_rows(self.heading, self._rows)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw heading and rows."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        head, row = self.theme.pixels(_HEAD), self.theme.pixels(_ROW)
        room = max((self.height() - head) // row, 0)
        shown = self._rows[:room]
        hidden = len(self._rows) - len(shown)
        self._paint_heading(painter, QtCore.QRectF(0, 0, self.width(), head), hidden)
        for k, odd in enumerate(shown):
            self._paint_row(painter, odd, QtCore.QRectF(0, head + k * row, self.width(), row))
        painter.end()

    def _height(self, rows: int) -> int:
        return self.theme.pixels(_HEAD) + rows * self.theme.pixels(_ROW)

    def _columns(self) -> list[float]:
        """Left edges of name, mark, value, expected range and distance.

        What is left over goes to the mark; where room is wanting, the mark goes first, then the range, then the name.
        """
        pixels = self.theme.pixels
        sizes = [float(pixels(size)) for size in (_NAME, _MARK, _VALUE, _EXPECTED, _FAR)]
        over = self.width() - sum(sizes) - 4 * _GAP
        sizes[1] += min(over, 2.0 * pixels(_MARK))
        if sizes[1] < 24.0:
            over = min(sizes[1], 0.0)
            sizes[1] = 0.0
            if over < 0.0:
                over, sizes[3] = over + sizes[3], 0.0
                sizes[0] = max(sizes[0] + min(over, 0.0), 40.0)
        edges = [0.0]
        for size in sizes:
            edges.append(edges[-1] + size + _GAP)
        return edges

    def _paint_heading(self, painter: QtGui.QPainter, place: QtCore.QRectF, hidden: int) -> None:
        painter.setPen(QtGui.QColor(self.theme.quiet))
        painter.setFont(self.theme.face(10))
        more = f" ({hidden} more)" if hidden else ""
        if not self._rows:
            painter.drawText(place, _LEFT, self.heading)
            return
        edges, told = self._columns(), f"{self.heading}{more}"
        first = QtCore.QRectF(0, 0, edges[2] - _GAP, place.height())
        elide = QtCore.Qt.TextElideMode.ElideRight
        painter.drawText(first, _LEFT, painter.fontMetrics().elidedText(told, elide, int(first.width())))
        for column, text, side in ((2, "measured", _RIGHT), (3, "5–95 %", _RIGHT), (4, "how far", _LEFT)):
            cell = self._cell(place, edges, column)
            painter.drawText(cell, side, text if cell.width() > 0 else "")

    def _paint_row(self, painter: QtGui.QPainter, odd: Oddity, place: QtCore.QRectF) -> None:
        theme, edges = self.theme, self._columns()
        tone = theme.caution if odd.is_off else theme.quiet
        plain = theme.text if odd.is_off else theme.quiet
        name = QtGui.QFont(self.font())
        name.setPixelSize(theme.pixels(12))
        name.setBold(False)
        cells = (
            (0, _named(odd), name, plain, _LEFT),
            (2, measured(odd), theme.face(11, bold=odd.is_off), tone, _RIGHT),
            (3, expected(odd), theme.face(11), theme.quiet, _RIGHT),
            (4, how_far(odd), theme.face(11), tone, _LEFT),
        )
        for column, text, font, colour, side in cells:
            cell = self._cell(place, edges, column)
            painter.setPen(QtGui.QColor(colour))
            painter.setFont(font)
            if cell.width() > 0:
                cut = QtGui.QFontMetrics(font).elidedText(text, QtCore.Qt.TextElideMode.ElideRight, int(cell.width()))
                painter.drawText(cell, side, cut)
        self._paint_mark(painter, odd, self._cell(place, edges, 1), tone)

    def _cell(self, place: QtCore.QRectF, edges: list[float], column: int) -> QtCore.QRectF:
        return QtCore.QRectF(edges[column], place.top(), edges[column + 1] - edges[column] - _GAP, place.height())

    def _paint_mark(self, painter: QtGui.QPainter, odd: Oddity, place: QtCore.QRectF, tone: str) -> None:
        """Draw the expected range as a bar, and the value as a line across or an arrow at the edge."""
        if place.width() < 24 or not (math.isfinite(odd.low) and math.isfinite(odd.high)):
            return
        third, middle = place.width() / 3.0, place.center().y()
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.past), 1))
        painter.drawLine(QtCore.QPointF(place.left(), middle), QtCore.QPointF(place.right(), middle))
        painter.fillRect(QtCore.QRectF(place.left() + third, middle - 3, third, 6), QtGui.QColor(self.theme.past))
        if not math.isfinite(odd.value):
            return
        width = max(odd.high - odd.low, 1e-12 * max(abs(odd.high), 1.0))
        where = (odd.value - odd.low) / width
        x = place.left() + third * (1.0 + min(max(where, -1.0), 2.0))
        painter.setPen(QtGui.QPen(QtGui.QColor(tone), 2.5))
        if -1.0 <= where <= 2.0:
            painter.drawLine(QtCore.QPointF(x, middle - 6), QtCore.QPointF(x, middle + 6))
            return
        back = 5.0 if where < 0 else -5.0
        for y in (-5.0, 5.0):
            painter.drawLine(QtCore.QPointF(x, middle), QtCore.QPointF(x + back, middle + y))


def _named(odd: Oddity) -> str:
    shape = _SHAPE[odd.side] if odd.is_off else "·"
    return f"{shape} {odd.feature.replace('_', ' ')}"
