"""This file is the marginal: one parameter's row, its density over the prior and what it comes to in numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rig_plugin.change import Change, change
from rig_plugin.widgets import density
from rig_plugin.widgets.number import MISSING, interval, quantiles, significant, with_unit
from rig_plugin.widgets.pointer import pointer
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal, pg
from rig_plugin.widgets.theme import DARK, Theme
from simulators.parameter import Parameter

__all__ = ["Marginal"]

_NAME, _CHANGE, _NUMBERS, _RANGE, _GAP = 92, 48, 92, 100, 10
_LONG_UNIT = 7
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
_Draws = npt.NDArray[np.float64]


class Marginal(QtWidgets.QWidget):
    """One row: name, density as a fill over the grey prior, a thin line one sweep ago, what changed, the numbers.

    Without draws it shows the prior alone and no number. All densities of a row share one height, so that a
    fill as tall as the prior is wide has learnt what it looks like.

    Args:
        parameter: What it shows.
        parent: Owner, as in Qt.
    """

    chosen = Signal(str)

    def __init__(self, parameter: Parameter, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.theme: Theme = DARK
        self.is_chosen = False
        self.numbers: tuple[str, str, str] = (MISSING, "", "")
        self._prior = density.prior(parameter)
        self._now: _Draws | None = None
        self._before: _Draws | None = None
        self._shown: _Draws | None = None
        self._refined: _Draws | None = None
        self._refined_said = ""
        self._median = 0.0
        self._derived = ""
        self.changed = Change(None, None)
        self.setMouseTracking(True)
        self.setAccessibleName(parameter.name)
        self._reset_tip()

    @property
    def has_posterior(self) -> bool:
        """Whether anything but the prior is drawn."""
        return self._now is not None

    @property
    def has_previous(self) -> bool:
        """Whether the line of one sweep ago is drawn."""
        return self._before is not None

    def show_draws(self, draws: _Draws | None, before: _Draws | None, cell: _Draws | None) -> None:
        """Draw a marginal, or the prior alone.

        Args:
            draws: Samples now, shape (s,), in the parameter's unit; None withholds them.
            before: Samples one sweep ago, or None.
            cell: The same as `draws` for the whole cell [nS], or None where that has no meaning.
        """
        last, self._before, self.changed = self._shown, None, Change(None, None)
        if before is not None and draws is not None:
            self.changed = change(density.position(self.parameter, before), density.position(self.parameter, draws))
            # As a rule what is one sweep ago now was shown then.
            is_known = last is not None and np.array_equal(last, before)
            self._before = self._now if is_known else density.drawn(self.parameter, before)
        self._now = None if draws is None else density.drawn(self.parameter, draws)
        self._shown = draws
        self.numbers = (MISSING, "", "")
        self._derived = ""
        if draws is not None:
            self._median = quantiles(draws, (0.5,))[0]
            median, ends = interval(draws)
            unit = self.parameter.unit
            is_long = len(unit) > _LONG_UNIT
            self.numbers = (median, ends, unit) if is_long else (with_unit(median, unit), ends, "")
            if cell is not None:
                whole, whole_ends = interval(cell)
                self.numbers = (f"{whole} nS", whole_ends, f"{median} nS/pF")
        self._reset_tip()
        self.update()

    @property
    def has_refined(self) -> bool:
        """Whether the dashed line of the refined posterior is drawn."""
        return self._refined is not None

    def show_refined(self, draws: _Draws | None) -> None:
        """Draw the refined marginal over the other, dashed, and tell its numbers in the tip.

        Args:
            draws: Samples, shape (s,), in the parameter's unit; None takes it away.
        """
        self._refined, self._refined_said = None, ""
        if draws is not None:
            self._refined = density.drawn(self.parameter, draws)
            median, ends = interval(draws)
            self._refined_said = f"Refined: median {with_unit(median, self.parameter.unit)}, 90 % interval {ends}"
        self._reset_tip()
        self.update()

    def tell(self, draws: _Draws, short: str, long: str) -> None:
        """Tell a quantity that follows from this parameter: its median beneath it, all of it in its tip.

        Args:
            draws: Samples, shape (s,), in the parameter's unit.
            short: What follows its median.
            long: What it is called in the tip.
        """
        median, ends = interval(draws)
        value = with_unit(median, self.parameter.unit)
        self.numbers = (*self.numbers[:2], f"{value} {short}")
        self._derived = f"{long}: median {value}, 90 % interval {ends}"
        self._reset_tip()
        self.update()

    def qualify(self, short: str, long: str) -> None:
        """Say of the numbers what they are the numbers of: beneath them in a word, in the tip as a sentence.

        Args:
            short: What stands beneath the median.
            long: The sentence.
        """
        self.numbers = (*self.numbers[:2], short)
        self._derived = long
        self._reset_tip()
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw the row."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if self.is_chosen:
            shade = QtGui.QColor(self.theme.line)
            shade.setAlpha(140)
            painter.fillRect(self.rect(), shade)
        strip = self._strip()
        self._paint_densities(painter, strip)
        self._paint_words(painter, strip)
        painter.end()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Choose this parameter."""
        self.chosen.emit(self.parameter.name)

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Read the axis under the mouse."""
        strip = self._strip()
        place = (pointer(event).x() - strip.left()) / strip.width()
        if 0 <= place <= 1:
            here = significant(density.value(self.parameter, place))
            self.setToolTip(f"{with_unit(here, self.parameter.unit)} here\n{self._about()}")
        else:
            self._reset_tip()

    def _strip(self) -> QtCore.QRectF:
        name, right = self.theme.pixels(_NAME), self.theme.pixels(_CHANGE + _NUMBERS + _RANGE) + 2 * _GAP
        return QtCore.QRectF(name, 3, max(self.width() - name - right, 20), self.height() - 6)

    def _paint_densities(self, painter: QtGui.QPainter, strip: QtCore.QRectF) -> None:
        curves = [each for each in (self._prior, self._now, self._before, self._refined) if each is not None]
        top = max(float(curve.max()) for curve in curves) * 1.05
        top = max(top, 1.6)
        grey = QtGui.QColor(self.theme.past)
        grey.setAlpha(80)
        painter.fillPath(_outline(strip, self._prior / top, closed=True), grey)
        if self._now is not None:
            fill = QtGui.QColor(self.theme.now)
            fill.setAlpha(150)
            painter.fillPath(_outline(strip, self._now / top, closed=True), fill)
        if self._before is not None:
            painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.quiet), 1))
            painter.drawPath(_outline(strip, self._before / top, closed=False))
        if self._refined is not None:
            painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.text), 1.5, QtCore.Qt.PenStyle.DashLine))
            painter.drawPath(_outline(strip, self._refined / top, closed=False))
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.past), 1))
        painter.drawLine(strip.bottomLeft(), strip.bottomRight())
        if self._now is not None:
            place = float(density.position(self.parameter, np.array(self._median)))
            x = strip.left() + strip.width() * min(max(place, 0.0), 1.0)
            painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.text), 1.5))
            painter.drawLine(QtCore.QPointF(x, strip.top() + 2), QtCore.QPointF(x, strip.bottom()))

    def _paint_words(self, painter: QtGui.QPainter, strip: QtCore.QRectF) -> None:
        height, pixels = float(self.height()), self.theme.pixels
        numbers, reach = pixels(_NUMBERS), pixels(_RANGE)
        painter.setPen(QtGui.QColor(self.theme.text))
        painter.setFont(self.theme.face(12))
        painter.drawText(QtCore.QRectF(4, 0, pixels(_NAME) - 8, height), _LEFT, self.parameter.name)
        value, ends, under = self.numbers
        self._paint_change(painter, QtCore.QRectF(strip.right() + _GAP, 0, pixels(_CHANGE), height))
        painter.setPen(QtGui.QColor(self.theme.text))
        left = strip.right() + 2 * _GAP + pixels(_CHANGE)
        painter.setFont(self.theme.face(12, bold=self.has_posterior))
        if not self.has_posterior:
            painter.setPen(QtGui.QColor(self.theme.quiet))
        first = QtCore.QRectF(left, 0, numbers, height)
        is_tall = bool(under) and height >= pixels(27)
        if is_tall:
            first.setHeight(height / 2 + 2)
        painter.drawText(first, _LEFT, value)
        painter.setPen(QtGui.QColor(self.theme.quiet))
        if is_tall:
            painter.setFont(self.theme.face(10))
            painter.drawText(first.translated(0, height / 2 - 2), _LEFT, under)
        painter.setFont(self.theme.face(11))
        if self.has_posterior:
            painter.drawText(QtCore.QRectF(left + numbers, 0, reach, height), _LEFT, ends)
        else:
            whole = QtCore.QRectF(left + 16, 0, numbers + reach - 16, height)
            painter.drawText(whole, _LEFT, self._bounds())

    def _paint_change(self, painter: QtGui.QPainter, place: QtCore.QRectF) -> None:
        """Write what changed with the newest sweep, quietly, a line each."""
        marks = self.changed.marks
        painter.setPen(QtGui.QColor(self.theme.quiet))
        painter.setFont(self.theme.face(10))
        for k, mark in enumerate(marks):
            line = place.height() / len(marks)
            painter.drawText(QtCore.QRectF(place.left(), k * line, place.width(), line), _RIGHT, mark)

    def _bounds(self) -> str:
        p = self.parameter
        return with_unit(f"{p.low:g} to {p.high:g}".replace("-", "−"), p.unit)

    def _about(self) -> str:
        p = self.parameter
        shape = {"linear": "uniform", "log": "log-uniform", "normal": "normal"}[p.scale]
        lines = [p.meaning] if p.meaning else []
        value, ends, under = self.numbers
        if ends:
            beside = f" ({under})" if under and not self._derived else ""
            lines.append(f"Median {value}, 90 % interval {ends}{beside}")
        if self._derived:
            lines.append(self._derived)
        if self._refined_said:
            lines.append(self._refined_said)
        if self.changed.sentence:
            lines.append(f"With the newest sweep: {self.changed.sentence}.")
        lines.append(f"Prior: {shape}, {self._bounds()}")
        return "\n".join(lines)

    def _reset_tip(self) -> None:
        self.setToolTip(self._about() + "\nClick: follow it over the sweeps.")


def _outline(strip: QtCore.QRectF, heights: _Draws, closed: bool) -> QtGui.QPainterPath:
    """Lay a density along a strip; heights are fractions of it, and a closed path stands on its foot."""
    xs = strip.left() + (np.arange(heights.size) + 0.5) / heights.size * strip.width()
    ys = strip.bottom() - np.clip(heights, 0, 1) * strip.height()
    if closed:
        left, right, foot = strip.left(), strip.right(), strip.bottom()
        xs = np.concatenate([[left, left], xs, [right, right]])
        ys = np.concatenate([[foot, ys[0]], ys, [ys[-1], foot]])
    path: QtGui.QPainterPath = pg.arrayToQPath(xs, ys)
    return path
