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
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.cell import DISCREPANCY
from estimators.context import CONTEXT
from estimators.generation import Sets
from estimators.scaling import Scaling
from estimators.yardstick import COUNTS, Yardstick
from simulators.parameter import Parameter

__all__ = ["Distortion"]

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
            The same with other features; what is missing stays missing, a silent sweep silent.
        """
        if self._column is None or self._parameter is None:
            return sets
        features = np.empty_like(sets.features)
        for begin in range(0, len(sets), _CELLS):
            end = min(begin + _CELLS, len(sets))
            rows = slice(sets.first[begin], sets.first[end])
            lengths = np.diff(sets.first[begin : end + 1])
            of_cell = np.repeat(np.arange(end - begin), lengths)
            size = self._parameter.constrain(sets.u[sets.first[begin + 1 : end + 1] - 1, self._column].astype(float))
            positions = _positions(sets.context[rows], of_cell)
            features[rows] = self._distorted(sets.features[rows], size, positions, of_cell, rng)
        return Sets(sets.u, features, sets.context, sets.first)

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
        if self._column is None:
            return features
        cells = np.arange(len(features))
        return self._distorted(features, theta[:, self._column], np.ones(len(features)), cells, rng)

    def _distorted(
        self,
        features: Array,
        size: Array,
        positions: Array,
        of_cell: npt.NDArray[np.int64],
        rng: np.random.Generator,
    ) -> npt.NDArray[np.float64]:
        """Add the three errors of each feature, in units of the yardstick."""
        columns = features.shape[1]
        shape = (len(size), columns)
        sizes = (size[:, None] * np.exp(rng.normal(0.0, _APART, shape))).astype(np.float32)
        error = np.sqrt(0.5) * rng.standard_normal(shape, dtype=np.float32)[of_cell]
        error += np.sqrt(0.5) * _smooth(positions.astype(np.float32), shape, of_cell, rng)
        error += _OWN * rng.standard_normal(features.shape, dtype=np.float32)
        moved = self._yardstick.back(self._yardstick.along(features) + sizes[of_cell] * error)
        counts = list(COUNTS)
        fired = np.nan_to_num(features[:, counts]) > 0
        moved[:, counts] = np.where(fired, np.maximum(moved[:, counts], 1.0), features[:, counts])
        return moved


def _positions(context: Array, of_cell: npt.NDArray[np.int64]) -> Array:
    """Give the current of each sweep over the largest of its cell."""
    step = context[:, CONTEXT.index("amplitude")]
    largest = np.full(int(of_cell[-1]) + 1, 5.0)
    np.maximum.at(largest, of_cell, np.abs(step))
    return np.asarray(step / largest[of_cell])


def _smooth(
    positions: Array, shape: tuple[int, int], of_cell: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Draw functions of the current that change within a length drawn for each, as sums of waves, unit variance."""
    shortest, longest = np.log(_LENGTHS)
    length = np.exp(rng.uniform(shortest, longest, shape)).astype(np.float32)
    total = np.zeros((len(positions), shape[1]), dtype=np.float32)
    for _ in range(_WAVES):
        pace = rng.standard_normal(shape, dtype=np.float32) / length
        phase = rng.uniform(0.0, 2.0 * np.pi, shape).astype(np.float32)
        height = rng.standard_normal(shape, dtype=np.float32)
        total += np.cos(positions[:, None] * pace[of_cell] + phase[of_cell]) * height[of_cell]
    return np.asarray(total * np.float32(np.sqrt(2.0 / _WAVES)))
