"""This file is the ribbon: predictions of one number on one line, and the number itself once it is measured."""

from __future__ import annotations

import math

from rig_plugin.dosing import Expected, Span
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["LEGEND", "Ribbon"]

LEGEND = "shaded: prior   [ ]: no change   bar: under the drug   ◆: measured, ◇ where it lies outside the bar"
_AIR = 0.15
_MARK = 4.0


class Ribbon(QtWidgets.QWidget):
    """Paints one row; the prior goes on beyond the edges where it is much wider than what matters.

    Args:
        expected: What is predicted and measured.
        theme: Dark or light.
        parent: Owner, as in Qt.
    """

    def __init__(self, expected: Expected, theme: Theme = DARK, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._expected = expected
        self.setMinimumSize(60, 12)

    @property
    def edges(self) -> tuple[float, float]:
        """What is in sight, in the unit of the row."""
        told = self._expected
        ends = [told.drug.low, told.drug.high, told.unchanged.low, told.unchanged.high, told.measured]
        known = [value for value in ends if math.isfinite(value)]
        if not known:
            return -1.0, 1.0
        low, high = min(known), max(known)
        air = _AIR * (high - low) or 1.0
        return low - air, high + air

    def show_expected(self, expected: Expected) -> None:
        """Show other numbers; paints where they differ.

        Args:
            expected: Which.
        """
        if repr(expected) != repr(self._expected):
            self._expected = expected
            self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw it."""
        told, theme = self._expected, self.theme
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        middle, high = self.height() / 2.0, max(self.height() / 2.0 - 3.0, 3.0)
        shade = QtGui.QColor(theme.past)
        shade.setAlpha(90)
        self._band(painter, told.prior, high, shade)
        bar = QtGui.QColor(theme.now)
        self._band(painter, told.drug, high / 2.0, bar)
        if math.isfinite(told.drug.median):
            x = self._at(told.drug.median)
            painter.setPen(QtGui.QPen(QtGui.QColor(theme.panel), 2))
            painter.drawLine(QtCore.QPointF(x, middle - high / 2.0), QtCore.QPointF(x, middle + high / 2.0))
        self._brackets(painter, told.unchanged, middle, high)
        if math.isfinite(told.measured):
            self._mark(painter, self._at(told.measured), middle)
        painter.end()

    def _at(self, value: float) -> float:
        """Find a number's place, an edge where it lies beyond [pixels]."""
        low, high = self.edges
        room = self.width() - 2.0 * _MARK
        return _MARK + room * min(max((value - low) / (high - low), 0.0), 1.0)

    def _band(self, painter: QtGui.QPainter, span: Span, half: float, colour: QtGui.QColor) -> None:
        if not math.isfinite(span.low + span.high):
            return
        left, right = self._at(span.low), self._at(span.high)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRect(QtCore.QRectF(left - 1.0, self.height() / 2.0 - half, right - left + 2.0, 2.0 * half))

    def _brackets(self, painter: QtGui.QPainter, span: Span, middle: float, high: float) -> None:
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.text), 1.5))
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        for value, inwards in ((span.low, 3.0), (span.high, -3.0)):
            if math.isfinite(value):
                x = self._at(value)
                corners = ((x + inwards, -high), (x, -high), (x, high), (x + inwards, high))
                painter.drawPolyline(QtGui.QPolygonF([QtCore.QPointF(at, middle + up) for at, up in corners]))

    def _mark(self, painter: QtGui.QPainter, x: float, middle: float) -> None:
        """Draw what was measured: full where it lies inside, hollow where it does not."""
        is_inside = self._expected.is_inside is not False
        tone = self.theme.text if is_inside else self.theme.caution
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.panel if is_inside else tone), 1.2))
        painter.setBrush(QtGui.QColor(tone if is_inside else self.theme.panel))
        corners = ((x - _MARK, middle), (x, middle - _MARK), (x + _MARK, middle), (x, middle + _MARK))
        painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(*corner) for corner in corners]))
