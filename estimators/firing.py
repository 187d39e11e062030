"""This file is the firing: how many spikes a real cell makes at each current, from draws of a model and what they miss.

The count that a draw gives is scaled, as Kennedy and O'Hagan scale their code: all of it, half of it or none, the rest
being a straight line through what was counted. Which it is, and how large and smooth the error is that is left, the
sweeps that were seen decide for each draw.

References:
    Kennedy & O'Hagan (2001), J. R. Stat. Soc. B 63, 425-464. https://doi.org/10.1111/1467-9868.00294
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from estimators.discrepancy import Discrepancy
from estimators.shortfall import continued, incline
from estimators.yardstick import Yardstick

__all__ = ["Firing"]

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SHARES = {1.0: 0.6, 0.5: 0.2, 0.0: 0.2}
"""Share of the model in the count, and how likely it is thought to be."""

_RESTLESS = 1 / 3
"""By how many spikes a real cell's count varies at least when a step is repeated; at 5 spikes [yardstick]."""

_FLATTEST = 1e-2


class Firing:
    """Learn from sweeps how a cell's count differs from what draws of theta give.

    Args:
        yardstick: What counts are measured in.
        currents: Of the n sweeps that were seen, then of those that are asked about, shape (s,) [pA].
        made: Spikes of each draw under each, shape (d, s).
        counts: Spikes that were seen, shape (n,).
        rng: Source of randomness.

    Attributes:
        evidence: Log probability of the counts for each draw, shape (d,).
        share: Expected share of the model in the count for each draw, shape (d,).
    """

    def __init__(
        self, yardstick: Yardstick, currents: Array, made: Array, counts: Array, rng: np.random.Generator
    ) -> None:
        n = len(counts)
        self._yardstick, self._currents, self._seen, self._rng = yardstick, currents, currents[:n], rng
        self._positions = currents / max(float(np.abs(currents).max()), 1.0)
        self._counts = counts
        slope = incline(self._seen, counts) or _typical(currents, made)
        told = continued(self._seen, np.tile(counts, (len(made), 1)), slope, rng)
        carried = continued(currents, made, slope, rng)
        kept = self._kept()
        line = _straight(currents, self._seen[kept], told[:, kept])
        along = yardstick.along_counts
        self._bases = np.stack([along(share * carried + (1.0 - share) * line) for share in _SHARES])
        residuals = along(told[:, kept]) - self._bases[:, :, :n][:, :, kept]
        # A whole number of spikes is somewhere within half a spike of what made it.
        coarse = (along(counts[kept] + 0.5) - along(np.maximum(counts[kept] - 0.5, 0.0))) / np.sqrt(12.0)
        restless = float(along(np.array(5.0 + _RESTLESS)) - along(np.array(5.0)))
        self._errors = Discrepancy(residuals, self._positions[:n][kept], coarse, restless)
        evidence = self._errors.evidence + np.log(list(_SHARES.values()))[:, None]
        self.evidence = np.asarray(logsumexp(evidence, axis=0))
        self._likely = np.exp(evidence - self.evidence)
        self.share = np.asarray(np.array(list(_SHARES)) @ self._likely)

    def _kept(self) -> npt.NDArray[np.bool_]:
        """Choose the sweeps that tell: of those below the rheobase one says all, and the others nothing more."""
        fires = self._counts > 0.0
        lowest = self._seen[fires].min() if fires.any() else np.inf
        kept = fires | (self._seen > lowest)
        below = np.flatnonzero(~fires & (self._seen < lowest))
        if below.size:
            kept[below[np.argmax(self._seen[below])]] = True
        return np.asarray(kept)

    def draw(self, k: int, chosen: Indices) -> Array:
        """Draw the count of a sweep.

        Args:
            k: Which, of all currents.
            chosen: Draws of theta that it is wanted for, shape (c,).

        Returns:
            Shape (c,) [yardstick]; below that of half a spike where the cell is silent.
        """
        which = self._weighed(chosen)
        errors = self._errors.draw(float(self._positions[k]), chosen, self._rng)
        return np.asarray(self._bases[which, chosen, k] + errors[which, np.arange(len(chosen))])

    def rheobase(self, chosen: Indices) -> Array:
        """Draw the current at which the cell begins to fire.

        Args:
            chosen: Draws of theta that it is wanted for, shape (c,).

        Returns:
            Shape (c,) [pA], between the last silent step that was seen and the first that fired, where there are such.
        """
        which, rows = self._weighed(chosen), np.arange(len(chosen))
        order = np.argsort(self._currents, kind="stable")
        kinds = self._errors.choose(chosen, self._rng)
        expected = np.empty((len(chosen), len(order)))
        for column, k in enumerate(order):
            error = self._errors.expected(float(self._positions[k]), chosen, kinds)
            expected[:, column] = self._bases[which, chosen, k] + error[which, rows]
        threshold = float(self._yardstick.along_counts(np.array(0.5)))
        steps, fires = self._currents[order], self._counts > 0.0
        crossed = _crossing(steps, expected, threshold)
        high = self._seen[fires].min() if fires.any() else np.inf
        silent = self._seen[~fires & (self._seen < high)]
        return np.asarray(np.clip(crossed, silent.max() if silent.size else -np.inf, high))

    def _weighed(self, chosen: Indices) -> Indices:
        """Draw for each draw of theta what share the model has."""
        likely = np.cumsum(self._likely[:, chosen], axis=0)
        return np.asarray(np.minimum((self._rng.random(len(chosen)) > likely).sum(axis=0), len(_SHARES) - 1))


def _typical(currents: Array, made: Array) -> float:
    """Tell how steeply counts rise in most draws that fire at all, for a cell that has not fired."""
    slopes = [slope for row in made if (slope := incline(currents, row)) > 0.0]
    return float(np.median(slopes)) if slopes else _FLATTEST


def _straight(currents: Array, seen: Array, told: Array) -> Array:
    """Lay a straight line through counts carried on below the rheobase, one for each row, shape (d, s)."""
    middle = seen - seen.mean()
    square = float(middle @ middle)
    slope = told @ middle / square if square > 0.0 else np.zeros(len(told))
    return np.asarray(told.mean(axis=1, keepdims=True) + slope[:, None] * (currents - seen.mean()))


def _crossing(steps: Array, rows: Array, threshold: float) -> Array:
    """Find where each row first rises above a threshold, infinite where it does not, shape (rows,)."""
    above = rows >= threshold
    first = np.where(above.any(axis=1), above.argmax(axis=1), len(steps) - 1)
    before, index = np.maximum(first - 1, 0), np.arange(len(rows))
    low, high = rows[index, before], rows[index, first]
    rise = np.where(first > before, np.maximum(high - low, 1e-9), 1.0)
    share = np.where(first > before, (threshold - low) / rise, 1.0)
    found = steps[before] + np.clip(share, 0.0, 1.0) * (steps[first] - steps[before])
    return np.asarray(np.where(above.any(axis=1), found, np.inf))
