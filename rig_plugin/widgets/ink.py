"""This file is the ink: what stands inside a chart's axes, drawn in pixels for a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, pg

__all__ = ["Ink", "inked"]

_PIECE = 32
"""Points; smooth lines take Qt's painter twenty times as long where a thousand points are one piece."""


@dataclass(frozen=True, eq=False)
class Ink:
    """The inside of a chart, which nothing of it leaves.

    Args:
        frame: Where the inside lies on the panel [pixels].
        origin: Where the chart's own pixels begin on the panel.
        whole: What is drawn, in the chart's own pixels, each curve in one piece.
        short: The same with curves in many pieces.
    """

    frame: QtCore.QRectF
    origin: QtCore.QPointF
    whole: QtGui.QPicture
    short: QtGui.QPicture


class _Pen:
    """A painter that draws curves in pixels instead of in units of the axes.

    A vector file keeps six digits, which are too few for a millisecond after an hour; and a line that is wide in
    pixels grows with the figure, as letters do.
    """

    def __init__(self, painter: QtGui.QPainter, is_short: bool) -> None:
        self._painter, self._is_short = painter, is_short

    def __getattr__(self, name: str) -> object:
        attribute: object = getattr(self._painter, name)
        return attribute

    def drawPath(self, path: QtGui.QPainterPath) -> None:
        """Draw a curve that is given in units of the axes."""
        painter = self._painter
        turned, pen = painter.transform().map(path), QtGui.QPen(painter.pen())
        pen.setCosmetic(False)
        painter.save()
        painter.resetTransform()
        painter.setPen(pen)
        if self._is_short and pen.style() == QtCore.Qt.PenStyle.SolidLine:
            for polygon in turned.toSubpathPolygons():
                points = [polygon[k] for k in range(len(polygon))]
                for first in range(0, len(points) - 1, _PIECE):
                    painter.drawPolyline(QtGui.QPolygonF(points[first : first + _PIECE + 1]))
        else:
            painter.drawPath(turned)
        painter.restore()


def inked(view: pg.PlotWidget, panel: QtWidgets.QWidget) -> Ink:
    """Draw the inside of a chart.

    Args:
        view: pyqtgraph's plot.
        panel: On which it stands.

    Returns:
        What is drawn; hidden items are left out.
    """
    scene, box = view.scene(), view.getPlotItem().vb
    scene.prepareForPaint()
    items = [
        item
        for item in scene.items(QtCore.Qt.SortOrder.AscendingOrder)
        if box.childGroup.isAncestorOf(item)
        and item.isVisible()
        and item.effectiveOpacity() > 0
        and not item.flags() & item.GraphicsItemFlag.ItemHasNoContents
    ]
    origin = QtCore.QPointF(view.viewport().mapTo(panel, QtCore.QPoint(0, 0)))
    frame = box.sceneBoundingRect().translated(origin)
    return Ink(frame, origin, _drawn(items, is_short=False), _drawn(items, is_short=True))


def _drawn(items: Sequence[pg.GraphicsObject], *, is_short: bool) -> QtGui.QPicture:
    """Draw items over one another."""
    picture = QtGui.QPicture()
    painter = QtGui.QPainter(picture)
    option = QtWidgets.QStyleOptionGraphicsItem()
    for item in items:
        # Symbols come as small images otherwise.
        is_own = hasattr(item, "setExportMode")
        if is_own:
            item.setExportMode(True, {"antialias": True})
        painter.save()
        painter.setTransform(item.sceneTransform())
        painter.setOpacity(item.effectiveOpacity())
        option.exposedRect = item.boundingRect()
        item.paint(_Pen(painter, is_short) if isinstance(item, pg.PlotCurveItem) else painter, option, None)
        painter.restore()
        if is_own:
            item.setExportMode(False)
    painter.end()
    return picture
