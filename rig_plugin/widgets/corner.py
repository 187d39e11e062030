"""This file is the corner: a square of small axes in which every chosen parameter stands against every other.

It paints what it is given: curves on the diagonal, maps beside it, and numbers at the outer edges only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rig_plugin.widgets.number import with_unit
from rig_plugin.widgets.pointer import pointer
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, pg
from rig_plugin.widgets.ruler import ticks
from rig_plugin.widgets.theme import DARK, Theme
from simulators.parameter import Parameter

__all__ = ["Corner", "Curve", "Map", "Picture"]

_LEFT, _FOOT, _HEAD, _GAP = 54, 30, 24, 4
_TICK = 36
_MIDDLE = int(QtCore.Qt.AlignmentFlag.AlignCenter)
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
_TOP_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignTop)
_WRAPPED = _MIDDLE | int(QtCore.Qt.TextFlag.TextWordWrap)

Array = npt.NDArray[np.float64]
Span = tuple[float, float]
_FINE = 2
_Reader = Callable[[int, int, float, float], str]


@dataclass(frozen=True, eq=False)
class Curve:
    """A line on the diagonal.

    Args:
        places: Along the parameter's axis, shape (n,).
        heights: Shares of the height that there is, shape (n,).
        colour: Its colour.
        is_filled: Whether it stands on the foot as a fill; else it is dashed.
    """

    places: Array
    heights: Array
    colour: str
    is_filled: bool


@dataclass(frozen=True, eq=False)
class Map:
    """A density beside the diagonal.

    Args:
        image: Of the density.
        across: Where it lies along the parameter of the column.
        up: Where along that of the row.
        outlines: Pieces of lines, places from 0 to 1 within the image, two a piece.
        colour: Of the lines.
        note: A word in the corner, or empty.
    """

    image: QtGui.QImage
    across: Span
    up: Span
    outlines: Sequence[tuple[Array, Array]] = ()
    colour: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """What is painted of some parameters.

    Args:
        parameters: Of the columns, and of the rows from above.
        spans: Which part of each one's axis is visible.
        curves: By column.
        maps: By row and column.
        reference: Places of the point at which others are held, or None where there is none.
        wanting: Why there are no maps above the diagonal, or empty.
    """

    parameters: tuple[Parameter, ...] = ()
    spans: tuple[Span, ...] = ()
    curves: Mapping[int, Sequence[Curve]] = field(default_factory=dict)
    maps: Mapping[tuple[int, int], Map] = field(default_factory=dict)
    reference: Array | None = None
    wanting: str = ""


class Corner(QtWidgets.QWidget):
    """The square; above each column there is room for what chooses its parameter.

    Args:
        heads: What stands above the columns, from the left; those without a column are hidden.
        reader: What stands at the mouse, from row, column and the places along the column's and the row's axis.
        parent: Owner, as in Qt.
    """

    def __init__(
        self, heads: Sequence[QtWidgets.QWidget], reader: _Reader, parent: QtWidgets.QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("corner")
        self.theme: Theme = DARK
        self._heads, self._reader = tuple(heads), reader
        self._picture = Picture()
        self._cursor = QtWidgets.QLabel("", self)
        self._cursor.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._cursor.hide()
        for head in self._heads:
            head.setParent(self)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)
        self.wear(DARK)

    @property
    def picture(self) -> Picture:
        """What is painted."""
        return self._picture

    @property
    def words(self) -> str:
        """What stands at the mouse; empty where it is nowhere."""
        return "" if self._cursor.isHidden() else self._cursor.text()

    def wear(self, theme: Theme) -> None:
        """Change colours; the picture keeps its own.

        Args:
            theme: Dark or light.
        """
        if theme is self.theme and self._cursor.styleSheet():
            return
        self.theme = theme
        self._cursor.setFont(theme.face(11))
        self._cursor.setStyleSheet(
            f"background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.line}; padding: 2px;"
        )
        self._place()

    def paint(self, picture: Picture) -> None:
        """Paint something else.

        Args:
            picture: All of it.
        """
        is_other = len(picture.parameters) != len(self._picture.parameters)
        self._picture = picture
        self._cursor.hide()
        if is_other:
            self._place()
        self.update()

    def cell(self, row: int, column: int) -> QtCore.QRectF:
        """Tell where a cell lies.

        Args:
            row: From above.
            column: From the left.

        Returns:
            Its inside [pixels].
        """
        count = max(len(self._picture.parameters), 1)
        left, head, foot = (self.theme.pixels(size) for size in (_LEFT, _HEAD, _FOOT))
        width = (self.width() - left + _GAP) / count
        height = (self.height() - head - foot + _GAP) / count
        return QtCore.QRectF(left + column * width, head + row * height, width - _GAP, height - _GAP)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Paint the cells, and the numbers at the edges."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        count = len(self._picture.parameters)
        for row in range(count):
            for column in range(count):
                self._paint_cell(painter, row, column)
        for k in range(count):
            self._paint_foot(painter, k)
            self._paint_side(painter, k)
        if self._picture.wanting and count > 1:
            self._paint_wanting(painter, self.cell(0, 1).united(self.cell(0, count - 1)))
        painter.end()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Keep what chooses above its column."""
        super().resizeEvent(event)
        self._place()

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Read the axes under the mouse."""
        words, spot = "", pointer(event)
        count = len(self._picture.parameters)
        for row in range(count):
            for column in range(count):
                cell = self.cell(row, column)
                if cell.contains(spot):
                    x = (spot.x() - cell.left()) / cell.width()
                    y = (cell.bottom() - spot.y()) / cell.height()
                    words = self._reader(row, column, self._at(column, x), self._at(row, y))
        self._cursor.setText(words)
        self._cursor.setVisible(bool(words))
        self._cursor.adjustSize()
        left = min(round(spot.x()) + 12, self.width() - self._cursor.width())
        above = round(spot.y()) - self._cursor.height() - 6
        self._cursor.move(max(left, 0), above if above >= 0 else round(spot.y()) + 14)
        self._cursor.raise_()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """Take the words at the mouse away."""
        super().leaveEvent(event)
        self._cursor.hide()

    def _place(self) -> None:
        count = len(self._picture.parameters)
        for column, head in enumerate(self._heads):
            head.setVisible(column < count)
            cell = self.cell(0, column)
            head.setGeometry(round(cell.left()), 0, round(cell.width()), self.theme.pixels(_HEAD) - 3)

    def _at(self, k: int, share: float) -> float:
        """Give the place on a parameter's axis at a share of what is visible of it."""
        low, high = self._picture.spans[k]
        return low + share * (high - low)

    def _share(self, k: int, place: float) -> float:
        low, high = self._picture.spans[k]
        return (place - low) / (high - low)

    def _paint_cell(self, painter: QtGui.QPainter, row: int, column: int) -> None:
        cell = self.cell(row, column)
        painter.save()
        painter.setClipRect(cell)
        if row == column:
            for curve in self._picture.curves.get(column, ()):
                self._paint_curve(painter, cell, column, curve)
        elif (row, column) in self._picture.maps:
            self._paint_map(painter, cell, row, column)
        self._paint_reference(painter, cell, row, column)
        painter.restore()
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.line), 1))
        painter.drawRect(cell)

    def _paint_curve(self, painter: QtGui.QPainter, cell: QtCore.QRectF, k: int, curve: Curve) -> None:
        low, high = self._picture.spans[k]
        xs = cell.left() + (curve.places - low) / (high - low) * cell.width()
        ys = cell.bottom() - np.clip(curve.heights, 0.0, 1.0) * 0.92 * cell.height()
        colour = QtGui.QColor(curve.colour)
        if not curve.is_filled:
            # Nothing is left to the clipping, which a vector file may not know.
            seen = (curve.places >= low) & (curve.places <= high)
            painter.setPen(QtGui.QPen(colour, 1.3, QtCore.Qt.PenStyle.DashLine))
            painter.drawPath(pg.arrayToQPath(xs[seen], ys[seen]))
            return
        foot = cell.bottom()
        xs = np.concatenate([[cell.left()] * 2, xs, [cell.right()] * 2])
        ys = np.concatenate([[foot, ys[0]], ys, [ys[-1], foot]])
        colour.setAlpha(150)
        painter.fillPath(pg.arrayToQPath(xs, ys), colour)

    def _paint_map(self, painter: QtGui.QPainter, cell: QtCore.QRectF, row: int, column: int) -> None:
        shown = self._picture.maps[row, column]
        left, right = (cell.left() + self._share(column, place) * cell.width() for place in shown.across)
        foot, top = (cell.bottom() - self._share(row, place) * cell.height() for place in shown.up)
        _paint_image(painter, shown.image, QtCore.QRectF(left, top, right - left, foot - top), cell)
        for (xs, ys), strength in zip(shown.outlines, (230, 130), strict=False):
            colour = QtGui.QColor(shown.colour)
            colour.setAlpha(strength)
            painter.setPen(QtGui.QPen(colour, 1))
            path = pg.arrayToQPath(left + xs * (right - left), foot - ys * (foot - top), connect="pairs")
            painter.drawPath(path)
        if shown.note:
            painter.setFont(self.theme.face(11, bold=True))
            words = cell.adjusted(4, 2, -4, -2)
            _outlined(painter, words, shown.note, self.theme)

    def _paint_reference(self, painter: QtGui.QPainter, cell: QtCore.QRectF, row: int, column: int) -> None:
        """Mark where the others are held: a ring, and on the diagonal a stroke at the foot."""
        reference = self._picture.reference
        if reference is None or not np.isfinite(reference[[row, column]]).all():
            return
        if not all(0.0 <= self._share(k, float(reference[k])) <= 1.0 for k in (row, column)):
            return
        x = cell.left() + self._share(column, float(reference[column])) * cell.width()
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.text), 1.5))
        if row == column:
            painter.drawLine(QtCore.QPointF(x, cell.bottom()), QtCore.QPointF(x, cell.bottom() - 7))
            return
        y = cell.bottom() - self._share(row, float(reference[row])) * cell.height()
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QtCore.QPointF(x, y), 3.0, 3.0)

    def _paint_wanting(self, painter: QtGui.QPainter, above: QtCore.QRectF) -> None:
        painter.setFont(self.theme.face(11))
        words = painter.boundingRect(above.adjusted(8, 4, -8, -4), _WRAPPED, self._picture.wanting)
        painter.fillRect(words.adjusted(-4, -2, 4, 2), QtGui.QColor(self.theme.panel))
        painter.setPen(QtGui.QColor(self.theme.quiet))
        painter.drawText(words, _WRAPPED, self._picture.wanting)

    def _paint_foot(self, painter: QtGui.QPainter, k: int) -> None:
        """Write numbers and name with unit under a column."""
        high = self.theme.pixels
        cell = self.cell(len(self._picture.parameters) - 1, k)
        painter.setPen(QtGui.QColor(self.theme.quiet))
        painter.setFont(self.theme.face(10))
        most = max(3, int(cell.width() / self.theme.pixels(40)))
        for place, number in ticks(self._picture.parameters[k], self._picture.spans[k], most):
            x = cell.left() + self._share(k, place) * cell.width()
            painter.drawLine(QtCore.QPointF(x, cell.bottom()), QtCore.QPointF(x, cell.bottom() + 3))
            wide = painter.fontMetrics().horizontalAdvance(number)
            left = min(max(x - wide / 2, cell.left() - _GAP), cell.right() + _GAP - wide)
            painter.drawText(QtCore.QRectF(left, cell.bottom() + 3, wide + 2, high(12)), _MIDDLE, number)
        below = QtCore.QRectF(cell.left(), cell.bottom() + high(15), cell.width(), high(14))
        painter.setFont(self.theme.face(11))
        painter.drawText(below, _MIDDLE, self._named(painter, k, cell.width()))

    def _paint_side(self, painter: QtGui.QPainter, k: int) -> None:
        """Write name and unit beside a row, and numbers where the row's first cell has its axis upwards."""
        cell, high = self.cell(k, 0), self.theme.pixels
        painter.setPen(QtGui.QColor(self.theme.quiet))
        if k:
            painter.setFont(self.theme.face(10))
            most = max(3, int(cell.height() / self.theme.pixels(24)))
            for place, number in ticks(self._picture.parameters[k], self._picture.spans[k], most):
                y = cell.bottom() - self._share(k, place) * cell.height()
                painter.drawLine(QtCore.QPointF(cell.left() - 3, y), QtCore.QPointF(cell.left(), y))
                y = min(max(y, cell.top() + 5), cell.bottom() - 5)
                left = cell.left() - 5 - high(_TICK)
                painter.drawText(QtCore.QRectF(left, y - high(6), high(_TICK), high(12)), _RIGHT, number)
        painter.save()
        painter.setFont(self.theme.face(11))
        painter.translate(high(7), cell.center().y())
        painter.rotate(-90)
        beside = QtCore.QRectF(-cell.height() / 2, -high(7), cell.height(), high(14))
        painter.drawText(beside, _MIDDLE, self._named(painter, k, cell.height()))
        painter.restore()

    def _named(self, painter: QtGui.QPainter, k: int, room: float) -> str:
        """Name a parameter with its unit, or by its name alone, where both have no room by its unit."""
        parameter = self._picture.parameters[k]
        unit = with_unit("", parameter.unit).strip()
        whole = f"{parameter.name} ({unit})" if unit else parameter.name
        for text in (whole, unit or parameter.name):
            if painter.fontMetrics().horizontalAdvance(text) <= room:
                return text
        elide = QtCore.Qt.TextElideMode.ElideRight
        return painter.fontMetrics().elidedText(unit or parameter.name, elide, int(room))


def _paint_image(painter: QtGui.QPainter, image: QtGui.QImage, whole: QtCore.QRectF, cell: QtCore.QRectF) -> None:
    """Paint what of an image lies in a cell; a vector file takes whole images only."""
    seen = whole.intersected(cell)
    if seen == whole or seen.isEmpty():
        painter.drawImage(seen, image)
        return
    across, up = (_FINE * size for size in (whole.width(), whole.height()))
    kept, smooth = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    fine = image.scaled(round(across), round(up), kept, smooth)
    part = seen.translated(-whole.topLeft())
    rect = QtCore.QRectF(_FINE * part.x(), _FINE * part.y(), _FINE * part.width(), _FINE * part.height())
    painter.drawImage(seen, fine.copy(rect.toRect()))


def _outlined(painter: QtGui.QPainter, where: QtCore.QRectF, text: str, theme: Theme) -> None:
    """Write a word that can be read on any shade."""
    painter.setPen(QtGui.QColor(theme.panel))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(where.translated(dx, dy), _TOP_RIGHT, text)
    painter.setPen(QtGui.QColor(theme.text))
    painter.drawText(where, _TOP_RIGHT, text)
