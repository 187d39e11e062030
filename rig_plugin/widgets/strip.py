"""This file is the strip: one number over time, the newest large, with its unit, its age and what is wrong with it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.balance import Balance
from rig_plugin.rule import Alarm
from rig_plugin.vital_sign import Grade, VitalSign
from rig_plugin.widgets.number import MISSING, age, fixed, places, with_unit
from rig_plugin.widgets.pointer import pointer
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, pg
from rig_plugin.widgets.theme import DARK, Theme
from rig_plugin.widgets.verdict import SIGNS as SHAPES

__all__ = ["Strip"]

_KEPT = 1000
_SHORTEST = 60.0
_HEAD, _VALUE = 14.0, 20.0
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
_SHAPE = {"warn": SHAPES["caution"], "stop": SHAPES["withheld"]}


class Strip(QtWidgets.QWidget):
    """A strip chart that paints itself, and only when what it shows has changed.

    A test that could not tell the number is a gap in the line and a dash in its place, never the last good value. An
    alarm is a shape, a word and a colour. Where a balance is given, the number is its median with the standard error,
    and a bar over the pulses that it rests on.

    Args:
        sign: What it shows.
        limits: Where rules begin, drawn where they are in sight.
        parent: Owner, as in Qt.
    """

    def __init__(
        self, sign: VitalSign, limits: Sequence[tuple[float, Grade]], parent: QtWidgets.QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.sign = sign
        self.theme: Theme = DARK
        self.age = ""
        self._limits = tuple(limits)
        self._points: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._alarm: Alarm | None = None
        self._told: Balance | None = None
        self.setMinimumSize(84, 50)
        self.setMouseTracking(True)
        self.setAccessibleName(sign.name)
        self._reset_tip()

    @property
    def words(self) -> str:
        """What stands on it: name, value, unit, alarm and age."""
        return " ".join(part for part in (self.sign.name, self._value(), self._word(), self.age) if part)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Times [s] and values that are kept, NaN where a test could not tell."""
        return tuple(self._points)

    def push(self, time: float, value: float, alarms: Sequence[Alarm], told: Balance | None = None) -> None:
        """Add the newest.

        Args:
            time: When it was measured [s].
            value: In the sign's unit, NaN or infinite where the test can't tell.
            alarms: Of the whole test; the first that is about this sign is shown.
            told: What this and the last pulses say together; it is shown in the place of the value.
        """
        self._told = told
        self._points.append((time, value if math.isfinite(value) else math.nan))
        self._alarm = next((alarm for alarm in alarms if alarm.rule in self.sign.rules), None)
        self._reset_tip()
        self.update()

    def grow_old(self, seconds: float) -> None:
        """Say how old the newest is; paints where that reads another way than before.

        Args:
            seconds: Since it was measured [s].
        """
        told = age(seconds) if self._points else ""
        if told != self.age:
            self.age = told
            self.update()

    def clear(self) -> None:
        """Forget all."""
        self._points.clear()
        self._alarm, self._told, self.age = None, None, ""
        self._reset_tip()
        self.update()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.theme = theme
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw it."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        width = float(self.width())
        head, number = self.theme.pixels(_HEAD), self.theme.pixels(_VALUE)
        painter.setPen(QtGui.QColor(self.theme.quiet))
        painter.setFont(self.theme.face(11))
        painter.drawText(QtCore.QRectF(0, 0, width, head), _LEFT, self.sign.name)
        painter.setFont(self.theme.face(10))
        painter.drawText(QtCore.QRectF(0, 0, width - 2, head), _RIGHT, self.age)
        self._paint_value(painter, QtCore.QRectF(0, head, width, number))
        place = QtCore.QRectF(0, head + number + 2, width - 4, self.height() - head - number - 4)
        if self._points and place.height() > 6:
            self._paint_line(painter, place)
        painter.end()

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Read the test under the mouse."""
        if not self._points:
            return
        begin, end = self._span()
        here = begin + (end - begin) * pointer(event).x() / max(self.width() - 4, 1)
        time, value = min(self._points, key=lambda point: abs(point[0] - here))
        before = self._points[-1][0] - time
        when = "the newest" if before <= 0 else f"{age(before).removesuffix(' ago')} before the newest"
        self._reset_tip(f"{with_unit(fixed(value, self.sign.decimals), self.sign.unit)}, {when}\n")

    def _paint_value(self, painter: QtGui.QPainter, place: QtCore.QRectF) -> None:
        theme = self.theme
        tone = theme.text
        if self._alarm is not None:
            tone = theme.danger if self._alarm.grade == "stop" else theme.caution
        elif not self._points or math.isnan(self._points[-1][1]):
            tone = theme.quiet
        painter.setPen(QtGui.QColor(tone))
        x = 0.0
        words = (self._number(), self._error(), self.sign.unit, self._word())
        shown = zip(words, (16, 10, 10, 10), (True, False, False, True), strict=True)
        for text, size, is_bold in (part for part in shown if part[0]):
            font = theme.face(size, bold=is_bold)
            painter.setFont(font)
            painter.drawText(place.adjusted(x, 0, 0, 0), _LEFT, text)
            x += QtGui.QFontMetricsF(font).horizontalAdvance(text) + 3

    def _paint_line(self, painter: QtGui.QPainter, place: QtCore.QRectF) -> None:
        table = np.array(self._points)
        begin, end = self._span()
        low, high = self._room(table[:, 1])
        xs = place.left() + (table[:, 0] - begin) / (end - begin) * place.width()
        ys = place.bottom() - (table[:, 1] - low) / (high - low) * place.height()
        colours = {"warn": self.theme.caution, "stop": self.theme.danger}
        for limit, grade in self._limits:
            if low < limit < high:
                y = place.bottom() - (limit - low) / (high - low) * place.height()
                painter.setPen(QtGui.QPen(QtGui.QColor(colours[grade]), 1, QtCore.Qt.PenStyle.DashLine))
                painter.drawLine(QtCore.QPointF(place.left(), y), QtCore.QPointF(place.right(), y))
        # Smooth lines of a thousand points would take longer than a frame may.
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, len(self._points) < place.width())
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.past), 1))
        painter.drawPath(pg.arrayToQPath(xs, ys, connect="finite"))
        if self._told is not None:
            self._paint_median(painter, xs, place.bottom() - (self._told.median - low) / (high - low) * place.height())
        elif math.isfinite(ys[-1]):
            painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            painter.setPen(QtCore.Qt.PenStyle.NoPen)
            painter.setBrush(QtGui.QColor(self.theme.now))
            painter.drawEllipse(QtCore.QPointF(xs[-1], ys[-1]), 2.5, 2.5)

    def _paint_median(self, painter: QtGui.QPainter, xs: npt.NDArray[np.float64], y: float) -> None:
        """Draw the balance as a bar over the pulses that it rests on."""
        known = xs[[math.isfinite(value) for _, value in self._points]]
        first = known[-min(self._told.pulses if self._told else 1, known.size)]
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.now), 3))
        painter.drawLine(QtCore.QPointF(first, y), QtCore.QPointF(max(xs[-1], first + 3.0), y))

    def _span(self) -> tuple[float, float]:
        """Left and right edge: all that is kept, a minute at least."""
        begin, end = self._points[0][0], self._points[-1][0]
        return begin, max(end, begin + _SHORTEST)

    def _room(self, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
        """Lower and upper edge, so far apart that noise stays small."""
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        air = max(0.1 * (high - low), (self.sign.least - (high - low)) / 2)
        return low - air, high + air

    def _number(self) -> str:
        if self._told is not None:
            return fixed(self._told.median, self._decimals())
        return fixed(self._points[-1][1], self.sign.decimals) if self._points else MISSING

    def _error(self) -> str:
        return "" if self._told is None else f"±{fixed(self._told.error, self._decimals())}"

    def _decimals(self) -> int:
        """Of a balance: none where its error is as large as 1, for there is no room for more than is known."""
        if self._told is None or self._told.error >= 1.0:
            return 0
        return min(places(-self._told.error, self._told.error), self.sign.decimals)

    def _value(self) -> str:
        return with_unit(f"{self._number()} {self._error()}".strip(), self.sign.unit)

    def _word(self) -> str:
        return "" if self._alarm is None else f"{_SHAPE[self._alarm.grade]} {self.sign.rules[self._alarm.rule]}"

    def _reset_tip(self, here: str = "") -> None:
        alarm = "" if self._alarm is None else f"\n{self._alarm.said}"
        told, last = self._told, self._points[-1][1] if self._points else math.nan
        rests = ""
        if told is not None:
            alone = with_unit(fixed(last, self.sign.decimals), self.sign.unit)
            rests = f"\nMedian of {told.pulses}, with its standard error; the newest alone says {alone}."
        self.setToolTip(f"{here}{self.sign.meaning}{rests}{alarm}")
