"""This file is the trace plot: a recorded sweep, and beside it the same sweep as draws of theta have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.context import Context
from rig_plugin.report.frame import Frame, label
from rig_plugin.widgets.envelope import envelope

__all__ = ["trace_plot"]

_BINS = 400
_WIDTH, _HEIGHT, _ROW = 480.0, 220.0, 68.0
_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 100.0)
_LEAST = 4.0
_SPIKES = 40.0
_EDGE = 0.1

Trace = npt.NDArray[Any]


def trace_plot(recorded: Trace, simulated: Sequence[Trace], context: Context, title: str) -> str:
    """Draw them, each as about 800 points, in which the lowest and highest samples are kept.

    Args:
        recorded: Baseline, step and tail of the sweep [mV].
        simulated: The same of some draws [mV].
        context: Of the sweep.
        title: What is shown.

    Returns:
        An svg element: the traces over each other, or, where they have spikes, one below the other on the same scale.
    """
    everything = np.concatenate([recorded, *simulated])
    low, high = float(everything.min()), float(everything.max())
    room = max(0.04 * (high - low), 0.5 * (_LEAST - (high - low)))
    low, high = low - room, high + room
    apart = high - low if high - low > _SPIKES else 0.0
    rows = 1 + len(simulated) if apart else 1
    whole = context.baseline + context.duration + context.tail
    height = _HEIGHT if rows == 1 else 50.0 + _ROW * rows
    frame = Frame((-context.baseline, whole - context.baseline), (low - apart * (rows - 1), high), _WIDTH, height)
    drawn = [frame.curve(_points(trace, context, (k + 1) * apart), "simulated") for k, trace in enumerate(simulated)]
    drawn.append(frame.curve(_points(recorded, context, 0.0), "recorded"))
    ticks: list[tuple[float, str]] = []
    # At the edge of a row a label would stand upon that of its neighbour.
    edge = _EDGE * apart
    voltages = _voltages(low + edge, high - edge, 3.6 if apart else 5.0)
    for row in range(rows):
        ticks += [(voltage - row * apart, text) for voltage, text in voltages]
        if apart:
            right, down = frame.at(frame.x[1], high - row * apart)
            drawn.append(label(right, down + 10.0, "simulated" if row else "recorded", "end", "name"))
    middle, end = context.duration / 2.0, context.duration
    times = [(0.0, "0"), (middle, f"{middle:.0f}"), (end, f"{end:.0f}")]
    return frame.drawing(drawn, title, across=(times, "time from the step's onset [ms]"), up=(ticks, title))


def _voltages(low: float, high: float, most: float) -> list[tuple[float, str]]:
    """Choose round voltages, about as many as are wanted."""
    step = next((step for step in _STEPS if (high - low) / step <= most), _STEPS[-1])
    voltages = np.arange(np.ceil(low / step), np.floor(high / step) + 1.0) * step
    return [(float(voltage), f"{voltage + 0.0:g}".replace("-", "−")) for voltage in voltages]


def _points(trace: Trace, context: Context, lower: float) -> list[tuple[float, float]]:
    """Thin a trace out to what can be seen, and put it as much lower."""
    times, values = envelope(trace, context.rate, 0.0, trace.size / context.rate, _BINS)
    return list(zip((times - context.baseline).tolist(), (values - lower).tolist(), strict=True))
