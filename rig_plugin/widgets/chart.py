"""This file is the chart: axes that answer the mouse and wear the theme; panels put curves on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from rig_plugin.widgets.number import significant, with_unit
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal, pg
from rig_plugin.widgets.theme import DARK, Theme, lettered

__all__ = ["Chart"]


class _Click(Protocol):
    def double(self) -> bool: ...


_WIDE, _EDGE = 200, 0.15


class Chart(QtWidgets.QWidget):
    """Axes in which the mouse reads values (hover), zooms (drag), resets (double click) and exports (right click).

    Args:
        x: Name and unit of the horizontal axis.
        y: Name and unit of the vertical axis.
        axis: The vertical axis itself, where it is a special one.
        parent: Owner, as in Qt.
    """

    reset = Signal()
    moved = Signal()

    def __init__(
        self,
        x: tuple[str, str],
        y: tuple[str, str],
        axis: object = None,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._x, self._y = x, y
        self._view = pg.PlotWidget(axisItems={"left": axis} if axis is not None else None)
        self._view.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._view.viewport().setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
        self.plot: Any = self._view.getPlotItem()
        self.is_zoomed = False
        self.reader: Callable[[float, float], str] = self._read
        self._cursor = QtWidgets.QLabel("", self)
        self._cursor.setObjectName("figures")
        lettered(self._cursor, 11)
        self._cursor.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self._theme = DARK
        self._prepare()
        self.wear(DARK)

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        self._view.setBackground(theme.panel)
        # Its last column may be a part of a pixel, which would shine through in white.
        self._view.viewport().setPalette(theme.palette())
        self.plot.getAxis("left").setWidth(theme.pixels(46))
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(pg.mkPen(theme.past))
            axis.setTextPen(pg.mkPen(theme.quiet))
            axis.setStyle(tickFont=theme.face(10), tickLength=-4)
            self._label(side)

    def name(self, y: tuple[str, str], x: tuple[str, str] | None = None) -> None:
        """Rename the axes.

        Args:
            y: Name and unit of the vertical one.
            x: Name and unit of the horizontal one; None leaves it as it is.
        """
        if y != self._y:
            self._y = y
            self._label("left")
        if x is not None and x != self._x:
            self._x = x
            self._label("bottom")

    def leave(self) -> None:
        """Let go of the zoom."""
        self.is_zoomed = False
        self.reset.emit()

    def span(self, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> None:
        """Set what is visible, unless the mouse has chosen something else.

        Args:
            x: Left and right edge.
            y: Lower and upper edge.
        """
        if self.is_zoomed:
            return
        if x is not None:
            self.plot.setXRange(*x, padding=0)
        if y is not None:
            self.plot.setYRange(*y, padding=0)

    @property
    def pixels(self) -> int:
        """Width of what is visible."""
        return max(int(self.plot.vb.width()), 1)

    @property
    def visible(self) -> tuple[float, float]:
        """Left and right edge of what is visible."""
        low, high = self.plot.vb.viewRange()[0]
        return float(low), float(high)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Keep the cursor's words in the corner, and as many numbers under the chart as have room there."""
        super().resizeEvent(event)
        self._space()
        wide = self._theme.pixels(224)
        self._cursor.setGeometry(self.width() - wide - 6, 1, wide, self._theme.pixels(16))
        self._cursor.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight)

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """Take the cursor's words away."""
        super().leaveEvent(event)
        self._cursor.setText("")

    def _space(self) -> None:
        """Have as many numbers under the chart as have room there, in a narrow one the fewest that tell a scale."""
        axis = self.plot.getAxis("bottom")
        axis.setTickDensity(min(1.0, self.width() / 400.0))
        low, high = self.visible
        if self.width() > _WIDE or not high > low:
            axis.setTickSpacing()
            return
        power = 10.0 ** math.floor(math.log10(high - low))
        # A number too near to an end has no room and is left out.
        low, high = low + _EDGE * (high - low), high - _EDGE * (high - low)
        steps = (share * power for share in (5.0, 4.0, 2.0, 1.0, 0.5, 0.4, 0.2))
        axis.setTickSpacing(levels=[(next(s for s in steps if high // s - -(-low // s) >= 1.0), 0.0)])

    def _prepare(self) -> None:
        self.plot.hideButtons()
        # The panel has a menu; there would be two.
        self.plot.setMenuEnabled(False)
        self.plot.showGrid(x=True, y=True, alpha=0.10)
        self.plot.vb.setMouseMode(pg.ViewBox.RectMode)
        self.plot.disableAutoRange()
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self.plot.vb.sigRangeChangedManually.connect(self._zoomed)
        self.plot.vb.sigRangeChanged.connect(lambda *_: self.moved.emit())
        self.plot.vb.sigXRangeChanged.connect(lambda *_: self._space())
        self.plot.vb.sigResized.connect(lambda *_: self.moved.emit())
        scene = self.plot.scene()
        scene.sigMouseMoved.connect(self._hovered)
        scene.sigMouseClicked.connect(self._clicked)

    def _label(self, side: str) -> None:
        name, unit = self._x if side == "bottom" else self._y
        text = f"{name} ({unit})" if name and unit else name or unit
        axis = self.plot.getAxis(side)
        axis.setLabel(text or None, **{"color": self._theme.quiet, "font-size": f"{self._theme.pixels(11)}px"})
        axis.showLabel(bool(text))

    def _zoomed(self, *_: object) -> None:
        self.is_zoomed = True

    def _hovered(self, place: object) -> None:
        if not self.plot.vb.sceneBoundingRect().contains(place):
            self._cursor.setText("")
            return
        point = self.plot.vb.mapSceneToView(place)
        self._cursor.setText(self.reader(point.x(), point.y()))

    def _clicked(self, event: _Click) -> None:
        if event.double():
            self.leave()

    def _read(self, x: float, y: float) -> str:
        return f"{with_unit(significant(x), self._x[1])}  {with_unit(significant(y), self._y[1])}"
