"""This file is the half: every second sweep of a family, and what it says of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.features import NAMES
from estimators.forecast import Forecast
from rig_plugin.tasks.cell import Cell

__all__ = ["ASKED", "Half", "halves", "held"]

ASKED = ("spike_count", "rest", "threshold", "peak", "half_width", "mean_voltage", "latency", "steady_deflection")
"""What is to be predicted of a sweep."""

_RARE = 0.05

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Half:
    """One half of a family, from which the other is predicted.

    Args:
        seen: Sweeps that the network is shown.
        asked: Those that it is asked about.
        forecast: What it predicts by.
        drawn: Features of each that is asked about, with the model's error, shape (draws, f) each.
        unaided: The same of the posterior alone.
        tempered: The same of the posteriors of small parts of the sweeps.
        rheobase: Draws of the current at which the cell begins to fire, shape (draws,) [pA].
    """

    seen: npt.NDArray[np.int64]
    asked: npt.NDArray[np.int64]
    forecast: Forecast
    drawn: tuple[Array, ...]
    unaided: tuple[Array, ...]
    tempered: tuple[Array, ...]
    rheobase: Array


def halves(family: Cell, checkpoint: Checkpoint, draws: int) -> tuple[Half, Half]:
    """Predict each half of a family from the other.

    Args:
        family: The sweeps.
        checkpoint: The network.
        draws: Draws of theta of each forecast.

    Returns:
        The half that begins with the first sweep, and the other.
    """
    made = []
    for begin in (0, 1):
        seen, asked = np.arange(begin, len(family.rows), 2), np.arange(1 - begin, len(family.rows), 2)
        contexts = [family.contexts[k] for k in seen]
        forecast = Forecast(checkpoint, family.rows[seen], contexts, [family.contexts[k] for k in asked], 0, draws)
        drawn = tuple(forecast.sweep(k) for k in range(len(asked)))
        unaided = tuple(forecast.unaided(k) for k in range(len(asked)))
        tempered = tuple(forecast.tempered(k) for k in range(len(asked)))
        made.append(Half(seen, asked, forecast, drawn, unaided, tempered, forecast.rheobase(draws)))
    return made[0], made[1]


def held(drawn: Array, truth: Array) -> dict[str, bool]:
    """Tell whether the central nine tenths of draws hold what was recorded.

    Args:
        drawn: Features of the draws, shape (d, f), NaN where missing.
        truth: Features of the sweep, shape (f,).

    Returns:
        {quantity: whether}, of those that the sweep has.
    """
    found = {}
    for name in ASKED:
        column = NAMES.index(name)
        there = drawn[np.isfinite(drawn[:, column]), column]
        if not np.isfinite(truth[column]):
            continue
        # What hardly any draw has was not predicted.
        if len(there) < _RARE * len(drawn):
            found[name] = False
            continue
        low, high = np.quantile(there, [0.05, 0.95])
        found[name] = bool(low - 1e-9 <= truth[column] <= high + 1e-9)
    return found
