"""This file is the blame: how much of a parameter's uncertainty is the model's error, and not the data's.

Draws from the posterior carry the discrepancy that each of them believes in. Where they believe the model to be right,
they lie as close as the data allow; what they scatter more where they believe it to be wrong is the model's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["DISCREPANCY", "blame"]

DISCREPANCY = "discrepancy"
"""Name of what is no parameter of a membrane: how far the model is off."""

Array = npt.NDArray[np.float64]

_FEWEST = 50


def blame(draws: Array, size: Array) -> Array:
    """Divide the variance of each parameter between the model's error and all else.

    The squared distance of a draw from where draws of its size of error lie on average is fitted by a straight line of
    that size squared, neither part below nothing.

    Args:
        draws: Of the parameters where their prior is normal, shape (s, p).
        size: Discrepancy of each draw, shape (s,).

    Returns:
        Share of the model's error, 0 to 1, shape (p,); NaN where there are fewer than 50 draws.
    """
    if len(draws) < _FEWEST:
        return np.full(draws.shape[1], np.nan)
    square = size**2
    level = np.stack([np.ones_like(square), square], axis=1)
    where = np.linalg.lstsq(level, draws, rcond=None)[0]
    scatter = np.linalg.lstsq(level, (draws - level @ where) ** 2, rcond=None)[0]
    right = np.maximum(scatter[0], 0.0)
    wrong = np.maximum(scatter[1], 0.0) * float(square.mean()) + (
        draws.var(axis=0) - (draws - level @ where).var(axis=0)
    )
    total = right + wrong
    return np.asarray(np.where(total > 0.0, wrong / np.where(total > 0.0, total, 1.0), 0.0))
