"""This file is the benchmark of the families: real cells, from every second sweep of which the others are predicted.

Every recording of a folder that holds a family of current steps, at some of which the cell fires, is read as `replay`
reads it. The network sees every second sweep; what it forecasts of the others is compared with what they were: count,
rest, threshold, peak, half-width, mean, latency and steady state, in intervals that should hold nine of ten. Then the
same the other way round. Beside it stand the model alone, without its discrepancy, and a straight line through the
neighbouring counts, as wide as such lines miss when a sweep is left out.

References:
    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359-378, for the interval score.
    https://doi.org/10.1198/016214506000001437
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.features import NAMES
from rig_plugin.opening import network as opened
from rig_plugin.tasks.cell import Cell, cells
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.half import Half, halves, held
from rig_plugin.tasks.in_sample import in_sample, single
from simulators.refusal import Refusal

__all__ = ["judge", "measure"]

_COUNT = NAMES.index("spike_count")
_DRAWS = 400
_LOW, _HIGH = 0.80, 0.97

Array = npt.NDArray[np.float64]


def measure(
    peers: bool = True,
    data: Path | None = None,
    draws: int = _DRAWS,
    network: Path | None = None,
    html: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure how well sweeps of real cells are predicted.

    Args:
        peers: Whether to measure the straight line beside.
        data: Folder of recordings; without it the one that RIG_DATA names.
        draws: Draws of theta of each forecast.
        network: A checkpoint; None takes the one that ships.
        html: Where to write a page with recorded and simulated traces, or None.

    Returns:
        Figures of each family: share inside 90 % intervals, with the model's discrepancy, without, and by the
            posteriors of small parts of the sweeps, which are wider; half-width of the counts over what is wanted;
            rheobase off by so many steps; interval score of the counts.

    Raises:
        Refusal: If there is no folder, or no family in it, or the page can't be written.
    """
    data = data or (Path(os.environ["RIG_DATA"]) if "RIG_DATA" in os.environ else None)
    if data is None or not data.is_dir():
        raise Refusal(f"The folder of recordings is {data}; name one with --data FOLDER, or by RIG_DATA.")
    checkpoint = opened(network)
    figures: list[dict[str, Any]] = []
    families, alone = [], []
    for cell in cells(data, checkpoint):
        if cell.is_family:
            both = halves(cell, checkpoint, draws)
            figures += judge(cell, both, beside=peers)
            families.append((cell, both))
        elif len(cell.rows) == 1 and cell.counts[0] > 0:
            alone.append(single(cell, checkpoint, draws))
    if not families and not alone:
        raise Refusal(f"No recording in {data} holds a family of steps or a sweep that fires; name another folder.")
    if html is not None:
        from rig_plugin.report.families import families_page
        from rig_plugin.report.page import write

        write(html, families_page(families, alone, checkpoint, date.today().isoformat()))
    return figures + in_sample(alone)


def judge(family: Cell, both: Sequence[Half], *, beside: bool) -> list[dict[str, Any]]:
    """Compare what each half of a family says of the other with what that was.

    Args:
        family: The sweeps.
        both: Its halves.
        beside: Whether to give the straight line's figures.

    Returns:
        The figures.
    """
    inside: list[bool] = []
    alone: list[bool] = []
    parts: list[bool] = []
    widths, scores, lines, off = [], [], [], []
    for half in both:
        line = _Line(family.currents[half.seen], family.counts[half.seen])
        for sweep, drawn, unaided, tempered in zip(half.asked, half.drawn, half.unaided, half.tempered, strict=True):
            truth = family.rows[sweep]
            inside += held(drawn, truth).values()
            alone += held(unaided, truth).values()
            parts += held(tempered, truth).values()
            low, high = np.quantile(drawn[:, _COUNT], [0.05, 0.95])
            scores.append(_interval_score(low, high, truth[_COUNT]))
            lines.append(_interval_score(*line.interval(float(family.currents[sweep])), truth[_COUNT]))
            if truth[_COUNT] > 0:
                widths.append((high - low) / 2.0 / max(2.0, 0.2 * truth[_COUNT]))
        off.append(_rheobase_off(family, half.rheobase))
    share, score, straight = float(np.mean(inside)), float(np.mean(scores)), float(np.mean(lines))
    right = Figure("inside_90", share, "1", len(inside), aim=_LOW, better="more").row()
    # Intervals that hold everything are too wide.
    right["met"] = right["met"] and share <= _HIGH
    figures = [
        right,
        Figure("inside_90_without_discrepancy", float(np.mean(alone)), "1", len(alone)).row(),
        Figure("inside_90_of_parts", float(np.mean(parts)), "1", len(parts)).row(),
        Figure("count_half_width_over_wanted", float(np.median(widths)), "1", len(widths), aim=1.0).row(),
        Figure("rheobase_off", max(off), "steps", 2, aim=1.0).row(),
        Figure(
            "count_interval_score",
            score,
            "1",
            len(scores),
            peer="straight line" if beside else None,
            there=straight if beside else None,
            aim=straight if beside else None,
        ).row(),
    ]
    return [figure | {"name": f"{family.name}/{figure['name']}"} for figure in figures]


def _interval_score(low: float, high: float, truth: float) -> float:
    """Score a 90 % interval: its width, and twenty times how far the truth lies outside."""
    return float(high - low + 20.0 * (max(low - truth, 0.0) + max(truth - high, 0.0)))


class _Line:
    """A straight line between neighbouring sweeps, as wide as it misses sweeps that are left out."""

    def __init__(self, currents: Array, counts: Array) -> None:
        self._order = np.argsort(currents, kind="stable")
        self._currents, self._counts = currents[self._order], counts[self._order]
        missed = []
        for k in range(1, len(currents) - 1):
            others = np.delete(np.arange(len(currents)), k)
            there = np.interp(self._currents[k], self._currents[others], self._counts[others])
            missed.append(self._counts[k] - there)
        self._spread = max(float(np.sqrt(np.mean(np.square(missed)))), 0.3) if missed else 1.0

    def interval(self, current: float) -> tuple[float, float]:
        """Give nine tenths of the counts at a current."""
        middle = float(np.interp(current, self._currents, self._counts))
        reach = 1.645 * self._spread
        return float(np.round(max(middle - reach, 0.0))), float(np.round(middle + reach))


def _rheobase_off(family: Cell, drawn: Array) -> float:
    """Tell by how many steps of the family the lowest of them that fires was missed."""
    steps = np.unique(np.round(family.currents, 1))
    thought = int(np.searchsorted(steps, float(np.median(drawn)) - 0.05))
    fired = int(np.searchsorted(steps, float(family.currents[family.counts > 0].min()) - 0.05))
    return float(abs(thought - fired))
