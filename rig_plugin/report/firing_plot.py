"""This file is the firing plot: the f-I curve of a cell, and what one half of its sweeps says of the other half."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.report.frame import Frame

__all__ = ["firing_plot"]

_SIZE = (480.0, 250.0)
_WIDTH = 0.36
_HIGHEST = 2.0
_TICKS = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)

Array = npt.NDArray[np.float64]
Interval = tuple[float, float]


def firing_plot(
    seen: tuple[Array, Array],
    asked: tuple[Array, Array],
    with_error: Sequence[Interval],
    without: Sequence[Interval],
    title: str,
) -> str:
    """Draw spikes over the current.

    Args:
        seen: Currents [pA] and counts of the sweeps that were seen.
        asked: The same of those that were predicted.
        with_error: 90 % interval of each of these, the model's error taken in.
        without: The same by the posterior alone.
        title: What is shown.

    Returns:
        An svg element: a bar for each interval with the error, a line in it for the one without, and a dot a sweep.
    """
    currents = np.concatenate([seen[0], asked[0]])
    counts = np.concatenate([seen[1], asked[1], np.ravel(with_error)])
    apart = np.diff(np.unique(np.round(currents, 1)))
    gap = float(np.median(apart)) if apart.size else 10.0
    # What the posterior alone believes may be far off, and must not flatten the curve.
    top = max(float(np.max(counts)), 1.0)
    top = min(max(top, float(np.max(without))), _HIGHEST * top)
    frame = Frame((float(currents.min()) - gap, float(currents.max()) + gap), (-0.06 * top, 1.06 * top), *_SIZE)
    drawn = []
    for current, (low, high), (least, most) in zip(asked[0], with_error, without, strict=True):
        # An interval of one number is still to be seen.
        drawn.append(
            frame.box((current - _WIDTH * gap, current + _WIDTH * gap), (low - 0.008 * top, high + 0.008 * top), "told")
        )
        drawn.append(
            frame.curve(
                [(current, min(least - 0.008 * top, frame.y[1])), (current, min(most + 0.008 * top, frame.y[1]))],
                "untold",
            )
        )
    drawn += [frame.dot(current, count, "seen", 3.2) for current, count in zip(*seen, strict=True)]
    for current, count, (low, high) in zip(*asked, with_error, strict=True):
        drawn.append(frame.dot(current, count, "asked" if low <= count <= high else "astray", 3.4))
    return frame.drawing(
        drawn, title, across=(_round(frame.x), "step [pA]"), up=(_round(frame.y), "spikes in the step")
    )


def _round(ends: Interval) -> list[tuple[float, str]]:
    """Choose four or so round numbers between two ends, none below."""
    span = ends[1] - ends[0]
    step = next((step for step in (1.0, 2.0, 5.0, *_TICKS) if span / step <= 6.0), span / 4.0)
    ticks = np.arange(np.ceil(ends[0] / step) * step, ends[1] + 1e-9, step)
    return [(float(tick), f"{tick + 0.0:g}".replace("-", "−")) for tick in ticks.round(9)]
