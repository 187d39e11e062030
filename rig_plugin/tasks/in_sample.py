"""This file is the in-sample fit: recordings of one sweep, each predicted from the posterior that it gave itself.

It tells whether the model can make such a sweep at all, and nothing about sweeps to come. The capacitance stands
beside the membrane's area of five Allen cells that the eLife paper fitted, at 1 uF/cm2.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.features import NAMES
from estimators.forecast import Forecast
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.figure import Figure

__all__ = ["AREAS", "LOOKED_AT", "Single", "capacitance", "in_sample", "single"]

_WANTED = 22 / 25

LOOKED_AT = ("rest", "spike_count", "threshold", "peak", "mean_voltage")
"""What is held against the sweep."""

AREAS = {
    "509881736": 83.15,
    "526950199": 85.32,
    "532571720": 109.4,
    "555060623": 91.87,
    "567399060": 160.9,
}
"""Capacitance that the paper's area stands for, tau over input resistance, by the cell's number [pF]."""


Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Single:
    """A sweep, and what the posterior that it gave says of it.

    Args:
        cell: The recording.
        forecast: Of the sweep itself.
        drawn: Features by the posterior alone, shape (draws, f).
        capacitance: Total of the cell, a draw each, shape (draws,) [pF].
        paper: The same as the paper's area has it, where it is one of the paper's cells [pF].
    """

    cell: Cell
    forecast: Forecast
    drawn: Array
    capacitance: Array
    paper: float | None

    def interval(self, name: str) -> tuple[float, float]:
        """Give the central nine tenths of a feature, NaN where no draw has it."""
        there = self.drawn[:, NAMES.index(name)]
        low, high = np.nanquantile(there, [0.05, 0.95]) if np.isfinite(there).any() else (np.nan, np.nan)
        return float(low), float(high)

    def holds(self, name: str) -> bool:
        """Tell whether that interval holds what was recorded."""
        low, high = self.interval(name)
        return bool(low - 1e-9 <= self.cell.rows[0, NAMES.index(name)] <= high + 1e-9)


def single(cell: Cell, checkpoint: Checkpoint, draws: int) -> Single:
    """Predict a sweep from itself.

    Args:
        cell: A recording of one sweep that fires.
        checkpoint: The network.
        draws: Draws of theta.

    Returns:
        What the posterior says.
    """
    names = checkpoint.spec.names
    forecast = Forecast(checkpoint, cell.rows, cell.contexts, cell.contexts, 0, draws)
    theta = forecast.sure
    paper = next((area for number, area in AREAS.items() if number in cell.name), None)
    return Single(cell, forecast, forecast.unaided(0), capacitance(theta, names), paper)


def capacitance(theta: Array, names: Sequence[str]) -> Array:
    """Give the capacitance of whole cells.

    Args:
        theta: Shape (s, p).
        names: Of the parameters, of any process.

    Returns:
        Shape (s,) [pF]: tau over input resistance where these are parameters, else C with its dendrite's.

    Example:
        >>> capacitance(np.array([[1.5, 200.0, 20.0]]), ("C", "R_in", "tau")).tolist()
        [100.0]
    """
    if {"R_in", "tau"} <= set(names):
        # ms over MOhm is nF.
        return np.asarray(1e3 * theta[:, names.index("tau")] / theta[:, names.index("R_in")])
    total = theta[:, names.index("C")]
    return np.asarray(total * (1.0 + theta[:, names.index("dendrite_ratio")]) if "dendrite_ratio" in names else total)


def in_sample(singles: Sequence[Single]) -> list[dict[str, Any]]:
    """Compare sweeps with what they predict of themselves, by the posterior alone.

    Args:
        singles: Recordings of one sweep that fires.

    Returns:
        Share inside 90 % intervals of rest, count, threshold, peak and mean over all cells; total capacitance of each,
            with the paper's beside it where it is one of the paper's.
    """
    if not singles:
        return []
    inside, figures = [], []
    for one in singles:
        inside += [one.holds(name) for name in LOOKED_AT]
        peer = None if one.paper is None else "area of the eLife paper"
        n = len(one.capacitance)
        figure = Figure("in_sample_C", float(np.median(one.capacitance)), "pF", n, peer=peer, there=one.paper).row()
        figures.append(figure | {"name": f"{one.cell.name}/in_sample_C"})
    share = Figure("in_sample_90", float(np.mean(inside)), "1", len(inside), aim=_WANTED, better="more").row()
    return [share, *figures]
