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
from rig_plugin.tasks.rival import Rival
from rig_plugin.tasks.tally import Tally, interval_score
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
    simulations: int | None = None,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure how well sweeps of real cells are predicted.

    Args:
        peers: Whether to measure the straight line beside, and sbi where a number of simulations is given.
        data: Folder of recordings; without it the one that RIG_DATA names.
        draws: Draws of theta of each forecast.
        network: A checkpoint; None takes the one that ships.
        html: Where to write a page with recorded and simulated traces, or None.
        simulations: From which sbi learns each of its fits; None leaves it out, for 100,000 take it tens of minutes.
        out: The ledger of these fits, which is gone on with; None for none.

    Returns:
        Figures of each family: share inside 90 % intervals, with the model's discrepancy, without, and by the
            posteriors of small parts of the sweeps, which are wider; half-width of the counts over what is wanted;
            rheobase off by so many steps; interval score of the counts; and the same of sbi's fits.

    Raises:
        Refusal: If there is no folder, or no family in it, or the page can't be written, or a ledger is named without
            a number of simulations.
    """
    data = data or (Path(os.environ["RIG_DATA"]) if "RIG_DATA" in os.environ else None)
    if data is None or not data.is_dir():
        raise Refusal(f"The folder of recordings is {data}; name one with --data FOLDER, or by RIG_DATA.")
    if out is not None and simulations is None:
        raise Refusal(f"{out} is to hold fits by sbi, and none was asked for; say --simulations N, or leave --out out.")
    rival = Rival(simulations, draws, out) if peers and simulations is not None else None
    checkpoint = opened(network)
    figures: list[dict[str, Any]] = []
    families, alone = [], []
    for cell in cells(data, checkpoint):
        if cell.is_family:
            both = halves(cell, checkpoint, draws)
            figures += judge(cell, both, beside=peers, rival=rival)
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


def judge(family: Cell, both: Sequence[Half], *, beside: bool, rival: Rival | None = None) -> list[dict[str, Any]]:
    """Compare what each half of a family says of the other with what that was.

    Args:
        family: The sweeps.
        both: Its halves.
        beside: Whether to give the straight line's figures.
        rival: Who else predicts, or None.

    Returns:
        The figures.
    """
    ours, lines = Tally(), []
    alone: list[bool] = []
    parts: list[bool] = []
    for half in both:
        line = _Line(family.currents[half.seen], family.counts[half.seen])
        for sweep, drawn, unaided, tempered in zip(half.asked, half.drawn, half.unaided, half.tempered, strict=True):
            truth = family.rows[sweep]
            ours.add(drawn, truth)
            alone += held(unaided, truth).values()
            parts += held(tempered, truth).values()
            lines.append(interval_score(*line.interval(float(family.currents[sweep])), truth[_COUNT]))
        ours.miss(family, half.rheobase)
    straight = float(np.mean(lines))
    right = Figure("inside_90", ours.share, "1", len(ours.inside), aim=_LOW, better="more").row()
    # Intervals that hold everything are too wide.
    right["met"] = right["met"] and ours.share <= _HIGH
    figures = [
        right,
        Figure("inside_90_without_discrepancy", float(np.mean(alone)), "1", len(alone)).row(),
        Figure("inside_90_of_parts", float(np.mean(parts)), "1", len(parts)).row(),
        Figure("count_half_width_over_wanted", ours.half_width, "1", len(ours.widths), aim=1.0).row(),
        Figure("rheobase_off", max(ours.off), "steps", 2, aim=1.0).row(),
        Figure(
            "count_interval_score",
            ours.score,
            "1",
            len(ours.scores),
            peer="straight line" if beside else None,
            there=straight if beside else None,
            aim=straight if beside else None,
        ).row(),
        *(rival.figures(family, both, ours) if rival is not None else ()),
    ]
    return [figure | {"name": f"{family.name}/{figure['name']}"} for figure in figures]


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
