"""This file is the trained: a posterior as a benchmark sees it, whoever trained it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior

__all__ = ["Train", "Trained"]

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """An amortized posterior.

    Args:
        draw: From one observation, shape (d,), and a number to as many draws, shape (n, p).
        draw_many: From observations, shape (b, d), and a number to as many draws of each, shape (n, b, p).
        log_prob: From theta, shape (n, p), and x, shape (n, d), to the log density of each under its own x.
    """

    draw: Callable[[Numbers, int], Numbers]
    draw_many: Callable[[Numbers, int], Numbers]
    log_prob: Callable[[Numbers, Numbers], Numbers]


Train = Callable[[Numbers, Numbers, Prior, int], Trained]
"""From theta, x, their prior and a seed to what was trained."""
