"""This file is the yardstick: the scale on which what a model misses of a feature is of like size everywhere.

Voltages are measured in the spread that they have over the training sweeps, and what spans decades in that of its
logarithm, as the network's own scaling found them. Counts of spikes are the exception: a real cell is a spike or two
off at 3 spikes as it is at 10, and only beyond thirty by a share of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.features import NAMES
from estimators.scaling import Scaling

__all__ = ["COUNTS", "Yardstick"]

COUNTS = tuple(NAMES.index(name) for name in ("spike_count", "late_count", "spikes_before", "rebound_spikes"))
"""Columns of the features that count spikes."""

_MANY = 30.0
_UNIT = 6.0
_HIGHEST = 25.0


class Yardstick:
    """Measure features in units that are of like size.

    Args:
        scaling: The network's, fitted.
    """

    def __init__(self, scaling: Scaling) -> None:
        columns = len(NAMES)
        self._logs = scaling.logs[:columns].numpy().copy()
        self._bend = scaling.bend[:columns].numpy().astype(np.float64)
        self._unit = scaling.spread[:columns].numpy().astype(np.float64)
        counts = list(COUNTS)
        self._logs[counts], self._bend[counts], self._unit[counts] = True, _MANY, _UNIT / _MANY

    def along(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Measure.

        Args:
            features: Shape (..., f), NaN where missing.

        Returns:
            The same shape, NaN where missing.
        """
        bent = np.sign(features) * np.log1p(np.abs(features) / self._bend)
        return np.asarray(np.where(self._logs, bent, features) / self._unit)

    def along_counts(self, counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Measure counts of spikes, or what they are carried on to below none.

        Args:
            counts: Of any shape.

        Returns:
            The same shape.
        """
        return np.asarray(np.sign(counts) * np.log1p(np.abs(counts) / _MANY) * (_MANY / _UNIT))

    def back(self, measured: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn measures into features; the inverse of `along`, but that a count is a whole number from 0.

        Args:
            measured: Shape (..., f), NaN where missing.

        Returns:
            The same shape, NaN where missing.
        """
        x = measured * self._unit
        bent = np.sign(x) * np.expm1(np.minimum(np.abs(x), _HIGHEST)) * self._bend
        features = np.where(self._logs, bent, x)
        counts = list(COUNTS)
        features[..., counts] = np.maximum(np.round(features[..., counts]), 0.0)
        return np.asarray(features)
