"""This file is the discrepancy: what a model misses of a real cell, as a smooth function of the stimulus.

A feature of a real sweep is what the model says, plus an error that all sweeps of the cell share, plus one that
changes smoothly with the current of the step, plus one that is every sweep's own. The first two have a Gaussian
process for their prior; how large, how smooth and how noisy they are is not known, so a grid of possibilities is kept,
each weighed by how well it explains what the model missed so far.

References:
    Kennedy & O'Hagan (2001), J. R. Stat. Soc. B 63, 425-464. https://doi.org/10.1111/1467-9868.00294
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

__all__ = ["Discrepancy"]

Array = npt.NDArray[np.float64]

_SIZES = {0.02: 1.0, 0.05: 1.0, 0.1: 1.0, 0.2: 0.7, 0.4: 0.4, 0.8: 0.15}
_LENGTHS = (0.1, 0.3, 1.0, 3.0)
_NOISES = {0.01: 1.0, 0.03: 1.0, 0.1: 0.7, 0.3: 0.3}
"""What is thought possible, in units of the yardstick and of the largest current, with its weight: small errors are
likelier than large ones."""

_GRID = tuple(product(_SIZES, _LENGTHS, _NOISES))
_PRIOR = np.log([_SIZES[size] * _NOISES[noise] for size, _, noise in _GRID])
_PRIOR -= logsumexp(_PRIOR)


class Discrepancy:
    """Learn the error of one or several features from sweeps, for each of many draws of theta.

    Args:
        residuals: What was measured less what each draw gives, shape (q, d, n), finite [yardstick].
        positions: Current of each sweep over the largest, shape (n,).
        coarse: Standard deviation of what was lost in measuring each sweep, shape (n,), or of all [yardstick].
        least: Of what differs from sweep to sweep for certain [yardstick].
    """

    def __init__(self, residuals: Array, positions: Array, coarse: Array | float = 0.0, least: float = 0.0) -> None:
        self._residuals, self._positions, self._least = residuals, positions, least
        q, d, n = residuals.shape
        gaps = np.abs(positions[:, None] - positions[None])
        self._factors = []
        scores = np.empty((q, d, len(_GRID)))
        rows = residuals.reshape(-1, n).T
        for k, (size, length, noise) in enumerate(_GRID):
            covariance = _smooth(gaps, size, length) + (noise**2 + least**2 + 1e-8 + np.square(coarse)) * np.eye(n)
            factor = np.linalg.cholesky(covariance)
            whitened = solve_triangular(factor, rows, lower=True)
            volume = np.log(np.diag(factor)).sum() + 0.5 * n * np.log(2.0 * np.pi)
            scores[:, :, k] = (-0.5 * (whitened**2).sum(axis=0) - volume).reshape(q, d)
            self._factors.append(factor)
        self._scores = scores + _PRIOR

    @property
    def evidence(self) -> Array:
        """Log probability of the residuals of each feature and draw, shape (q, d)."""
        return np.asarray(logsumexp(self._scores, axis=-1))

    def choose(self, chosen: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Draw how large, smooth and noisy the error is.

        Args:
            chosen: Draws of theta that it is wanted for, shape (c,).
            rng: Source of randomness.

        Returns:
            Which of the possibilities, shape (q, c).
        """
        scores = self._scores[:, chosen]
        shares = np.cumsum(np.exp(scores - scores.max(axis=-1, keepdims=True)), axis=-1)
        return np.asarray((rng.random((*shares.shape[:2], 1)) * shares[..., -1:] > shares).sum(axis=-1))

    def expected(self, position: float, chosen: npt.NDArray[np.int64], which: npt.NDArray[np.int64]) -> Array:
        """Give the error that is expected at another current.

        Args:
            position: That current over the largest.
            chosen: Draws of theta that it is wanted for, shape (c,).
            which: Of the possibilities for each, shape (q, c).

        Returns:
            Shape (q, c) [yardstick].
        """
        return self._at(position, chosen, which)[0]

    def draw(self, position: float, chosen: npt.NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Draw the error at another current.

        Args:
            position: That current over the largest.
            chosen: Draws of theta that it is wanted for, shape (c,).
            rng: Source of randomness.

        Returns:
            Shape (q, c) [yardstick].
        """
        expected, spread = self._at(position, chosen, self.choose(chosen, rng))
        return expected + spread * rng.standard_normal(expected.shape)

    def _at(self, position: float, chosen: npt.NDArray[np.int64], which: npt.NDArray[np.int64]) -> tuple[Array, Array]:
        """Give the mean of the error at another current and its standard deviation, each of shape (q, c)."""
        gaps = np.abs(position - self._positions)
        expected, spread = np.empty(which.shape), np.empty(which.shape)
        for k in np.unique(which):
            size, length, noise = _GRID[k]
            towards = _smooth(gaps, size, length)
            weights = solve_triangular(self._factors[k].T, solve_triangular(self._factors[k], towards, lower=True))
            q, c = np.nonzero(which == k)
            expected[q, c] = self._residuals[q, chosen[c]] @ weights
            spread[q, c] = np.sqrt(max(size**2 - towards @ weights, 0.0) + noise**2 + self._least**2)
        return expected, spread

    @staticmethod
    def unknown(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw errors of features that no sweep has shown yet.

        Args:
            shape: How many.
            rng: Source of randomness.

        Returns:
            Of that shape [yardstick].
        """
        which = rng.choice(len(_GRID), shape, p=np.exp(_PRIOR))
        spreads = np.array([np.hypot(size, noise) for size, _, noise in _GRID])
        return np.asarray(spreads[which] * rng.standard_normal(shape))


def _smooth(gaps: Array, size: float, length: float) -> Array:
    """Give the covariance of the error at currents so far apart: half of it the cell's, half changing smoothly."""
    return np.asarray(size**2 * (0.5 + 0.5 * np.exp(-0.5 * (gaps / length) ** 2)))
