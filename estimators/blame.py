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
    rest = draws - _line(square, draws)
    scatter = _line(np.array([0.0, 1.0]), rest**2, square)
    right = np.maximum(scatter[0], 0.0)
    wrong = np.maximum(scatter[1] - scatter[0], 0.0) * float(square.mean()) + draws.var(axis=0) - rest.var(axis=0)
    total = right + wrong
    return np.asarray(np.where(total > 0.0, wrong / np.where(total > 0.0, total, 1.0), 0.0))


def _line(at: Array, values: Array, over: Array | None = None) -> Array:
    """Fit a straight line to each column, in closed form: a library's solver takes 8 ms where its threads meet others.

    Args:
        at: Where the lines are wanted, shape (n,).
        values: Shape (s, p).
        over: Where the values are, shape (s,); as many as `at`, where they are not told apart.

    Returns:
        Shape (n, p).
    """
    over = at if over is None else over
    away = over - over.mean()
    width = float(away @ away)
    slope = away @ values / width if width > 0.0 else np.zeros(values.shape[1])
    return np.asarray(values.mean(axis=0) + (at - over.mean())[:, None] * slope)
