"""This file is the CRPS: how far weighted draws are from the truth, as a score that only honesty makes small.

References:
    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359-378. https://doi.org/10.1198/016214506000001437
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["crps"]

Array = npt.NDArray[np.float64]


def crps(draws: Array, weights: Array, truth: Array) -> Array:
    """Score each column by the mean distance to the truth, less half of that between two draws.

    Args:
        draws: Shape (d, p).
        weights: Of the draws, summing to one, shape (d,).
        truth: Shape (p,).

    Returns:
        Shape (p,), in the draws' unit; 0 where every draw is the truth.

    Example:
        >>> crps(np.array([[0.0], [2.0]]), np.array([0.5, 0.5]), np.array([0.0])).tolist()
        [0.5]
    """
    order = np.argsort(draws, axis=0)
    ranked, weight = np.take_along_axis(draws, order, axis=0), weights[order]
    below = np.cumsum(weight, axis=0)
    apart = 2.0 * (weight * ranked * (2.0 * below - weight - 1.0)).sum(axis=0)
    return np.asarray(weights @ np.abs(draws - truth) - 0.5 * apart)
