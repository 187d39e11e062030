"""This file is the relaxation: the exponential along which a current or a voltage settles after a step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Relaxation", "relax"]

_Array = npt.NDArray[np.float64]

_SHORTEST, _LONGEST = 2.0, 3.0
"""Time constants that are looked for, from so many samples to so many times the stretch."""

_GRID, _ROUNDS = 40, 4
_FEWEST = 8


@dataclass(frozen=True)
class Relaxation:
    """A settling: `final + size exp(-t / tau)`, t from the first sample.

    Args:
        final: Where it settles, in the trace's unit.
        size: How far from there it begins.
        tau: Time constant [ms].
        explained: Share of the trace's variance that it explains, from 0 to 1.
    """

    final: float
    size: float
    tau: float
    explained: float


def relax(trace: _Array, rate: float) -> Relaxation | None:
    """Fit one exponential by least squares.

    For each time constant the other two numbers follow at once, so that only one is searched for; there is no start
    value to be wrong about, and nothing that can fail to converge.

    Args:
        trace: Shape (n,).
        rate: Sampling rate [kHz].

    Returns:
        The best, or None where fewer than eight samples or samples that are not finite were given, or none varies.

    Example:
        >>> t = np.arange(200) / 20.0
        >>> found = relax(-70.0 - 3.0 * np.exp(-t / 2.5), 20.0)
        >>> round(found.tau, 4), round(found.size, 4), round(found.final, 4)
        (2.5, -3.0, -70.0)
    """
    n = len(trace)
    if n < _FEWEST or not np.isfinite(trace).all():
        return None
    centred = trace - trace.mean()
    total = float(centred @ centred)
    if total <= 1e-24 * max(1.0, float(trace @ trace)):
        return None
    time = np.arange(n) / rate
    low, high = math.log(_SHORTEST / rate), math.log(_LONGEST * n / rate)
    best, left = low, math.inf
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _GRID)
        shapes = np.exp(-time / np.exp(grid)[:, None])
        shapes -= shapes.mean(1, keepdims=True)
        unexplained = total - (shapes @ centred) ** 2 / (shapes**2).sum(1)
        k = int(np.argmin(unexplained))
        best, left = float(grid[k]), float(unexplained[k])
        low, high = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, _GRID - 1)])
    shape = np.exp(-time / math.exp(best))
    size = float(centred @ (shape - shape.mean()) / ((shape - shape.mean()) ** 2).sum())
    final = float(trace.mean() - size * shape.mean())
    return Relaxation(final, size, math.exp(best), min(1.0, max(0.0, 1.0 - left / total)))
