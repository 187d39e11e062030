"""This file is the asking: fixed ways to choose the steps of cells, which an adaptive one has to beat.

Currents are told in units of what moves the cell by 10 mV, as a membrane test before the first sweep gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.tasks.cohort import Cohort, Record, Step

__all__ = ["WAYS", "Way", "cycled", "first"]

Array = npt.NDArray[np.float64]
Way = Callable[[Cohort, Record, np.random.Generator], list[Step]]
"""Gives the next step of every cell."""

_ASCENDING = (-1.0, -2.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_AFTER = (1.5, 2.0, -2.0, 3.0, 1.25)
_SEARCHED = 5


def _steps(cohort: Cohort, amplitudes: Array) -> list[Step]:
    low, high = -0.5 * cohort.reach, cohort.reach
    return [Step(float(a)) for a in np.clip(amplitudes, low, high)]


def first(cohort: Cohort) -> list[Step]:
    """Give the first step of everybody: down by 10 mV."""
    return _steps(cohort, -cohort.unit)


def _random(cohort: Cohort, record: Record, rng: np.random.Generator) -> list[Step]:
    return _steps(cohort, rng.uniform(-0.25, 1.0, len(cohort)) * cohort.reach)


def _ascending(cohort: Cohort, record: Record, rng: np.random.Generator) -> list[Step]:
    return _steps(cohort, _ASCENDING[len(record.features) % len(_ASCENDING)] * cohort.unit)


def _ordered(cohort: Cohort, record: Record, rng: np.random.Generator) -> list[Step]:
    """Bracket the rheobase for some sweeps, then play multiples of it."""
    k = len(record.features)
    spikes, amplitudes = record.spikes(), record.amplitudes()
    fired = spikes > 0
    above = np.where(fired, amplitudes, np.inf).min(axis=1)
    below = np.where(~fired & (amplitudes > 0), amplitudes, 0.0).max(axis=1)
    if k < _SEARCHED:
        up = np.where(below > 0, 2.0 * below, 3.0 * cohort.unit)
        return _steps(cohort, np.where(np.isfinite(above), (below + above) / 2.0, up))
    rheobase = np.where(np.isfinite(above), above, cohort.reach / 2.0)
    return _steps(cohort, _AFTER[(k - _SEARCHED) % len(_AFTER)] * rheobase)


def cycled(multiples: Sequence[float]) -> Way:
    """Play some steps again and again.

    Args:
        multiples: Of each cell's unit.

    Returns:
        The way.
    """

    def way(cohort: Cohort, record: Record, rng: np.random.Generator) -> list[Step]:
        return _steps(cohort, multiples[(len(record.features) - 1) % len(multiples)] * cohort.unit)

    return way


WAYS: dict[str, Way] = {"random": _random, "ascending": _ascending, "well_ordered": _ordered}
"""Those that need no preparation."""
