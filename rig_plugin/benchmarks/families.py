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
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.features import NAMES
from estimators.forecast import Forecast
from rig_plugin.benchmarks.cells import Cell, cells
from rig_plugin.benchmarks.in_sample import in_sample
from rig_plugin.opening import network
from rig_plugin.tasks.figure import Figure
from simulators.refusal import Refusal

__all__ = ["ASKED", "judge", "measure"]

ASKED = ("spike_count", "rest", "threshold", "peak", "half_width", "mean_voltage", "latency", "steady_deflection")
"""What is to be predicted of a sweep."""

_COUNT = NAMES.index("spike_count")
_DRAWS = 400
_LOW, _HIGH = 0.80, 0.97

Array = npt.NDArray[np.float64]


def measure(peers: bool = True, data: Path | None = None, draws: int = _DRAWS) -> list[dict[str, Any]]:
    """Measure how well sweeps of real cells are predicted.

    Args:
        peers: Whether to measure the straight line beside.
        data: Folder of recordings; without it the one that RIG_DATA names.
        draws: Draws of theta of each forecast.

    Returns:
        Figures of each family: share inside 90 % intervals, with the model's discrepancy and without; half-width of
            the counts over what is wanted; rheobase off by so many steps; interval score of the counts.

    Raises:
        Refusal: If there is no folder, or no family in it.
    """
    data = data or (Path(os.environ["RIG_DATA"]) if "RIG_DATA" in os.environ else None)
    if data is None or not data.is_dir():
        raise Refusal(f"The folder of recordings is {data}; name one with --data FOLDER, or by RIG_DATA.")
    checkpoint = network()
    figures: list[dict[str, Any]] = []
    alone = []
    for cell in cells(data, checkpoint):
        if cell.is_family:
            figures += judge(cell, checkpoint, draws, beside=peers)
        elif len(cell.rows) == 1 and cell.counts[0] > 0:
            alone.append(cell)
    if not figures and not alone:
        raise Refusal(f"No recording in {data} holds a family of steps or a sweep that fires; name another folder.")
    return figures + in_sample(alone, checkpoint, draws)


def judge(family: Cell, checkpoint: Checkpoint, draws: int, *, beside: bool) -> list[dict[str, Any]]:
    """Predict each half of a family from the other, and compare.

    Args:
        family: The sweeps.
        checkpoint: The network.
        draws: Draws of theta of each forecast.
        beside: Whether to give the straight line's figures.

    Returns:
        The figures.
    """
    inside, alone, widths, scores, lines, off = [], [], [], [], [], []
    for half in (0, 1):
        seen, asked = np.arange(half, len(family.rows), 2), np.arange(1 - half, len(family.rows), 2)
        contexts = [family.contexts[k] for k in seen]
        forecast = Forecast(checkpoint, family.rows[seen], contexts, [family.contexts[k] for k in asked], 0, draws)
        line = _Line(family.currents[seen], family.counts[seen])
        for k, sweep in enumerate(asked):
            truth = family.rows[sweep]
            drawn = forecast.sweep(k)
            inside += _held(drawn, truth)
            alone += _held(forecast.unaided(k), truth)
            low, high = np.quantile(drawn[:, _COUNT], [0.05, 0.95])
            scores.append(_interval_score(low, high, truth[_COUNT]))
            lines.append(_interval_score(*line.interval(float(family.currents[sweep])), truth[_COUNT]))
            if truth[_COUNT] > 0:
                widths.append((high - low) / 2.0 / max(2.0, 0.2 * truth[_COUNT]))
        off.append(_rheobase_off(family, forecast.rheobase(draws)))
    share, score, straight = float(np.mean(inside)), float(np.mean(scores)), float(np.mean(lines))
    held = Figure("inside_90", share, "1", len(inside), aim=_LOW, better="more").row()
    # Intervals that hold everything are too wide.
    held["met"] = held["met"] and share <= _HIGH
    figures = [
        held,
        Figure("inside_90_without_discrepancy", float(np.mean(alone)), "1", len(alone)).row(),
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


def _held(drawn: Array, truth: Array) -> list[bool]:
    """Tell for each quantity that the sweep has whether the central nine tenths of the draws hold it."""
    held = []
    for name in ASKED:
        column = NAMES.index(name)
        there = drawn[np.isfinite(drawn[:, column]), column]
        if not np.isfinite(truth[column]):
            continue
        # What hardly any draw has was not predicted.
        if len(there) < 0.05 * len(drawn):
            held.append(False)
            continue
        low, high = np.quantile(there, [0.05, 0.95])
        held.append(bool(low - 1e-9 <= truth[column] <= high + 1e-9))
    return held


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
