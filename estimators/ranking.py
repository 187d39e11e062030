"""This file is the ranking: whether candidates stand in the order in which they teach, checked on simulated cells.

What each would teach is estimated a second time, without the network's posterior of the longer set: nested, with the
likelihood of the sweep to come under each draw of theta. That likelihood knows nothing of an error that sweeps share,
so it is to be compared with gains whose errors are drawn afresh as much as with those that are used.

References:
    Rainforth et al. (2018), On nesting Monte Carlo estimators. arXiv:1709.06181
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from estimators.abort import AbortRule
from estimators.appraisal import Appraisal
from estimators.candidate import Candidate, Setting
from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.foresight import BLOCK, Foresight
from estimators.generation import generate
from estimators.information import Information, information
from estimators.menu import menu
from simulators.limits import Limits
from simulators.refusal import Refusal

__all__ = ["Ranking", "RankingError", "rank_correlation", "ranking"]

Array = npt.NDArray[np.float64]

_GAP = 5.0


class RankingError(Refusal):
    """A network's ranking can't be checked; the message says why."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Gains of candidates beside nested estimates of the same.

    Args:
        gains: As a choice has them, shape (cells, c), NaN where a cell has fewer candidates [nat].
        errors: Their standard errors, of the same shape [nat].
        nested: Means of the low and the high nested estimate, of the same shape [nat].
        widths: High less low, of the same shape [nat].
    """

    gains: Array
    errors: Array
    nested: Array
    widths: Array

    @property
    def correlations(self) -> Array:
        """Spearman's rank correlation of both in each cell, shape (cells,)."""
        pairs = zip(self.gains, self.nested, strict=True)
        return np.array([rank_correlation(a[np.isfinite(a)], b[np.isfinite(a)]) for a, b in pairs])

    @property
    def regrets(self) -> Array:
        """What the candidate of the highest gain is behind the best, by the nested estimates, shape (cells,) [nat]."""
        best = np.nanargmax(self.gains, axis=1)
        return np.asarray(np.nanmax(self.nested, axis=1) - self.nested[np.arange(len(best)), best])


def ranking(
    checkpoint: Checkpoint,
    cells: int = 20,
    *,
    sweeps: int = 4,
    draws: int = 256,
    outer: int = 128,
    inner: int = 384,
    seed: int = 0,
    carry: bool = True,
    learned: bool = False,
) -> Ranking:
    """Check how candidates are ranked.

    Args:
        checkpoint: A network with a likelihood.
        cells: Simulated cells.
        sweeps: Of each, before the choice.
        draws: That gains rest on; a multiple of 32 is taken.
        outer: Draws that make a sweep in the nested estimate.
        inner: Draws that it is scored under.
        seed: Of everything that is random.
        carry: As `estimators.foresight.Foresight`.
        learned: Whether gains are those that the network's prospect has learned; then nothing is simulated for them.

    Returns:
        The ranking.

    Raises:
        RankingError: If the checkpoint has no likelihood, or no prospect where what was learned is asked for.
    """
    if learned and checkpoint.prospect is None:
        raise RankingError(f"{checkpoint.spec.name} has learned no gains to rank by; pretrain it with a [prospect].")
    if checkpoint.likelihood is None:
        raise RankingError(f"{checkpoint.spec.name} has no likelihood to check its ranking by; pretrain it anew.")
    spec, rng = checkpoint.spec, np.random.default_rng([seed, 31])
    made: list[Array] = []
    for sets in generate(spec.parameters, spec.designs, spec.nuisances, cells, rng, sweeps=sweeps, kind="random"):
        told = Distortion(spec.parameters, checkpoint.network.scaling)(sets, rng)
        for first, end in pairwise(told.first):
            rows = told.features[first:end].astype(np.float64)
            contexts = [Context(*row) for row in told.context[first:end].astype(np.float64).tolist()]
            if not all(context.excluded for context in contexts):
                made.append(
                    _ranked(checkpoint, rows, contexts, draws, (outer, inner), seed + len(made), carry, learned)
                )
    table = np.full((4, len(made), max(each.shape[1] for each in made)), np.nan)
    for k, each in enumerate(made):
        table[:, k, : each.shape[1]] = each
    return Ranking(*table)


def _ranked(
    checkpoint: Checkpoint,
    rows: Array,
    contexts: list[Context],
    draws: int,
    nested: tuple[int, int],
    seed: int,
    carry: bool,
    learned: bool,
) -> Array:
    """Give gains, their errors, nested estimates and their widths of one cell's candidates, shape (4, c)."""
    latest = contexts[-1]
    setting = Setting(latest.baseline, latest.tail, latest.rate, latest.start + _GAP)
    reach = 2.0 * max(abs(context.amplitude) for context in contexts)
    candidates = menu(checkpoint.domain, Limits(), setting, reach=reach, holdings=(latest.holding,))
    columns = range(len(checkpoint.spec.parameters))
    blocks = max(1, draws // BLOCK)
    foresight = Foresight(
        checkpoint, rows, contexts, setting, columns, AbortRule(), seed, max(blocks * BLOCK, nested[1]), carry
    )
    if learned:
        appraisal = Appraisal(checkpoint, foresight, setting, columns, math.inf, AbortRule())
        appraisal.weigh(candidates)
        gain = np.stack([appraisal.weights[candidate].gains for candidate in candidates])
    else:
        gain = _simulated(foresight, candidates, blocks)
    u = torch.as_tensor(foresight.u[: nested[1]], dtype=torch.float32)
    found: list[Information] = []
    for candidate in candidates:
        context = candidate.context(setting).row()
        context[CONTEXT.index("start")] = 0.0
        generator = torch.Generator().manual_seed(seed)
        if checkpoint.likelihood is not None:
            asked = torch.as_tensor(context, dtype=torch.float32)
            found.append(information(checkpoint.likelihood, u, asked, generator, nested[0]))
    middle = np.array([0.5 * (each.low + each.high) for each in found])
    width = np.array([each.high - each.low for each in found])
    return np.stack([gain.mean(axis=1), gain.std(axis=1, ddof=1) / math.sqrt(gain.shape[1]), middle, width])


def _simulated(foresight: Foresight, candidates: Sequence[Candidate], blocks: int) -> Array:
    """Give the gains of draws by their simulated sweeps, shape (c, draws)."""
    gains = []
    for k in range(blocks):
        some = np.arange(k * BLOCK, (k + 1) * BLOCK)
        answers = [each.features for each in foresight.answers([(candidate, some) for candidate in candidates])]
        gains.append([scores.gain for scores in foresight.scores(candidates, answers, some)])
    return np.concatenate([np.stack(each) for each in gains], axis=1)


def rank_correlation(one: Array, other: Array) -> float:
    """Give Spearman's rank correlation of values without ties.

    Args:
        one: Shape (n,), two at least.
        other: The same.

    Returns:
        From -1 to 1.

    Example:
        >>> rank_correlation(np.array([1.0, 5.0, 9.0]), np.array([0.1, 0.2, 0.9]))
        1.0
    """
    first, second = (np.argsort(np.argsort(each)).astype(np.float64) for each in (one, other))
    n = len(first)
    return 1.0 - 6.0 * float(((first - second) ** 2).sum()) / (n * (n * n - 1))
