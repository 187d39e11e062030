"""This file is the novelty: how unlike the training sweeps one sweep is, as a p-value that holds for a single sweep.

The score is the distance to the fifth-nearest of some thousand training sweeps, in the network's own scaled features
and context; it is ranked among the scores of fresh training sweeps (a conformal p-value). A feature outside the
range of all training sweeps is named.

References:
    Bates et al. (2023), Ann. Statist. 51, 149-178. https://doi.org/10.1214/22-AOS2244
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from estimators.context import CONTEXT
from estimators.features import FEATURES, NAMES
from estimators.oddity import Oddity
from estimators.scaling import Scaling
from estimators.sets import Sets

__all__ = ["FAR", "Novelty", "Strange"]

_NEAREST = 5
FAR = 1.25
"""A sweep that is farther from those of training than the strangest of them, by this factor, is not used."""

_COLUMNS = len(NAMES)

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Strange:
    """What is strange about a sweep.

    Args:
        p: Share of fresh training sweeps that are at least as far from the others, 0 to 1.
        distance: Distance over that of the strangest fresh training sweep.
        outside: Sentences on features beyond the range of all training sweeps.
        refusal: Why it can be no sweep of a cell on a sound rig, or None where it can.
        off: Features that are off, worst first, where the check can tell how far.
    """

    p: float
    distance: float
    outside: tuple[str, ...]
    refusal: str | None = None
    off: tuple[Oddity, ...] = ()


class Novelty:
    """Compare sweeps with those of training.

    Args:
        scaling: The network's.
        reference: Arrays as `make` gave them.
    """

    def __init__(self, scaling: Scaling, reference: Mapping[str, npt.NDArray[Any]]) -> None:
        self._scaling = scaling
        self._tokens = reference["novelty_tokens"].astype(np.float32)
        self._squares = (self._tokens**2).sum(axis=1)
        self._scores = np.sort(reference["novelty_scores"].astype(np.float64))
        self._low, self._high = reference["feature_range"].astype(np.float64)

    @staticmethod
    def make(scaling: Scaling, sets: Sets, rng: np.random.Generator, size: int = 4000) -> dict[str, npt.NDArray[Any]]:
        """Take references from training sweeps.

        Args:
            scaling: The network's, fitted.
            sets: Training cells; two different sweeps' worth of `size` are drawn.
            rng: Source of randomness.
            size: Sweeps kept, and sweeps that are scored against them.

        Returns:
            Arrays for the checkpoint.
        """
        usable = np.flatnonzero(sets.context[:, CONTEXT.index("excluded")] == 0)
        chosen = rng.permutation(usable)[: 2 * size]
        half = len(chosen) // 2
        tokens = _tokens(scaling, sets.features[chosen], sets.context[chosen])
        kept = tokens[:half].astype(np.float16)
        scores = _distances(kept.astype(np.float32), (kept.astype(np.float32) ** 2).sum(axis=1), tokens[half:])
        bounds = np.nanquantile(sets.features[usable[:400_000]], [1e-5, 1 - 1e-5], axis=0)
        return {"novelty_tokens": kept, "novelty_scores": scores.astype(np.float32), "feature_range": bounds}

    def judge(self, row: npt.NDArray[np.float64], context: npt.NDArray[np.float64]) -> Strange:
        """Judge one sweep.

        Args:
            row: Its features, shape (f,), NaN where missing.
            context: Shape (c,).

        Returns:
            What is strange about it.
        """
        p, distances = self.rank(row[None], context[None])
        outside = tuple(
            f"{feature.told(row[k])}, training sweeps lie in {self._low[k]:.3g} to {self._high[k]:.3g}"
            for k, feature in enumerate(FEATURES)
            if np.isfinite(row[k]) and not self._low[k] <= row[k] <= self._high[k]
        )
        distance = float(distances[0])
        told = f": {outside[0]}" if outside else ""
        refusal = f"This sweep is unlike every sweep of training{told}." if distance > FAR else None
        return Strange(float(p[0]), distance, outside, refusal)

    def rank(self, rows: npt.NDArray[Any], contexts: npt.NDArray[Any]) -> tuple[_Floats, _Floats]:
        """Rank sweeps, each by itself.

        Args:
            rows: Their features, shape (s, f), NaN where missing.
            contexts: Shape (s, c).

        Returns:
            The p-value and the distance of each, as `Strange` has them, shape (s,).
        """
        tokens = _tokens(self._scaling, rows.astype(np.float32), contexts.astype(np.float32))
        scores = _distances(self._tokens, self._squares, tokens).astype(np.float64)
        beyond = len(self._scores) - np.searchsorted(self._scores, scores, side="left")
        return (beyond + 1) / (len(self._scores) + 1), scores / self._scores[-1]


def _tokens(
    scaling: Scaling, features: npt.NDArray[np.float32], context: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Scale each sweep as a set of its own; whether a feature is missing counts as much as a standard deviation."""
    with torch.inference_mode():
        tokens = scaling(torch.from_numpy(features)[:, None], torch.from_numpy(context)[:, None])[:, 0]
    return np.asarray(tokens.numpy())


def _distances(
    kept: npt.NDArray[np.float32], squares: npt.NDArray[np.float32], tokens: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Give the distance of each token to its fifth-nearest among the kept."""
    scores = np.empty(len(tokens), dtype=np.float32)
    for begin in range(0, len(tokens), 500):
        part = tokens[begin : begin + 500]
        far = squares[None, :] - 2.0 * part @ kept.T + (part**2).sum(axis=1)[:, None]
        scores[begin : begin + 500] = np.sqrt(np.maximum(np.partition(far, _NEAREST - 1, axis=1)[:, _NEAREST - 1], 0.0))
    return scores
