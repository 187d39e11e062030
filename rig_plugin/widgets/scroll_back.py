"""This file is the scroll back: the whole session as it came, to be scrolled and zoomed, or followed as it grows."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from rig_plugin.feed import Live
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.chronicle import Chronicle, Flag
from rig_plugin.widgets.lanes import Lanes
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal, pg
from rig_plugin.widgets.sweep_view import room
from rig_plugin.widgets.theme import Theme

__all__ = ["ScrollBack"]

_SPAN = 30.0
_SHORTEST = 1e-3
_LEAST = {"response": 20.0, "command": 50.0}
_ABOVE = {"response": 0.12, "command": 0.0}
_LABELS, _LETTERS = 10, 20
_LETTER = 7.0


class _Curve(Protocol):
    def clear(self) -> None: ...

    def setData(self, x: object, y: object, *, connect: str, skipFiniteCheck: bool) -> None: ...


class ScrollBack(Lanes):
    """All channels on the time of the session; while it follows, the newest sample is at the right.

    A frame costs the same however long the session is: each lane reads the extremes of its pixels off a pyramid.

    Args:
        chronicle: What came.
        parent: Owner, as in Qt.
    """

    followed = Signal(bool)

    def __init__(self, chronicle: Chronicle, parent: QtWidgets.QWidget | None = None) -> None:
        self.chronicle = chronicle
        self.is_following = True
        self._curves: dict[str, Any] = {}
        self._flags: dict[str, tuple[Any, Any]] = {}
        self._ranges: dict[str, tuple[float, float]] = {}
        self._span = _SPAN
        self._is_drawing = False
        super().__init__("s", parent)
        chart = self.charts["response"]
        self._labels = [pg.TextItem(anchor=(0.0, 0.0)) for _ in range(_LABELS)]
        for label in self._labels:
            label.setVisible(False)
            chart.plot.addItem(label, ignoreBounds=True)
        chart.moved.connect(self._move)

    @property
    def rate(self) -> float:
        """Sampling rate [kHz]."""
        return self.chronicle.rate

    @property
    def visible(self) -> tuple[float, float]:
        """Left and right edge [s]."""
        return self.charts["response"].visible

    @property
    def names(self) -> tuple[str, ...]:
        """What stands beside the vertical lines, from the left."""
        return tuple(label.toPlainText() for label in self._labels if label.isVisible())

    def begin(self, live: Live) -> None:
        """Make lanes for the channels of a sweep.

        Args:
            live: The sweep as it comes in, of which the chronicle knows.
        """
        if self.arrange(live.stimulus.clamp, live.units):
            self.wear(self.theme)
        if not self.chronicle.flags(1e-9, self.chronicle.newest + 1.0):
            self._ranges.clear()

    def forget(self) -> None:
        """Begin anew with an empty chronicle."""
        self._ranges.clear()
        self._span = _SPAN
        self.arrange("current", {})
        self.follow()

    def follow(self) -> None:
        """Have the newest at the right, now and as it comes."""
        left, right = self.visible
        if not self.is_following:
            self._span = max(right - left, _SHORTEST)
        self._set_following(True)
        self.draw()

    def look(self, start: float, end: float) -> None:
        """Stand still on a stretch.

        Args:
            start: Left edge [s].
            end: Right edge [s].
        """
        self._set_following(False)
        self.charts["response"].plot.setXRange(start, max(end, start + _SHORTEST), padding=0)

    def pan(self, share: float) -> None:
        """Move what is visible.

        Args:
            share: How much of its width, to the right.
        """
        left, right = self.visible
        self.look(left + share * (right - left), right + share * (right - left))

    def zoom(self, factor: float) -> None:
        """Show more or less of the time, around the middle, or up to the newest while that is followed.

        Args:
            factor: By which the span grows.
        """
        left, right = self.visible
        if self.is_following:
            self._span = max((right - left) * factor, _SHORTEST)
            self.draw()
            return
        middle, half = (left + right) / 2, (right - left) / 2 * factor
        self.look(middle - half, middle + half)

    def draw(self) -> None:
        """Draw what is visible of what has come."""
        self.chronicle.follow()
        self._is_drawing = True
        if self.is_following:
            end = max(self.chronicle.newest, self._span)
            self.charts["response"].plot.setXRange(end - self._span, end, padding=0)
        left, right = self.visible
        for name, curve in self._curves.items():
            self._draw_lane(name, curve, left, right)
        self._draw_flags(left, right)
        for chart in self.charts.values():
            # Else each lane would be painted twice: its first painting finds out that it has moved.
            chart.plot.scene().prepareForPaint()
        self._is_drawing = False
        if self.cursors.is_shown:
            self.measured.emit()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        super().wear(theme)
        for curve in self._curves.values():
            curve.setPen(pg.mkPen(theme.now))
        for starts, marks in self._flags.values():
            starts.setPen(pg.mkPen(theme.past))
            marks.setPen(pg.mkPen(theme.caution, style=QtCore.Qt.PenStyle.DashLine))
        for label in self._labels:
            label.setColor(theme.quiet)
            label.setFont(theme.face(10))

    def at(self, name: str, time: float) -> float:
        """As of all lanes; times in s."""
        return self.chronicle.at(name, time)

    def mean(self, name: str, start: float, end: float) -> float:
        """As of all lanes; times in s."""
        return self.chronicle.mean(name, start, end)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Draw at the new width."""
        super().resizeEvent(event)
        self.draw()

    def _fill(self, name: str, chart: Chart) -> None:
        view = chart.plot.vb
        view.setMouseMode(pg.ViewBox.PanMode)
        view.setMouseEnabled(x=True, y=False)
        view.setLimits(xMin=-1.0)
        view.sigRangeChangedManually.connect(self._let_go)
        chart.reset.connect(self.follow)
        curve = self._curves[name] = pg.PlotCurveItem(pen=pg.mkPen(self.theme.now))
        chart.plot.addItem(curve, ignoreBounds=True)
        lines = self._flags[name] = tuple(pg.VTickGroup([], yrange=[0.0, 1.0]) for _ in range(2))
        for group in lines:
            group.setZValue(-5)
            chart.plot.addItem(group, ignoreBounds=True)

    def _drop(self, name: str) -> None:
        del self._curves[name], self._flags[name]
        self._ranges.pop(name, None)

    def _tip(self, name: str) -> str:
        more = "Wheel: zoom. Drag: scroll. Double click: the newest again. Hover: value. Right click: export."
        return f"{super()._tip(name)}\n{more}"

    def _let_go(self, *_: object) -> None:
        self._set_following(False)

    def _set_following(self, is_following: bool) -> None:
        if self.is_following != is_following:
            self.is_following = is_following
            self.followed.emit(is_following)

    def _move(self) -> None:
        """Draw where the mouse went to."""
        if not self._is_drawing:
            self.draw()

    def _draw_lane(self, name: str, curve: _Curve, left: float, right: float) -> None:
        if name not in self.chronicle.channels:
            curve.clear()
            return
        chart = self.charts[name]
        times, values = self.chronicle.envelope(name, left, right, chart.pixels)
        is_whole = not np.isnan(values).any()
        curve.setData(times, values, connect="all" if is_whole else "finite", skipFiniteCheck=is_whole)
        known = values if is_whole else values[np.isfinite(values)]
        if not known.size:
            return
        low, high = float(known.min()), float(known.max())
        before = self._ranges.get(name)
        # It grows at once, and shrinks only where most of it would be empty: nothing trembles as the trace goes by.
        if before is None or low < before[0] or high > before[1] or high - low < 0.2 * (before[1] - before[0]):
            found = room([(low, high)], _LEAST.get(name, 0.0), _ABOVE.get(name, 0.5))
            if found is not None and found != before:
                self._ranges[name] = found
                chart.plot.setYRange(*found, padding=0)

    def _draw_flags(self, left: float, right: float) -> None:
        flags = self.chronicle.flags(left, right)
        starts = [time for time, flag in flags if not flag.is_mark]
        marks = [time for time, flag in flags if flag.is_mark]
        for groups in self._flags.values():
            for group, times in zip(groups, (starts, marks), strict=True):
                if list(group.xvals) != times:
                    group.setXVals(times)
        top = self.charts["response"].plot.vb.viewRange()[1][1]
        written = self._legible(flags, left, right)
        for label, (time, text) in zip(self._labels, written, strict=False):
            label.setText(text)
            label.setPos(time, top)
            label.setVisible(True)
        for label in self._labels[len(written) :]:
            label.setVisible(False)

    def _legible(self, flags: list[tuple[float, Flag]], left: float, right: float) -> list[tuple[float, str]]:
        """Choose the names that have room, marks first."""
        pixel = (right - left) / self.charts["response"].pixels
        taken: list[tuple[float, float]] = []
        written = []
        for time, flag in sorted(flags, key=lambda each: (not each[1].is_mark, -each[0])):
            text = f"▾ {flag.name}" if flag.is_mark else flag.name
            text = text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
            end = time + (len(text) * self.theme.pixels(_LETTER) + 10) * pixel
            if end <= right and all(end <= first or last <= time for first, last in taken):
                taken.append((time, end))
                written.append((time, text))
                if len(written) == _LABELS:
                    break
        return sorted(written)
