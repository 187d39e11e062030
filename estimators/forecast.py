"""This file is the forecast: what other sweeps of a real cell will be, with the model's own error taken in.

Draws of theta come from the posterior of all sweeps and from those of small random parts of them: where the model is
wrong, more sweeps make its posterior surer and not truer, and the parts tell how far it is to be spread. Each draw is
simulated under every stimulus; what it misses of the sweeps that were made is its discrepancy, which weighs the draw
and is carried over to the sweeps that are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.discrepancy import Discrepancy
from estimators.features import NAMES
from estimators.firing import Firing
from estimators.generation import simulate, voltages
from estimators.nuisances import rigs
from estimators.yardstick import Yardstick

__all__ = ["Forecast"]

Array = npt.NDArray[np.float64]

_WEIGHED = tuple(
    NAMES.index(name)
    for name in (
        "rest", "steady_deflection", "sag", "deflection_3_ms", "deflection_30_ms", "spike_count", "latency",
        "first_isi", "last_isi", "threshold", "later_threshold", "peak", "later_peak", "half_width", "trough",
        "later_trough", "mean_voltage", "upstroke", "downstroke",
    )
)  # fmt: skip
"""Features that weigh the draws: those that a reader of the trace would look at."""

_COUNT = NAMES.index("spike_count")
_PARTS = (1, 2, 3, 5)
_TOGETHER = 20
_EFFECTIVE = 30.0
_SILENT = 2.0
_MOST = 12


class Forecast:
    """Predict sweeps of one cell from others of it.

    Args:
        checkpoint: The network.
        rows: Features of the sweeps that were made, shape (n, f), NaN where missing.
        contexts: Their circumstances, n of them; of more than twelve, twelve spread over the currents serve.
        asked: Circumstances of the sweeps that are asked about.
        seed: The same sweeps and seed give the same numbers.
        draws: Draws of theta that are simulated.

    Raises:
        ValueError: If there is no sweep, or rows and contexts are not as many.

    Attributes:
        theta: The draws, shape (d, p).
        weights: Of each, summing to 1, shape (d,).
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        rows: Array,
        contexts: Sequence[Context],
        asked: Sequence[Context],
        seed: int = 0,
        draws: int = 400,
    ) -> None:
        if not len(rows) or len(rows) != len(contexts):
            raise ValueError(f"{len(rows)} sweeps have {len(contexts)} contexts; one each, and a sweep, were wanted.")
        self._rng = np.random.default_rng([seed, 11])
        self._spec, self._contexts = checkpoint.spec, tuple(asked)
        self._yardstick = Yardstick(checkpoint.network.scaling)
        self.theta = self._propose(checkpoint, rows, contexts, draws)
        order = np.argsort([context.amplitude for context in contexts], kind="stable")
        used = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _MOST)).round().astype(int))]
        every = [*(contexts[k] for k in used), *asked]
        currents = np.array([context.amplitude for context in every])
        self._positions = currents / max(float(np.abs(currents).max()), 1.0)
        features = self._simulate(checkpoint, every)
        simulated = self._yardstick.along(features)
        self._made, self._asked = simulated[:, : len(used)], simulated[:, len(used) :]
        made = np.nan_to_num(features[:, :, _COUNT])
        self._firing = Firing(self._yardstick, currents, made, np.nan_to_num(rows[used, _COUNT]), self._rng)
        self._learn(self._yardstick.along(rows[used]))

    def _propose(self, checkpoint: Checkpoint, rows: Array, contexts: Sequence[Context], draws: int) -> Array:
        """Draw theta: a third from all sweeps, the others from small parts of them."""
        table = np.stack([context.row() for context in contexts])
        start = CONTEXT.index("start")
        parts = [np.arange(len(rows))]
        counts = [draws - draws * 2 // 3]
        while sum(counts) < draws:
            size = min(len(rows), int(self._rng.choice(_PARTS)))
            parts.append(np.sort(self._rng.choice(len(rows), size, replace=False)))
            counts.append(min(_TOGETHER, draws - sum(counts)))
        theta = []
        self._sure = counts[0]
        for part, count in zip(parts, counts, strict=True):
            told = table[part]
            told[:, start] -= told[0, start]
            generator = torch.Generator().manual_seed(int(self._rng.integers(2**31)))
            theta.append(checkpoint.network.draw(rows[part], told, count, generator))
        return np.concatenate(theta)

    def _simulate(self, checkpoint: Checkpoint, contexts: Sequence[Context]) -> Array:
        """Simulate every draw under every stimulus, shape (d, sweeps, f)."""
        d, s = len(self.theta), len(contexts)
        table = np.tile(np.stack([context.row() for context in contexts]), (d, 1))
        cells = np.repeat(np.arange(d), s)
        spec = checkpoint.spec
        features = simulate(self.theta[cells], table, spec.nuisances, self._rng, cells, spec.names)
        return features.reshape(d, s, -1)

    def _learn(self, measured: Array) -> None:
        """Learn the discrepancy of each feature from the sweeps that have it, and weigh the draws."""
        there = np.isfinite(measured) & (np.isfinite(self._made).mean(axis=0) > 0.2)
        score = self._firing.evidence.copy()
        self._learned: list[tuple[npt.NDArray[np.int64], Discrepancy | None]] = []
        for pattern in np.unique(there, axis=1).T:
            columns = np.flatnonzero((there == pattern[:, None]).all(axis=0))
            columns = columns[columns != _COUNT]
            if not pattern.any():
                self._learned.append((columns, None))
                continue
            made = self._made[:, pattern][:, :, columns]
            # A draw that lacks the feature in a sweep is taken to miss it there as the others do on average.
            made = np.where(np.isfinite(made), made, np.nanmean(made, axis=0))
            residuals = (measured[pattern][:, columns] - made).transpose(2, 0, 1)
            discrepancy = Discrepancy(residuals, self._positions[: len(measured)][pattern])
            self._learned.append((columns, discrepancy))
            weighed = np.isin(columns, _WEIGHED)
            score += discrepancy.evidence[weighed].sum(axis=0)
        score -= _SILENT * ((self._made[:, :, _COUNT] > 0.0) != (measured[:, _COUNT] > 0.0)).sum(axis=1)
        self.weights = _tempered(score)

    def sweep(self, k: int, draws: int = 400) -> Array:
        """Draw the features of a sweep that was asked about.

        Args:
            k: Which of those asked.
            draws: How many.

        Returns:
            Shape (draws, f), NaN where a draw does not have the feature.
        """
        chosen = self._rng.choice(len(self.theta), draws, p=self.weights)
        position = float(self._positions[len(self._positions) - self._asked.shape[1] + k])
        drawn = self._asked[chosen, k]
        for columns, discrepancy in self._learned:
            if discrepancy is None:
                drawn[:, columns] += Discrepancy.unknown((draws, len(columns)), self._rng)
            else:
                drawn[:, columns] += discrepancy.draw(position, chosen, self._rng).T
        drawn[:, _COUNT] = self._firing.draw(len(self._positions) - self._asked.shape[1] + k, chosen)
        return self._yardstick.back(drawn)

    def rheobase(self, draws: int = 400) -> Array:
        """Draw the current at which the cell begins to fire, as the sweeps that were made and asked about tell it.

        Args:
            draws: How many.

        Returns:
            Shape (draws,) [pA], infinite where none of these currents makes it fire.
        """
        return self._firing.rheobase(self._rng.choice(len(self.theta), draws, p=self.weights))

    def traces(self, k: int, draws: int = 3, sure: bool = False) -> list[npt.NDArray[np.float32]]:
        """Record draws of theta under a stimulus that was asked about, as the model has them, without what it misses.

        Args:
            k: Which of those asked.
            draws: How many.
            sure: Whether they come from the posterior of all sweeps, and not from all draws by their weights.

        Returns:
            Baseline, step and tail of each [mV].
        """
        theta = self.sure if sure else self.theta
        chosen = theta[self._rng.choice(len(theta), draws, p=None if sure else self.weights)]
        table = np.tile(self._contexts[k].row(), (draws, 1))
        drawn = rigs(chosen, self._spec.nuisances, self._rng, names=self._spec.names)
        samples, counts = voltages(chosen, table, drawn, self._rng, self._spec.names)
        return [sweep[:count] for sweep, count in zip(samples, counts, strict=True)]

    @property
    def share(self) -> float:
        """Share of the model in the count of spikes, 0 to 1; the rest is a straight line through what was counted."""
        return float(self.weights @ self._firing.share)

    @property
    def sure(self) -> Array:
        """Draws of theta from the posterior of all sweeps, shape (a third of the draws, p)."""
        return self.theta[: self._sure]

    def unaided(self, k: int) -> Array:
        """Give the features of a sweep that was asked about as the posterior of all sweeps alone has them.

        Args:
            k: Which of those asked.

        Returns:
            Shape (a third of the draws, f), NaN where a draw does not have the feature.
        """
        return self._yardstick.back(self._asked[: self._sure, k])

    def tempered(self, k: int) -> Array:
        """Give the features of a sweep that was asked about as the posteriors of small parts of the sweeps have them.

        Args:
            k: Which of those asked.

        Returns:
            Shape (two thirds of the draws, f), NaN where a draw does not have the feature.
        """
        return self._yardstick.back(self._asked[self._sure :, k])


def _tempered(score: Array) -> Array:
    """Turn log probabilities into weights, flattened until they are worth thirty draws."""
    share = 1.0
    while True:
        weights = np.exp(share * (score - score.max()))
        weights /= weights.sum()
        if 1.0 / float((weights**2).sum()) >= min(_EFFECTIVE, 0.5 * len(score)):
            return np.asarray(weights)
        share *= 0.85
