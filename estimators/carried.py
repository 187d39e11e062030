"""This file is the carried error: what a model missed of the sweeps so far, drawn on for the sweep to come.

A cell's error is the same in all its sweeps but for a part that changes with the current. So what a draw of theta
misses of the sweeps that were made says what it will miss of the next: were the error drawn afresh, a repeated sweep
would seem to tell as much as another, and no network that was trained on shared errors would believe it. What the rig
does to all sweeps, and the draw's own rig does not, is carried with it, as far as such an error is thought possible.

References:
    Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, section 2.2. MIT Press.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.yardstick import COUNTS, Yardstick

__all__ = ["Carried"]

Array = npt.NDArray[Any]

_LENGTHS = (0.17, 0.55, 1.7)
_FACTORS = {0.55: 0.25, 1.0: 0.5, 1.8: 0.25}
"""How large a feature's error is beside what the draw believes, each with its weight: e to the power of 0.5 times a
standard normal, in three steps."""

_OWN = 1 / 9
_MISSING = 1e6
_LEAST = 1e-2


class Carried:
    """Draw the errors of sweeps to come, given those of sweeps that were made.

    Args:
        yardstick: What features are measured in.
        seen: Features of the sweeps that were made, shape (k, f), NaN where missing.
        made: Of the same sweeps as each draw has them, without an error, shape (m, k, f), NaN where missing.
        positions: Current of each over the largest, shape (k,).
        size: Discrepancy of each draw, shape (m,).
        noise: Variance of each feature that no two sweeps share, shape (f,) [yardstick squared].
        rng: Source of randomness.
    """

    def __init__(
        self,
        yardstick: Yardstick,
        seen: Array,
        made: Array,
        positions: Array,
        size: Array,
        noise: Array,
        rng: np.random.Generator,
    ) -> None:
        self._yardstick, self._positions = yardstick, positions
        missed = yardstick.along(seen) - yardstick.along(made)
        counts = list(COUNTS)
        # Whether a cell fires is no matter of an error's size.
        silent = (np.nan_to_num(seen[:, counts]) == 0) | (np.nan_to_num(made[:, :, counts]) == 0)
        missed[:, :, counts] = np.where(silent, np.nan, missed[:, :, counts])
        missed = missed.swapaxes(1, 2)
        self._learn(np.nan_to_num(missed), np.isnan(missed), np.maximum(size, _LEAST), noise, rng)
        self._drawn = rng.standard_normal(missed.shape[:2])

    def add(self, features: Array, position: float) -> Array:
        """Distort one sweep of each draw; what is random is the same for every sweep.

        Args:
            features: Shape (m, f), NaN where missing.
            position: Its current over the largest.

        Returns:
            The same shape; what is missing stays missing, a silent sweep silent.
        """
        towards = self._size[..., None] ** 2 * _smooth(self._positions - position, self._length[..., None])
        mean = (towards * self._pull).sum(axis=-1)
        known = (towards[..., None, :] @ self._inverse @ towards[..., None])[..., 0, 0]
        spread = np.sqrt(np.maximum(self._size**2 - known, 0.0) + _OWN * self._size**2)
        moved = self._yardstick.back(self._yardstick.along(features) + mean + spread * self._drawn)
        counts = list(COUNTS)
        fired = np.nan_to_num(features[:, counts]) > 0
        moved[:, counts] = np.where(fired, np.maximum(moved[:, counts], 1.0), features[:, counts])
        return np.asarray(moved)

    def _learn(self, missed: Array, gone: Array, size: Array, noise: Array, rng: np.random.Generator) -> None:
        """Draw how smooth and how large each feature's error is, by how well that explains what was missed."""
        k = missed.shape[2]
        gaps = self._positions[:, None] - self._positions[None]
        grid = list(product(_LENGTHS, _FACTORS))
        own = np.eye(k) * (noise[None, :, None, None] + _MISSING * gone[..., None])
        best = np.full(missed.shape[:2], -np.inf)
        self._length, self._size = np.empty_like(best), np.empty_like(best)
        self._inverse = np.empty((*best.shape, k, k))
        for length, factor in grid:
            large = np.broadcast_to(factor * size[:, None], best.shape)
            shared = _smooth(gaps, length) + _OWN * np.eye(k)
            inverse, volume = _inverted(large[..., None, None] ** 2 * shared + own)
            square = (missed * (inverse @ missed[..., None])[..., 0]).sum(axis=-1)
            score = np.log(_FACTORS[factor]) - 0.5 * (volume + square)
            # By Gumbel's trick, one of the grid by its probability; what is missing adds the same to each.
            score -= np.log(rng.exponential(size=best.shape))
            better = score > best
            best = np.where(better, score, best)
            self._length[better], self._size[better] = length, large[better]
            self._inverse[better] = inverse[better]
        self._pull = (self._inverse @ missed[..., None])[..., 0]


def _inverted(covariance: Array) -> tuple[Array, Array]:
    """Invert covariances, and give the logarithm of their determinants."""
    return np.linalg.inv(covariance), np.linalg.slogdet(covariance)[1]


def _smooth(gaps: Array, length: Array | float) -> Array:
    """Give the correlation of errors at currents so far apart: half of it the cell's, half changing smoothly."""
    return np.asarray(0.5 + 0.5 * np.exp(-0.5 * (gaps / length) ** 2))
