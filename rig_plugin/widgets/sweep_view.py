"""This file is the sweep view: the live sweep over the last five, with the stimulus under it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from rig_plugin.feed import Live
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.lanes import Lanes
from rig_plugin.widgets.qt import QtCore, QtWidgets, pg
from rig_plugin.widgets.stimulus_text import planned
from rig_plugin.widgets.theme import Theme
from rig_plugin.widgets.trace import Trace
from simulators.stimulus import Clamp
from simulators.sweep import Sweep

__all__ = ["PAST", "SweepView", "crossings", "room"]

PAST = 5
_LEVEL = -20.0
_LEAST = {"response": 20.0, "command": 50.0}
_NOTHING = np.empty(0)

Array = npt.NDArray[np.float64]


def crossings(response: Array, rate: float) -> Array:
    """Find where a voltage rises through -20 mV: marks for the eye, the feature table counts by its own definition.

    Args:
        response: Voltage, shape (n,) [mV].
        rate: Sampling rate [kHz].

    Returns:
        Times, shape (k,) [ms].
    """
    above = response > _LEVEL
    return np.asarray((np.flatnonzero(above[1:] & ~above[:-1]) + 1) / rate)


class SweepView(Lanes):
    """The trace as it comes, bright, over the last five sweeps, faint, with the command on the same time axis.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        self._traces: dict[str, Trace] = {}
        self._clamp: Clamp = "current"
        self._duration = 1000.0
        self._next: Mapping[str, Any] | None = None
        self._past: deque[tuple[Array, float, tuple[float, float] | None]] = deque(maxlen=PAST)
        self._overlay: Overlay | None = None
        super().__init__("ms", parent)

    @property
    def rate(self) -> float:
        """Sampling rate of the bright trace [kHz]."""
        return self._traces["response"].rate if self.shown.size else self._traces["command"].rate

    @property
    def shown(self) -> Array:
        """The bright trace, shape (n,); empty where there is none."""
        return self._traces["response"].samples

    @property
    def past(self) -> int:
        """How many sweeps lie faintly behind it."""
        return len(self._past)

    @property
    def overlaid(self) -> Overlay | None:
        """The band behind it, or None where there is none."""
        return self._overlay

    def begin(self, live: Live) -> None:
        """Make room for a sweep: what was bright becomes faint.

        Args:
            live: The sweep as it comes in.
        """
        self.retire()
        self._clamp, self._duration, self._next = live.stimulus.clamp, live.stimulus.duration, None
        if self.arrange(self._clamp, live.units):
            self.wear(self.theme)
        self._traces["command"].show(live.stimulus.command(live.rate), live.rate)
        self.draw()

    def grow(self, live: Live) -> None:
        """Draw what came.

        Args:
            live: The same sweep.
        """
        self._traces["response"].show(live.response, live.rate)
        for name, samples in live.others.items():
            if name in self._traces:
                self._traces[name].show(samples, live.rate)
        self._frame()

    def end(self, sweep: Sweep, following: Mapping[str, Any] | None) -> None:
        """Show a sweep that is over.

        Args:
            sweep: As it was read.
            following: The next stimulus, as a trial has it.
        """
        self._next = following
        self._clamp, self._duration = sweep.clamp, sweep.response.size / sweep.rate
        self._traces["response"].show(sweep.response, sweep.rate)
        command = sweep.command
        if command is None:
            command = sweep.stimulus.command(sweep.rate) if sweep.stimulus else _NOTHING
        self._traces["command"].show(command, sweep.rate)

    def plan(self, following: Mapping[str, Any]) -> None:
        """Show another next stimulus than was known when the sweep ended.

        Args:
            following: As a trial has it.
        """
        self._next = following
        self._dash()
        self._frame()

    def _dash(self) -> None:
        plan = planned(self._next)
        self._planned.setData(*(plan if plan else ([], [])))

    def retire(self) -> None:
        """Make the bright trace a faint one."""
        if self.shown.size:
            self._past.append((self.shown, self._traces["response"].rate, _ends(self.shown)))
        for name, trace in self._traces.items():
            if name != "command":
                trace.show(_NOTHING, 1.0)
        self.shade(None)

    def empty(self) -> None:
        """Show no command either."""
        self.retire()
        self._traces["command"].show(_NOTHING, 1.0)

    def forget(self) -> None:
        """Forget all sweeps."""
        self.empty()
        self._past.clear()
        self._next = None
        self.arrange(self._clamp, {})

    def shade(self, overlay: Overlay | None) -> None:
        """Draw the band, or take it away; only when it changes, not with every block that comes.

        Args:
            overlay: The band, or None.
        """
        if overlay is self._overlay:
            return
        self._overlay = overlay
        # Between edges that have become empty, the fill would stay as it was.
        self._band.setVisible(overlay is not None)
        ends = (_NOTHING, _NOTHING) if overlay is None else (overlay.low, overlay.high)
        for edge, end in zip(self._edges, ends, strict=True):
            edge.setData(_NOTHING if overlay is None else overlay.times, end)
        if overlay is not None:
            self._frame()

    def draw(self) -> None:
        """Draw all."""
        has_sweep = self._traces["command"].samples.size + self.shown.size > 0
        for chart in self.charts.values():
            chart.setVisible(has_sweep)
        for age, trace in enumerate(self._faint):
            trace.show(*(self._past[-1 - age][:2] if age < len(self._past) else (_NOTHING, 1.0)))
        self.arrange(self._clamp, {name: self._units[name] for name in self.further})
        self._dash()
        self.charts["response"].span(x=(0.0, self._duration))
        self._frame()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        super().wear(theme)
        for age, trace in enumerate(self._faint):
            colour = pg.mkColor(theme.past)
            colour.setAlpha(150 - 22 * age)
            trace.wear(pg.mkPen(colour))
        for trace in self._traces.values():
            trace.wear(pg.mkPen(theme.now))
        shade = pg.mkColor(theme.now)
        shade.setAlpha(60)
        self._band.setBrush(pg.mkBrush(shade))
        for edge in self._edges:
            edge.setPen(pg.mkPen(None))
        self._planned.setPen(pg.mkPen(theme.quiet, style=QtCore.Qt.PenStyle.DashLine))
        self._ticks.setPen(pg.mkPen(theme.text))

    def at(self, name: str, time: float) -> float:
        """As of all lanes; times in ms."""
        trace = self._traces[name]
        place = round(time * trace.rate)
        return float(trace.samples[place]) if 0 <= place < trace.samples.size else float("nan")

    def mean(self, name: str, start: float, end: float) -> float:
        """As of all lanes; times in ms."""
        trace = self._traces[name]
        first, last = (round(time * trace.rate) for time in (start, end))
        if first < 0 or last >= trace.samples.size:
            return float("nan")
        samples = trace.samples[first : last + 1]
        known = samples[np.isfinite(samples)]
        return float(known.mean()) if known.size else float("nan")

    def _fill(self, name: str, chart: Chart) -> None:
        if name == "response":
            self._faint = [Trace(chart, None) for _ in range(PAST)]
        if name == "command":
            self._planned = chart.plot.plot()
        self._traces[name] = Trace(chart, pg.mkPen(self.theme.now))
        if name == "response":
            self._edges = [chart.plot.plot() for _ in ("low", "high")]
            self._band = pg.FillBetweenItem(*self._edges)
            self._band.setZValue(-10)
            chart.plot.addItem(self._band, ignoreBounds=True)
            self._ticks = pg.VTickGroup([], yrange=[0.96, 1.0])
            chart.plot.addItem(self._ticks, ignoreBounds=True)
        chart.reset.connect(self._reset)

    def _drop(self, name: str) -> None:
        del self._traces[name]

    def _tip(self, name: str) -> str:
        if name == "response":
            return (
                "Response as recorded. Hover: value. Drag: zoom. Double click: reset. Right click: export.\n"
                "Ticks at the top: upward crossings of −20 mV, for the eye only.\n"
                "Shaded: nine of ten cells drawn from the posterior, under the same command. It has seen this sweep,\n"
                "so agreement proves little; what the model misses is not in it. The trust badge rests on other checks."
            )
        if name == "command":
            return "Command of this sweep. Dashed: the next one, where it is known."
        return super()._tip(name)

    def _reset(self) -> None:
        for chart in self.charts.values():
            chart.is_zoomed = False
        self.draw()

    def _frame(self) -> None:
        """Mark the spikes and hold everything inside the axes; they grow at once and shrink only between sweeps."""
        bright = self._traces["response"]
        self._ticks.setXVals(crossings(bright.samples, bright.rate) if self._clamp == "current" else _NOTHING)
        ends = [each for _, _, each in self._past] + [_ends(bright.samples)]
        if self._overlay is not None:
            ends += [_ends(self._overlay.low), _ends(self._overlay.high)]
        self.charts["response"].span(y=room(ends, _LEAST["response"]))
        _, level = self._planned.getData()
        command = [_ends(self._traces["command"].samples), None if level is None else _ends(level)]
        self.charts["command"].span(y=room(command, _LEAST["command"]))
        for name in self.further:
            self.charts[name].span(y=room([_ends(self._traces[name].samples)], 0.0, above=0.5))


def _ends(trace: Array) -> tuple[float, float] | None:
    """Find the lowest and the highest sample; None where there is none."""
    low, high = (float(extreme.reduce(trace)) if trace.size else np.nan for extreme in (np.fmin, np.fmax))
    return (low, high) if np.isfinite(low) and np.isfinite(high) else None


def room(ends: list[tuple[float, float] | None], least: float, above: float = 0.0) -> tuple[float, float] | None:
    """Find the range that holds all traces with some air.

    Args:
        ends: Lowest and highest sample of each; None where it has none.
        least: How wide the range is at least; 0 takes a hundredth of the values.
        above: Share of the range that is left free above them, for what is written there.

    Returns:
        Lower and upper edge; None where there is nothing.
    """
    known = [each for each in ends if each is not None]
    if not known:
        return None
    low, high = min(each[0] for each in known), max(each[1] for each in known)
    least = least or 0.01 * max(abs(low), abs(high)) or 1.0
    air = max((high - low) * 0.08, (least - (high - low)) / 2)
    return low - air, high + air + above * (high - low + 2 * air)
