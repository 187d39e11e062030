"""This file is the curves: how the cell fires (f-I) and how it bends (V-I) with the step."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rig_plugin.trial import Trial
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import fixed, significant
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import pg

__all__ = ["FiringCurve", "VoltageCurve", "firing_rate", "steady_voltage"]

_Point = tuple[float, float]
_Measure = Callable[[Trial], _Point | None]


def firing_rate(trial: Trial) -> _Point | None:
    """Read a point of the f-I curve: spikes during the step over its length.

    Args:
        trial: With a feature `spike_count`.

    Returns:
        Step [pA] and rate [Hz], or None where the stimulus or the count is unknown.
    """
    stimulus = trial.sweep.stimulus if trial.sweep else None
    count = trial.features.get("spike_count", math.nan)
    if stimulus is None or stimulus.clamp != "current" or not math.isfinite(count):
        return None
    return stimulus.amplitude, 1000.0 * count / stimulus.step_duration


def steady_voltage(trial: Trial) -> _Point | None:
    """Read a point of the V-I curve: mean voltage over the last tenth of a step without spikes.

    Args:
        trial: With a feature `spike_count`.

    Returns:
        Step [pA] and voltage, corrected as far as the corrections are known [mV], or None where there is none.
    """
    sweep = trial.sweep
    stimulus = sweep.stimulus if sweep else None
    if sweep is None or stimulus is None or stimulus.clamp != "current" or trial.features.get("spike_count", 1) != 0:
        return None
    end = stimulus.onset + stimulus.step_duration
    late = sweep.corrected[round((end - stimulus.step_duration / 10) * sweep.rate) : round(end * sweep.rate)]
    return (stimulus.amplitude, float(late.mean())) if late.size else None


class _Curve(Panel):
    """Points over the step; the newest bright and larger, the others grey."""

    def __init__(self, heading: str, promise: str, unit: str, measure: _Measure) -> None:
        super().__init__(heading, promise)
        self._measure = measure
        self.points: list[_Point] = []
        self._newest: _Point | None = None
        self._unit = unit
        self._chart = Chart(("step", "pA"), ("", unit))
        self._chart.reader = self._read
        self._chart.reset.connect(self._draw)
        self._past = self._chart.plot.plot(pen=None, symbol="o", symbolSize=5)
        self._now = self._chart.plot.plot(pen=None, symbol="o", symbolSize=8)
        self._body.addWidget(self._chart, 1)
        self.wear(self.theme)

    def _take(self, trial: Trial) -> None:
        self._newest = self._measure(trial)
        if self._newest is not None:
            self.points.append(self._newest)

    def _clear(self) -> None:
        self.points.clear()
        self._newest = None

    def _draw(self) -> None:
        table = np.array(self.points).reshape(-1, 2)
        self._past.setData(table[:, 0], table[:, 1])
        newest = [self._newest] if self._newest else []
        self._now.setData([x for x, _ in newest], [y for _, y in newest])
        self._chart.setVisible(bool(self.points))
        if self.points:
            self.say("")
            low, high = _room(table[:, 1], 10.0)
            if self._unit == "Hz":
                low = -0.06 * high
            self._chart.span(x=_room(table[:, 0], 100.0), y=(low, high))

    def _read(self, x: float, y: float) -> str:
        if not self.points:
            return ""
        step, value = min(self.points, key=lambda point: abs(point[0] - x))
        return f"{significant(step)} pA  {fixed(value, 1)} {self._unit}"

    def _wear(self) -> None:
        self._chart.wear(self.theme)
        for item, colour in ((self._past, self.theme.past), (self._now, self.theme.now)):
            item.setSymbolBrush(pg.mkBrush(colour))
            item.setSymbolPen(None)


class FiringCurve(_Curve):
    """Firing rate over the step."""

    def __init__(self) -> None:
        super().__init__("f–I", "A point for each sweep with a known step.", "Hz", firing_rate)
        self.setToolTip("Spikes during the step over its length. Bright: the newest sweep.")


class VoltageCurve(_Curve):
    """Steady voltage over the step, from sweeps without spikes."""

    def __init__(self) -> None:
        super().__init__("V–I", "A point for each sweep without spikes.", "mV", steady_voltage)
        self.setToolTip(
            "Mean voltage over the last tenth of the step, where it has no spike. Bright: the newest sweep."
        )


def _room(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], least: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    air = max(0.1 * (high - low), (least - (high - low)) / 2)
    return low - air, high + air
