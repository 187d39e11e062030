"""This file is the Runge-Kutta method: many small systems of differential equations in equal steps, all at once.

References:
    Kutta (1901), Beitrag zur naeherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46:435.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["solve"]

Numbers = npt.NDArray[np.float64]


def solve(slope: Callable[[Numbers], Numbers], start: Numbers, interval: float, count: int, steps: int) -> Numbers:
    """Follow systems that do not depend on time.

    Args:
        slope: From states, shape (s, n), to their rates of change, same shape.
        start: States at time zero, shape (s, n).
        interval: Time between two states that are kept.
        count: How many are kept, the first at time zero.
        steps: Between two that are kept.

    Returns:
        Shape (count, s, n).

    Example:
        >>> states = solve(lambda x: -x, np.ones((1, 1)), interval=1.0, count=2, steps=20)
        >>> round(float(states[1, 0, 0] * np.e), 6)
        1.0
    """
    h = interval / steps
    state = start.copy()
    kept = [start.copy()]
    for _ in range(count - 1):
        for _ in range(steps):
            first = slope(state)
            second = slope(state + 0.5 * h * first)
            third = slope(state + 0.5 * h * second)
            fourth = slope(state + h * third)
            state = state + h / 6.0 * (first + 2.0 * (second + third) + fourth)
        kept.append(state.copy())
    return np.stack(kept)
