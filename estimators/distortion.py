"""This file is the distortion: what a model would miss of a real cell, drawn for simulated ones.

A posterior from perfect sweeps of a model sharpens with every sweep, also where the sweeps are a neuron's and the model
is wrong. So simulated features are distorted before a network sees them, as `estimators.discrepancy` believes that a
model is: by an error that all sweeps of a cell share, one that changes smoothly with the current, and one of each
sweep's own. How large they are is the cell's parameter `discrepancy`, which the network infers with the others: it
learns how far features can be trusted, and how to tell that from the sweeps.

References:
    Ward et al. (2022), Robust neural posterior estimation and statistical model criticism. arXiv:2210.06564
    Kennedy & O'Hagan (2001), J. R. Stat. Soc. B 63, 425-464. https://doi.org/10.1111/1467-9868.00294
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.blame import DISCREPANCY
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.scaling import Scaling
from estimators.sets import Sets
from estimators.yardstick import COUNTS, Yardstick
from simulators.parameter import Parameter

__all__ = ["Distortion", "Errors", "Waves"]

_APART = 0.5
_LENGTHS = (0.1, 3.0)
_WAVES = 4
_OWN = 1 / 3
_CELLS = 1500

Array = npt.NDArray[Any]


class Distortion:
    """Distort simulated sweeps, or leave them alone where the model is taken to be right.

    Args:
        parameters: Of the process; where none is called "discrepancy" nothing is distorted.
        scaling: The network's, fitted.
    """

    def __init__(self, parameters: Sequence[Parameter], scaling: Scaling) -> None:
        names = [parameter.name for parameter in parameters]
        self._column = names.index(DISCREPANCY) if DISCREPANCY in names else None
        self._parameter = None if self._column is None else parameters[self._column]
        self._yardstick = Yardstick(scaling)

    def __call__(self, sets: Sets, rng: np.random.Generator) -> Sets:
        """Distort sets of sweeps, each as its cell's discrepancy wants it.

        Args:
            sets: Undistorted.
            rng: Source of randomness; untouched where nothing is distorted.

        Returns:
            The same with other features; what is missing stays missing, a silent sweep silent, and a set whose steps
                were chosen as it is.
        """
        if self._column is None or self._parameter is None:
            return sets
        features = np.empty_like(sets.features)
        for begin in range(0, len(sets), _CELLS):
            end = min(begin + _CELLS, len(sets))
            rows = slice(sets.first[begin], sets.first[end])
            of_cell = np.repeat(np.arange(end - begin), np.diff(sets.first[begin : end + 1]))
            # Theta walks; what the network is asked for is that of the last sweep.
            u = sets.u[sets.first[begin + 1 : end + 1] - 1, self._column].astype(np.float64)
            errors = Errors(self._yardstick, self._parameter.constrain(u), rng)
            moved = errors.add(sets.features[rows], _positions(sets.context[rows], of_cell), of_cell, rng)
            # Whose steps followed distorted answers were distorted then: another error would hide what was followed.
            features[rows] = np.where(sets.is_chosen[begin:end][of_cell, None], sets.features[rows], moved)
        return replace(sets, features=features)

    def errors(self, theta: npt.NDArray[np.float64], rng: np.random.Generator) -> Errors:
        """Draw how a model errs on cells, before any current is chosen.

        Args:
            theta: One row a cell, shape (c, p).
            rng: Source of randomness; untouched where nothing is distorted.

        Returns:
            The errors.
        """
        size = np.zeros(len(theta)) if self._column is None else theta[:, self._column]
        return Errors(self._yardstick, size, rng)

    def forecast(
        self, features: npt.NDArray[np.float64], theta: npt.NDArray[np.float64], rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Distort one sweep of each of several draws of theta.

        Args:
            features: Shape (d, f), NaN where missing.
            theta: The draws, shape (d, p).
            rng: Source of randomness; untouched where nothing is distorted.

        Returns:
            Shape (d, f).
        """
        cells = np.arange(len(features))
        return self.errors(theta, rng).add(features, np.ones(len(features)), cells, rng)


class Errors:
    """How a model errs on cells: for each feature an error that all sweeps share, and one that follows the current.

    Args:
        yardstick: What features are measured in.
        size: Discrepancy of each cell, shape (c,); where all are 0, nothing is drawn or changed.
        rng: Source of randomness.
    """

    def __init__(self, yardstick: Yardstick, size: Array, rng: np.random.Generator) -> None:
        self._yardstick, self._none = yardstick, not np.any(size)
        if self._none:
            return
        shape = (len(size), len(NAMES))
        self._sizes = (size[:, None] * np.exp(rng.normal(0.0, _APART, shape))).astype(np.float32)
        self._shared = np.float32(np.sqrt(0.5)) * rng.standard_normal(shape, dtype=np.float32)
        self._waves = Waves(shape, rng)

    def add(self, features: Array, positions: Array, of_cell: npt.NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Distort sweeps.

        Args:
            features: Shape (s, f), NaN where missing.
            positions: Current of each over the largest of its cell, shape (s,).
            of_cell: Which cell each belongs to, shape (s,).
            rng: Source of what is every sweep's own.

        Returns:
            Shape (s, f).
        """
        if self._none:
            return features
        error = self._shared[of_cell] + np.float32(np.sqrt(0.5)) * self._waves.at(positions, of_cell)
        error += np.float32(_OWN) * rng.standard_normal(features.shape, dtype=np.float32)
        moved = self._yardstick.back(self._yardstick.along(features) + self._sizes[of_cell] * error)
        counts = list(COUNTS)
        fired = np.nan_to_num(features[:, counts]) > 0
        moved[:, counts] = np.where(fired, np.maximum(moved[:, counts], 1.0), features[:, counts])
        return moved


class Waves:
    """Random functions of the current, of unit variance, each changing within a length of its own.

    Args:
        shape: Cells and features.
        rng: Source of randomness.
    """

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        shortest, longest = np.log(_LENGTHS)
        length = np.exp(rng.uniform(shortest, longest, shape)).astype(np.float32)
        whole = (_WAVES, *shape)
        self._pace = rng.standard_normal(whole, dtype=np.float32) / length
        self._phase = np.float32(2.0 * np.pi) * rng.random(whole, dtype=np.float32)
        self._height = np.float32(np.sqrt(2.0 / _WAVES)) * rng.standard_normal(whole, dtype=np.float32)

    def at(self, positions: Array, of_cell: npt.NDArray[np.int64]) -> Array:
        """Evaluate.

        Args:
            positions: Current over the largest, shape (s,).
            of_cell: Which cell each belongs to, shape (s,).

        Returns:
            Shape (s, features).
        """
        where = positions.astype(np.float32)[:, None]
        total = np.zeros((len(positions), self._pace.shape[2]), dtype=np.float32)
        for pace, phase, height in zip(self._pace, self._phase, self._height, strict=True):
            total += np.cos(where * pace[of_cell] + phase[of_cell]) * height[of_cell]
        return total


def _positions(context: Array, of_cell: npt.NDArray[np.int64]) -> Array:
    """Give the current of each sweep over the largest of its cell."""
    step = context[:, CONTEXT.index("amplitude")]
    largest = np.full(int(of_cell[-1]) + 1, 5.0)
    np.maximum.at(largest, of_cell, np.abs(step))
    return np.asarray(step / largest[of_cell])
