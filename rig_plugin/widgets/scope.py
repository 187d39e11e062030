"""This file is the scope: the live sweep over the last five, with the stimulus under it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from rig_plugin.feed import Live, Overlaid
from rig_plugin.trial import Trial
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtWidgets, pg
from rig_plugin.widgets.stimulus_text import describe, planned
from rig_plugin.widgets.trace import Trace

__all__ = ["Scope", "crossings"]

_PAST = 5
_LEVEL = -20.0
_NOTHING = np.empty(0)
_UNITS = {"current": ("mV", "pA"), "voltage": ("pA", "mV")}


def crossings(response: npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.float64]:
    """Find where a voltage rises through -20 mV: marks for the eye, the feature table counts by its own definition.

    Args:
        response: Voltage, shape (n,) [mV].
        rate: Sampling rate [kHz].

    Returns:
        Times, shape (k,) [ms].
    """
    above = response > _LEVEL
    return np.asarray((np.flatnonzero(above[1:] & ~above[:-1]) + 1) / rate)


class Scope(Panel):
    """The trace as it comes, bright, over the last five sweeps, faint, with the command on the same time axis.

    Args:
        parent: Owner, as in Qt.
    """

    _warning_at = 0.8

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Scope", "Space starts. The response appears here, sample by sample.", parent)
        self._clamp = "current"
        self._duration = 1000.0
        self._is_live = False
        self._next: Mapping[str, Any] | None = None
        self._past: deque[tuple[npt.NDArray[np.float64], float]] = deque(maxlen=_PAST)
        self._above = Chart(("", ""), ("", "mV"))
        self._below = Chart(("time", "ms"), ("", "pA"))
        self._arrange()
        self._faint = [Trace(self._above, None) for _ in range(_PAST)]
        self._bright = Trace(self._above, None)
        self._trial: int | None = None
        self._overlay: Overlay | None = None
        self._edges = [self._above.plot.plot() for _ in ("low", "high")]
        self._band = pg.FillBetweenItem(*self._edges)
        self._band.setZValue(-10)
        self._above.plot.addItem(self._band, ignoreBounds=True)
        self._planned = self._below.plot.plot()
        self._command = Trace(self._below, None)
        self._ticks = pg.VTickGroup([], yrange=[0.96, 1.0])
        self._above.plot.addItem(self._ticks, ignoreBounds=True)
        self.wear(self.theme)

    @property
    def shown(self) -> npt.NDArray[np.float64]:
        """The bright trace, shape (n,); empty where there is none."""
        return self._bright.samples

    @property
    def past(self) -> int:
        """How many sweeps lie faintly behind it."""
        return len(self._past)

    @property
    def overlaid(self) -> Overlay | None:
        """The band behind it, or None where there is none."""
        return self._overlay

    def begin(self, live: Live) -> None:
        """Be told that a sweep begins: what was bright becomes faint.

        Args:
            live: The sweep as it comes in.
        """
        self._retire()
        self._is_live = True
        self._clamp, self._duration, self._next = live.stimulus.clamp, live.stimulus.duration, None
        self._command.show(live.stimulus.command(live.rate), live.rate)
        where = "" if live.file_sweep is None else f"file sweep {live.file_sweep}   "
        self._aside.setText(where + describe(live.stimulus))
        self.say("")
        self._draw()

    def grow(self, live: Live) -> None:
        """Be told that samples came.

        Args:
            live: The same sweep.
        """
        self._bright.show(live.response, live.rate)
        if live.unshown:
            self._aside.setText(f"{live.unshown} samples past the end of the stimulus are not drawn")
        self._frame()

    def overlay(self, overlaid: Overlaid) -> None:
        """Be told what the cells of a trial's posterior do; drawn only over that trial's own trace.

        Args:
            overlaid: The trial's number and the band.
        """
        if self._is_live or overlaid.trial != self._trial or not self._bright.samples.size:
            return
        self._shade(overlaid.overlay)
        self._frame()

    def fail(self, reason: str) -> None:
        """Be told that the session broke off.

        Args:
            reason: A sentence.
        """
        self._is_live = False
        self.warn(reason)

    def _arrange(self) -> None:
        self._above.setToolTip(
            "Response as recorded. Hover: value. Drag: zoom. Double click: reset. Right click: export.\n"
            "Ticks at the top: upward crossings of −20 mV, for the eye only.\n"
            "Shaded: nine of ten cells drawn from the posterior, under the same command. It has seen this sweep,\n"
            "so agreement proves little; what the model misses is not in it. The trust badge rests on other checks."
        )
        self._below.setToolTip("Command of this sweep. Dashed: the next one, where it is known.")
        self._below.plot.setXLink(self._above.plot)
        self._above.plot.getAxis("bottom").setStyle(showValues=False)
        self._body.addWidget(self._above, 7)
        self._body.addWidget(self._below, 3)
        self._above.reader = lambda x, _: self._bright.read(x, _UNITS[self._clamp][0])
        self._below.reader = lambda x, _: self._command.read(x, _UNITS[self._clamp][1])
        for chart, other in ((self._above, self._below), (self._below, self._above)):
            chart.reset.connect(lambda other=other: self._reset(other))

    def _reset(self, other: Chart) -> None:
        other.is_zoomed = False
        self._draw()

    def _take(self, trial: Trial) -> None:
        if not self._is_live:
            self._retire()
        self._is_live = False
        self._next, self._trial = trial.next_stimulus, trial.index
        sweep = trial.sweep
        if sweep is None:
            self._retire()
            self._command.show(_NOTHING, 1.0)
            self.say(f"Trial {trial.index} could not be read as a sweep. {trial.trust.reason or ''}".strip())
            return
        self.say("")
        self._clamp, self._duration = sweep.clamp, sweep.response.size / sweep.rate
        self._bright.show(sweep.response, sweep.rate)
        command = sweep.command
        if command is None:
            command = sweep.stimulus.command(sweep.rate) if sweep.stimulus else _NOTHING
        self._command.show(command, sweep.rate)
        self._aside.setText(describe(sweep.stimulus))

    def _retire(self) -> None:
        if self._bright.samples.size:
            self._past.append((self._bright.samples, self._bright.rate))
        self._bright.show(_NOTHING, 1.0)
        self._shade(None)

    def _shade(self, overlay: Overlay | None) -> None:
        """Draw the band, or take it away; only when it changes, not with every block that comes."""
        if overlay is self._overlay:
            return
        self._overlay = overlay
        # Between edges that have become empty, the fill would stay as it was.
        self._band.setVisible(overlay is not None)
        ends = (_NOTHING, _NOTHING) if overlay is None else (overlay.low, overlay.high)
        for edge, end in zip(self._edges, ends, strict=True):
            edge.setData(_NOTHING if overlay is None else overlay.times, end)

    def _clear(self) -> None:
        self._past.clear()
        self._next, self._is_live, self._trial = None, False, None
        self._shade(None)
        self._bright.show(_NOTHING, 1.0)
        self._command.show(_NOTHING, 1.0)
        self._aside.setText("")

    def _draw(self) -> None:
        has_sweep = self._command.samples.size + self._bright.samples.size > 0
        for chart in (self._above, self._below):
            chart.setVisible(has_sweep)
        for age, trace in enumerate(self._faint):
            trace.show(*(self._past[-1 - age] if age < len(self._past) else (_NOTHING, 1.0)))
        for chart, unit in zip((self._above, self._below), _UNITS[self._clamp], strict=True):
            chart.name(("", unit))
        plan = planned(self._next)
        self._planned.setData(*(plan if plan else ([], [])))
        self._above.span(x=(0.0, self._duration))
        self._frame()

    def _frame(self) -> None:
        """Mark the spikes and hold everything inside the axes; they grow at once and shrink only between sweeps."""
        bright = self._bright
        marks = crossings(bright.samples, bright.rate) if self._clamp == "current" else _NOTHING
        self._ticks.setXVals(marks)
        traces = [samples for samples, _ in self._past] + [bright.samples]
        if self._overlay is not None:
            traces += [self._overlay.low, self._overlay.high]
        self._above.span(y=_room(traces, 20.0))
        _, level = self._planned.getData()
        self._below.span(y=_room([self._command.samples, _NOTHING if level is None else level], 50.0))

    def _wear(self) -> None:
        theme = self.theme
        self._above.wear(theme)
        self._below.wear(theme)
        for age, trace in enumerate(self._faint):
            colour = pg.mkColor(theme.past)
            colour.setAlpha(150 - 22 * age)
            trace.wear(pg.mkPen(colour))
        self._bright.wear(pg.mkPen(theme.now))
        shade = pg.mkColor(theme.now)
        shade.setAlpha(60)
        self._band.setBrush(pg.mkBrush(shade))
        for edge in self._edges:
            edge.setPen(pg.mkPen(None))
        self._command.wear(pg.mkPen(theme.now))
        self._planned.setPen(pg.mkPen(theme.quiet, style=QtCore.Qt.PenStyle.DashLine))
        self._ticks.setPen(pg.mkPen(theme.text))


def _room(traces: list[npt.NDArray[np.float64]], least: float) -> tuple[float, float] | None:
    """Find the range that holds all traces with some air, at least so wide; None where there is nothing."""
    ends = [(np.nanmin(trace), np.nanmax(trace)) for trace in traces if trace.size and np.isfinite(trace).any()]
    if not ends:
        return None
    low, high = min(float(e[0]) for e in ends), max(float(e[1]) for e in ends)
    air = max((high - low) * 0.08, (least - (high - low)) / 2)
    return low - air, high + air
