"""This file is the prequential misfit: how far a sweep lies from what the sweeps before it predicted.

Draws from the posterior of sweeps 1 to n-1 are simulated under sweep n's stimulus before it is looked at. Each
feature's distance from the predicted median is taken in predicted widths; their mean square is ranked among those of
fresh simulated cells of the model itself (a conformal p-value), in the stratum of as many sweeps.

References:
    Dawid (1984), J. R. Stat. Soc. A 147, 278-292. https://doi.org/10.2307/2981683
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.features import FEATURES, NAMES
from estimators.oddity import RARE, Oddity, Side

__all__ = ["STRATA", "Misfit", "Prediction", "misfit_score", "predict", "rank"]

STRATA = (1, 3, 10)
"""A stratum begins at each of these numbers of sweeps that the prediction rests on."""

_FLOOR = np.array([{"mV": 0.3, "mV/s": 2.0, "mV/ms": 1.0, "ms": 0.3, "MOhm": 2.0}.get(f.unit, 0.1) for f in FEATURES])
_SMOOTH = np.array([name not in ("voltage_skewness", "voltage_kurtosis", "adaptation", "isi_cv") for name in NAMES])
_COUNTS = np.array([name in ("spike_count", "late_count", "spikes_before", "rebound_spikes") for name in NAMES])
_FARTHEST = 8.0
_MOST = 5


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is expected of a sweep.

    Args:
        quantiles: 5, 16, 50, 84 and 95 % of each feature, shape (5, f), NaN where hardly any draw has it.
        there: Share of draws that have the feature, shape (f,).
    """

    quantiles: npt.NDArray[np.float64]
    there: npt.NDArray[np.float64]

    def intervals(self) -> dict[str, tuple[float, float, float]]:
        """Give what most draws agree to have.

        Returns:
            {feature: (5 %, median, 95 %)}.
        """
        return {
            name: (float(self.quantiles[0, k]), float(self.quantiles[2, k]), float(self.quantiles[4, k]))
            for k, name in enumerate(NAMES)
            if self.there[k] > 0.5
        }


@dataclass(frozen=True)
class Misfit:
    """How a sweep fits its prediction.

    Args:
        p: Share of fresh simulated sweeps that fit no better, 0 to 1.
        score: Mean square distance in predicted widths.
        worst: Name of the feature that is farthest off, with what was predicted, as a clause; or None.
        off: Features that are off, worst first; where none is, the farthest.
    """

    p: float
    score: float
    worst: str | None
    off: tuple[Oddity, ...] = ()


def predict(features: npt.NDArray[np.float64]) -> Prediction:
    """Summarize simulated draws.

    Args:
        features: Of the draws, shape (d, f), NaN where missing.

    Returns:
        The prediction.
    """
    there = np.isfinite(features).mean(axis=0)
    known = there > 0.2
    quantiles = np.full((5, features.shape[1]), np.nan)
    quantiles[:, known] = np.nanquantile(features[:, known], [0.05, 0.16, 0.5, 0.84, 0.95], axis=0)
    return Prediction(quantiles, there)


def _distances(prediction: Prediction, row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give each feature's distance from the median in predicted half-widths, NaN where it can't be said."""
    low, middle, high = prediction.quantiles[1:4]
    width = np.where(row < middle, middle - low, high - middle) + np.where(_COUNTS, 0.7, _FLOOR)
    distance = (row - middle) / width
    distance[~_SMOOTH | (prediction.there < 0.5)] = np.nan
    return np.asarray(np.clip(distance, -_FARTHEST, _FARTHEST))


def misfit_score(prediction: Prediction, row: npt.NDArray[np.float64]) -> float:
    """Give the mean square distance of a sweep from its prediction.

    Args:
        prediction: Made before the sweep.
        row: Features of the sweep, shape (f,).

    Returns:
        The score, NaN where no feature can be compared.
    """
    distance = _distances(prediction, row)
    known = np.isfinite(distance)
    return float(np.mean(distance[known] ** 2)) if known.any() else float("nan")


def rank(
    prediction: Prediction, row: npt.NDArray[np.float64], sweeps: int, reference: Mapping[str, npt.NDArray[Any]]
) -> Misfit:
    """Rank a sweep's misfit among those of cells that are the model.

    Args:
        prediction: Made before the sweep, from `sweeps` sweeps.
        row: Features of the sweep, shape (f,).
        sweeps: How many sweeps the prediction rests on.
        reference: The checkpoint's arrays.

    Returns:
        The misfit; p is 1 where nothing can be compared.
    """
    score = misfit_score(prediction, row)
    if not np.isfinite(score):
        return Misfit(1.0, 0.0, None)
    stratum = max(begin for begin in STRATA if begin <= max(sweeps, 1))
    scores = reference[f"misfit_{stratum}"]
    p = (1 + int((scores >= score).sum())) / (1 + len(scores))
    distance = np.abs(_distances(prediction, row))
    k = int(np.nanargmax(distance))
    low, middle, high = (prediction.quantiles[i, k] for i in (0, 2, 4))
    worst = (
        f"{NAMES[k]} is {row[k]:.3g} {FEATURES[k].unit} where {middle:.3g} ({low:.3g} to {high:.3g}) was predicted"
        if distance[k] > 2.0
        else None
    )
    return Misfit(p, score, worst, _off(prediction, row, distance))


def _off(prediction: Prediction, row: npt.NDArray[np.float64], distance: npt.NDArray[np.float64]) -> tuple[Oddity, ...]:
    """Tell the features that are off, worst first, as if what was predicted were normal on either side."""
    found: list[Oddity] = []
    for k in np.argsort(np.nan_to_num(-distance, nan=np.inf))[:_MOST]:
        p = math.erfc(float(distance[k]) / math.sqrt(2.0))
        if not np.isfinite(distance[k]) or (found and p > RARE):
            break
        low, middle, high = (float(prediction.quantiles[i, k]) for i in (0, 2, 4))
        side: Side = "above" if row[k] > middle else "below"
        feature, value, widths = FEATURES[k], float(row[k]), float(distance[k])
        found.append(
            Oddity(feature.name, feature.unit, value, low, high, p, side, "sweeps before", widths, is_off=p <= RARE)
        )
    return tuple(found)
