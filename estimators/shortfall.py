"""This file is the shortfall: how far below firing a silent sweep stands, told in spikes.

A count says nothing of silent sweeps but that they are silent, and so has a corner at the rheobase that no smooth
error of a model can follow. Below it the count is therefore carried on along a straight line, to half a spike at the
rheobase and below nothing under it: where a model fires too early by some current, its continued count is then too
high by about as many spikes on both sides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["continued", "incline"]

Array = npt.NDArray[np.float64]


def incline(currents: Array, counts: Array) -> float:
    """Tell how steeply the count rises where a cell begins to fire.

    Args:
        currents: Of the steps, shape (n,) [pA].
        counts: Spikes of each, shape (n,).

    Returns:
        Spikes per pA, from the last silent step to the second that fires; 0 where no step fires.

    Example:
        >>> incline(np.array([0.0, 50.0, 100.0]), np.array([0.0, 2.0, 4.0]))
        0.04
    """
    order = np.argsort(currents, kind="stable")
    fires = np.flatnonzero(counts[order] > 0)
    if not fires.size:
        return 0.0
    first = fires[0]
    low, high = max(first - 1, 0), min(first + 1, len(order) - 1)
    rise = counts[order[high]] - (counts[order[low]] if low < first else 0.0)
    width = currents[order[high]] - currents[order[low]]
    return float(max(rise, 1.0) / max(width, 1.0))


def continued(currents: Array, counts: Array, slope: float, rng: np.random.Generator) -> Array:
    """Carry counts on below the rheobase, which is drawn between the last silent step and the first that fires.

    Args:
        currents: Of the steps, shape (n,) [pA].
        counts: Spikes of each, one row a cell, shape (d, n).
        slope: Spikes per pA below the rheobase.
        rng: Source of randomness.

    Returns:
        Shape (d, n): as it was from the first step that fires on, below half a spike under it. A cell that never
            fires is taken to be at its rheobase at the largest step.
    """
    order = np.argsort(currents, kind="stable")
    steps, there = currents[order], counts[:, order] > 0
    first = np.where(there.any(axis=1), there.argmax(axis=1), len(steps))
    above = steps[np.minimum(first, len(steps) - 1)]
    below = np.where(first > 0, steps[np.maximum(first - 1, 0)], above)
    below = np.where(first == len(steps), above, below)
    rheobase = below + (above - below) * rng.random(len(counts))
    silent = currents[None] < np.where(first == len(steps), np.inf, above)[:, None]
    return np.asarray(np.where(silent, 0.5 - slope * np.maximum(rheobase[:, None] - currents[None], 0.0), counts))
