"""This file is the rank plots: how one parameter's ranks lie, as a histogram and as the difference from uniform."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from scipy import stats

from estimators.aims import DEVIATION, stray
from rig_plugin.report.frame import Frame

__all__ = ["difference", "histogram"]

_BARS = 20
_INSIDE = (0.005, 0.995)
_RANKS = ([(0.0, "0"), (0.5, "0.5"), (1.0, "1")], "rank of the truth among posterior draws")


def histogram(counts: Sequence[int], name: str) -> str:
    """Draw the ranks in twenty bars, with the band in which 99 of 100 bars of uniform ranks stay.

    Args:
        counts: Ranks in equal bins, a multiple of twenty of them.
        name: Of the parameter.

    Returns:
        An svg element.
    """
    cells, wide = sum(counts), len(counts) // _BARS
    bars = [sum(counts[k * wide : (k + 1) * wide]) for k in range(_BARS)]
    low, high = (float(stats.binom.ppf(end, cells, 1.0 / _BARS)) for end in _INSIDE)
    frame = Frame((0.0, 1.0), (0.0, 1.15 * max(*bars, high)))
    drawn = [frame.box((k / _BARS, (k + 0.94) / _BARS), (0.0, bar), "bar") for k, bar in enumerate(bars)]
    drawn += [frame.box((0.0, 1.0), (low, high), "band"), frame.level(low, "edge"), frame.level(high, "edge")]
    drawn.append(frame.level(cells / _BARS, "right"))
    ticks = sorted({0, round(cells / _BARS), max(bars)} if max(bars) > 1.3 * high else {0, round(cells / _BARS)})
    title = f"{name}: histogram of {cells} ranks; uniform ones stay between {low:g} and {high:g} a bar"
    return frame.drawing(drawn, title, across=_RANKS, up=([(tick, str(tick)) for tick in ticks], "cells in a bar"))


def difference(counts: Sequence[int], name: str) -> str:
    """Draw the ranks' distribution less the uniform one, with the band that uniform ranks stay in 19 times in 20.

    Args:
        counts: Ranks in equal bins.
        name: Of the parameter.

    Returns:
        An svg element.
    """
    cells, bins = sum(counts), len(counts)
    points = [
        (0.0, 0.0),
        *(((k + 1) / bins, sum_ / cells - (k + 1) / bins) for k, sum_ in enumerate(accumulate(counts))),
    ]
    band = stray(cells)
    top = 1.15 * max(DEVIATION, min(band, 1.0), *(abs(y) for _, y in points))
    frame = Frame((0.0, 1.0), (-top, top))
    drawn = [frame.box((0.0, 1.0), (-band, band), "band"), frame.level(0.0, "right")]
    drawn += [frame.level(DEVIATION, "aim"), frame.level(-DEVIATION, "aim"), frame.curve(points, "curve")]
    ticks = [(-DEVIATION, f"−{DEVIATION:g}"), (0.0, "0"), (DEVIATION, f"{DEVIATION:g}")]
    title = f"{name}: distribution of {cells} ranks less the uniform one; uniform ones stay within {band:.3f}"
    return frame.drawing(drawn, title, across=_RANKS, up=(ticks, "share of ranks below, less uniform"))
