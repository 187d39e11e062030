"""This file is the lookout: it follows the posteriors of one cell and raises an alarm where a parameter has changed.

It needs a network whose posterior is of the latest sweep, and nothing but the draws that are made anyway. Each
parameter's posterior now is compared with its posterior after every sweep before, in standard deviations of the
difference as if both were independent. How far the farthest of these comparisons goes on cells that hold still, over a
whole session of forty sweeps, was measured on simulated ones when the network was made (`estimators.stillness`): one
such session in twenty has an alarm, over all its sweeps and parameters together. Beyond forty sweeps the latest forty
are compared, and a longer session has more chances of a false alarm.

References:
    Page (1954), Continuous inspection schemes. Biometrika 41, 100-115. https://doi.org/10.1093/biomet/41.1-2.100
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.shift import Shift, onset, shift_between
from simulators.parameter import Parameter

__all__ = ["LIMITS", "MOST", "Lookout", "comparisons", "outline"]

Array = npt.NDArray[np.float64]

LIMITS = "change_limits"
"""Name of the limits among the references of a checkpoint; one that was not made to track has none."""

MOST = 40
"""Sweeps that are compared with one another."""

_ENDS = (15.865525, 50.0, 84.134475)
_NARROWEST = 1e-3


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was known after one sweep: its number, draws in physical units, and middle and width of each parameter."""

    sweep: int
    draws: Array
    middle: Array
    width: Array


def outline(u: Array) -> tuple[Array, Array]:
    """Give the middle and the width of posteriors, where the prior is the standard normal.

    Args:
        u: Unconstrained draws, shape (s, ...).

    Returns:
        Medians, and half of what the central 68 % take, each of shape (...).
    """
    low, middle, high = np.percentile(u, _ENDS, axis=0)
    return middle, np.maximum(0.5 * (high - low), _NARROWEST)


def comparisons(middles: Array, widths: Array) -> Array:
    """Compare the latest posterior with each before it.

    Args:
        middles: Of the posteriors sweep by sweep, shape (n, ...).
        widths: The same.

    Returns:
        Differences over what both widths come to together, shape (n - 1, ...).

    Example:
        >>> comparisons(np.array([0.0, 1.0, 3.0]), np.array([4.0, 3.0, 3.0])).round(2).tolist()
        [0.6, 0.47]
    """
    return np.asarray((middles[-1] - middles[:-1]) / np.hypot(widths[-1], widths[:-1]))


class Lookout:
    """Follow one cell.

    Args:
        parameters: Columns of the draws.
        limits: From which size a comparison is an alarm, shape (p,).
    """

    def __init__(self, parameters: Sequence[Parameter], limits: Array) -> None:
        self._parameters, self._limits = tuple(parameters), limits
        self._seen: deque[_Seen] = deque(maxlen=MOST)
        self._alarmed: dict[int, float] = {}

    def after(self, sweep: int, draws: Array) -> tuple[Shift, ...]:
        """Take the posterior of the latest sweep.

        Args:
            sweep: Its number, from 0, larger than those before.
            draws: In physical units, shape (s, p).

        Returns:
            Parameters of which an alarm has been raised, the surest first, as they look now.

        Raises:
            ValueError: If the draws have another number of columns than there are parameters.
        """
        if draws.ndim != 2 or draws.shape[1] != len(self._parameters):
            raise ValueError(f"Draws have shape {draws.shape}, (s, {len(self._parameters)}) was wanted.")
        u = np.stack([p.unconstrain(draws[:, k]) for k, p in enumerate(self._parameters)], axis=1)
        self._seen.append(_Seen(sweep, draws, *outline(u)))
        if len(self._seen) > 1:
            self._compare()
        return tuple(self._shift(k) for k in sorted(self._alarmed, key=lambda k: -self._alarmed[k]))

    def _compare(self) -> None:
        """Note which comparisons go beyond their limits; an alarm stays, with the surest evidence for it."""
        middles, widths = self._courses()
        strengths = np.abs(comparisons(middles, widths)).max(axis=0) / self._limits
        for k in np.flatnonzero(strengths > 1.0):
            self._alarmed[int(k)] = max(float(strengths[k]), self._alarmed.get(int(k), 0.0))

    def _courses(self) -> tuple[Array, Array]:
        return np.stack([seen.middle for seen in self._seen]), np.stack([seen.width for seen in self._seen])

    def _shift(self, k: int) -> Shift:
        """Tell when it began, and how now differs from what was known just before."""
        middles, widths = self._courses()
        begun = onset(middles[:, k], widths[:, k])
        before, first, now = self._seen[begun - 1], self._seen[begun], self._seen[-1]
        some = min(len(before.draws), len(now.draws))
        pair = before.draws[:some, k], now.draws[::-1][:some, k]
        return shift_between(self._parameters[k], *pair, first.sweep, self._alarmed[k])
