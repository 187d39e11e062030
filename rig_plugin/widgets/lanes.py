"""This file is the lanes: response, command and further channels under one another, on one axis of time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.cursors import Cursors
from rig_plugin.widgets.measurement import Measured, laid_out
from rig_plugin.widgets.number import fixed, with_unit
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import DARK, Theme
from simulators.stimulus import Clamp

__all__ = ["Lanes"]

_SHARES = {"response": 7, "command": 3}
_SHARE = 2
_AXIS, _SPACE = 32, 2
_DENSE = 80.0
_UNITS: Mapping[Clamp, tuple[str, str]] = {"current": ("mV", "pA"), "voltage": ("pA", "mV")}
_PRECISION = 1


class Lanes(QtWidgets.QWidget):
    """One chart for each channel; they scroll and zoom together, and cursors lie over all of them.

    Args:
        unit: Of the time, "ms" or "s".
        parent: Owner, as in Qt.
    """

    measured = Signal()

    def __init__(self, unit: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self._time_unit = unit
        self._units: dict[str, str] = {}
        self._names: dict[str, QtWidgets.QLabel] = {}
        self.setMinimumHeight(120)
        self.charts: dict[str, Chart] = {}
        self.cursors = Cursors(self)
        self.cursors.moved.connect(self.measured)
        for name, unit_shown in zip(("response", "command"), _UNITS["current"], strict=True):
            self._add(name, unit_shown)
        self._seal()

    @property
    def rate(self) -> float:
        """Sampling rate of what is shown [kHz]."""
        return 1.0

    @property
    def further(self) -> tuple[str, ...]:
        """Names of the channels beside response and command."""
        return tuple(name for name in self.charts if name not in _SHARES)

    def arrange(self, clamp: Clamp, units: Mapping[str, str]) -> bool:
        """Have a lane for each channel.

        Args:
            clamp: That response and command are in.
            units: Unit of each further channel by its name.

        Returns:
            Whether lanes came or went.
        """
        for name, unit in zip(("response", "command"), _UNITS[clamp], strict=True):
            self._units[name] = unit
            self.charts[name].name(("", unit))
        wanted = {name: unit for name, unit in self._units.items() if name in _SHARES} | dict(units)
        if wanted == self._units:
            return False
        self.cursors.lie_over(())
        for name in self.further:
            chart = self.charts.pop(name)
            del self._units[name], self._names[name]
            self._drop(name)
            chart.hide()
            chart.deleteLater()
        for name, unit in units.items():
            self._add(name, unit)
        self._seal()
        return True

    def table(self) -> str:
        """Write what the cursors say of each channel.

        Returns:
            Lines of equal columns.
        """
        a, b = self.cursors.places
        rows = [
            Measured(name, unit, self.at(name, a), self.at(name, b), self.mean(name, min(a, b), max(a, b)))
            for name, unit in self._units.items()
        ]
        return laid_out(a, b, self._time_unit, self.rate, rows)

    def at(self, name: str, time: float) -> float:
        """Read a sample.

        Args:
            name: Of the channel.
            time: On the axis.

        Returns:
            The nearest sample; NaN where there is none.
        """
        raise NotImplementedError

    def mean(self, name: str, start: float, end: float) -> float:
        """Average samples.

        Args:
            name: Of the channel.
            start: Time of the first, on the axis.
            end: Time of the last.

        Returns:
            Their mean; NaN where there are none.
        """
        raise NotImplementedError

    def nudge(self, steps: float) -> None:
        """Move the chosen cursor.

        Args:
            steps: How many pixels to the right, but at least so many samples.
        """
        chart = self.charts["response"]
        left, right = chart.visible
        sample = 1.0 / self.rate if self._time_unit == "ms" else 1e-3 / self.rate
        self.cursors.nudge(steps * max((right - left) / chart.pixels, sample))

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Share out what there is."""
        super().resizeEvent(event)
        self._share_out()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.theme = theme
        for chart in self.charts.values():
            chart.wear(theme)
        for label in self._names.values():
            label.setStyleSheet(f"font-size: {theme.pixels(12)}px; color: {theme.quiet};")
            label.adjustSize()
            label.move(theme.pixels(52), 0)
        self._seal_axis()
        self.cursors.wear(theme)

    def _add(self, name: str, unit: str) -> None:
        chart = Chart(("", ""), ("", ""), parent=self)
        self.charts[name], self._units[name] = chart, unit
        if name != "response":
            chart.plot.setXLink(self.charts["response"].plot)
        if name not in _SHARES:
            label = self._names[name] = QtWidgets.QLabel(with_unit(name, f"({unit})" if unit else ""), chart)
            label.setObjectName("quiet")
            label.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            chart.plot.getAxis("left").setStyle(maxTickLevel=0)
        chart.reader = partial(self._read, name)
        chart.wear(self.theme)
        self._fill(name, chart)

    def _seal(self) -> None:
        """Have the numbers of the axis under the lowest lane, and the cursors over all."""
        lowest = next(reversed(self.charts.values()))
        for (name, unit), chart in zip(self._units.items(), self.charts.values(), strict=True):
            # A low lane has no room for a unit that stands upright.
            upright = ("", unit if name in _SHARES else "")
            chart.name(upright, ("time", self._time_unit) if chart is lowest else ("", ""))
            chart.setToolTip(self._tip(name))
            chart.show()
        self.cursors.lie_over(tuple(self.charts.values()))
        self._seal_axis()

    def _seal_axis(self) -> None:
        """Give the axis of time its height, in letters of the size that is worn."""
        *upper, lowest = self.charts.values()
        for chart in upper:
            chart.plot.getAxis("bottom").setStyle(showValues=False)
            chart.plot.getAxis("bottom").setHeight(0)
        lowest.plot.getAxis("bottom").setStyle(showValues=True)
        lowest.plot.getAxis("bottom").setHeight(self.theme.pixels(_AXIS))
        self._share_out()

    def _share_out(self) -> None:
        """Put the lanes under one another, each with its share of the height, whether or not the axis is under it."""
        axis = self.theme.pixels(_AXIS)
        height = self.height() - axis
        whole = sum(_SHARES.get(name, _SHARE) for name in self.charts)
        top, share = 0.0, 0
        for name, chart in self.charts.items():
            share += _SHARES.get(name, _SHARE)
            bottom = height * share / whole
            below = axis if share == whole else 0
            chart.setGeometry(0, round(top), self.width(), round(bottom) - round(top) - _SPACE + below)
            chart.plot.getAxis("left").setTickDensity(min(1.0, (bottom - top) / _DENSE))
            top = bottom

    def _read(self, name: str, time: float, _: float) -> str:
        decimals = 1 if self._time_unit == "ms" else 3
        value = self.at(name, time)
        said = f"{fixed(time, decimals)} {self._time_unit}"
        return said if value != value else f"{said}  {fixed(value, _PRECISION)} {self._units[name]}".rstrip()

    def _fill(self, name: str, chart: Chart) -> None:
        """Put curves on a new lane."""

    def _drop(self, name: str) -> None:
        """Forget the curves of a lane that goes."""

    def _tip(self, name: str) -> str:
        """Explain a lane."""
        return f"{name}, as recorded, in {self._units[name] or 'a unit that nobody says'}."
