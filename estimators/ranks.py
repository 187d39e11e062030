"""This file is the ranks: where the truth of each fresh cell lies in the posterior that its sweeps give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.estimator import SweepSetEstimator
from estimators.features import NAMES
from estimators.sets import Sets
from estimators.strata import sweeps_of

__all__ = ["Ranks", "rank_cells"]

_DRAWS = 400
_CELLS = 512
_TOKENS = 4096
_NARROWEST = 1e-6

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Truths among draws from their posteriors, one row a cell, in the space where the prior is the standard normal.

    Args:
        below: Share of draws below the truth, shape (n, p).
        near: Share of draws nearer to a random point than the truth is, shape (n,).
        z: Truth less posterior mean, over posterior standard deviation, shape (n, p).
        variance: Of the posterior, shape (n, p); the prior's is 1.
        log_prob: Posterior density at the truth [nat], shape (n,).
        prior_log_prob: The prior's [nat], shape (n,).
        sweeps: Sweeps that are used, shape (n,).
        fires: Whether there is a spike, shape (n,).
    """

    below: _Floats
    near: _Floats
    z: _Floats
    variance: _Floats
    log_prob: _Floats
    prior_log_prob: _Floats
    sweeps: npt.NDArray[np.int64]
    fires: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.below)

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> Ranks:
        return Ranks(*(getattr(self, column.name)[chosen] for column in fields(self)))

    @staticmethod
    def join(parts: Sequence[Ranks]) -> Ranks:
        """Put several together, in order."""
        return Ranks(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Ranks)))


def rank_cells(network: SweepSetEstimator, sets: Sets, rng: np.random.Generator) -> Ranks:
    """Rank the truth of each cell among draws from its posterior, for some hundred cells at once.

    Args:
        network: The network.
        sets: Fresh cells.
        rng: Source of randomness.

    Returns:
        The ranks, in the order of the cells.
    """
    sizes = np.diff(sets.first)
    order = np.argsort(sizes, kind="stable")
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    parts = []
    begin = 0
    while begin < len(order):
        # Sets of like size go together: the largest decides how much is padding.
        some = order[begin : begin + _CELLS]
        fitting = int((np.arange(1, len(some) + 1) * sizes[some] <= _TOKENS).sum())
        some = some[: max(1, fitting)]
        parts.append(_rank(network, *_padded(sets, some), generator))
        begin += len(some)
    back = np.argsort(order, kind="stable")
    below, near, z, variance, log_prob, prior = (np.concatenate(column)[back] for column in zip(*parts, strict=True))
    return Ranks(below, near, z, variance, log_prob, prior, sweeps_of(sets), _fires(sets))


def _fires(sets: Sets) -> npt.NDArray[np.bool_]:
    """Tell which cells have a spike in a step."""
    counts = np.nan_to_num(sets.features[:, NAMES.index("spike_count")])
    return np.asarray(np.add.reduceat(counts, sets.first[:-1]) > 0)


def _padded(sets: Sets, cells: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Lay sets of different size side by side: features, contexts, which rows are there, and theta at the latest."""
    sizes = sets.first[cells + 1] - sets.first[cells]
    place = np.arange(sizes.max())
    there = place < sizes[:, None]
    # Padding repeats the last sweep, so that all numbers stay such as sweeps have.
    rows = sets.first[cells, None] + np.minimum(place, sizes[:, None] - 1)
    u = sets.u[sets.first[cells + 1] - 1]
    return tuple(torch.from_numpy(array) for array in (sets.features[rows], sets.context[rows], there, u))  # type: ignore[return-value]


def _rank(
    network: SweepSetEstimator, features: Tensor, context: Tensor, there: Tensor, u: Tensor, generator: torch.Generator
) -> tuple[_Floats, ...]:
    """Rank one batch: the columns of `Ranks` but the last two."""
    with torch.inference_mode():
        posterior = network(features, context, there)
        draws = posterior.from_noise(torch.randn(_DRAWS, *u.shape, generator=generator))
        below = (draws < u).double().mean(dim=0)
        # Half a draw's width of dither keeps the ranks continuous.
        below += (torch.rand(below.shape, generator=generator, dtype=torch.float64) - 0.5) / _DRAWS
        point = torch.randn(u.shape, generator=generator)
        near = ((draws - point) ** 2).sum(-1) < ((u - point) ** 2).sum(-1)
        variance, mean = torch.var_mean(draws, dim=0)
        found = (
            below.clamp(0.0, 1.0),
            near.double().mean(dim=0),
            (u - mean) / variance.sqrt().clamp(min=_NARROWEST),
            variance,
            posterior.log_prob(u),
            -0.5 * (u**2 + math.log(2.0 * math.pi)).sum(-1),
        )
    return tuple(column.double().numpy() for column in found)
