"""This file is the round: a network goes on learning, for one cell, from cells that its posterior does not rule out.

All sweeps of the cell are simulated as they were made, for draws of the prior that the posterior leaves; a copy of the
network learns from these alone, held-out ones say when it is best, and it is asked about the cell anew. What it says is
blended with a little of what was said before. The network that serves every cell stays as it is.

References:
    Deistler, Goncalves & Macke (2022), Truncated proposals for scalable and hassle-free simulation-based inference.
    arXiv:2210.04815
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.blend import Blend, blended
from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT
from estimators.disagreement import Apart, apart
from estimators.estimator import SweepSetEstimator
from estimators.pareto import effective_size, smooth
from estimators.reenactment import reenact
from estimators.refinement import RefinementError
from estimators.sets import Sets
from estimators.truncation import truncated

__all__ = ["Lesson", "Round", "refine_by_round", "taught"]

Array = npt.NDArray[np.float64]

_KNOWN, _EXCLUDED, _START = (CONTEXT.index(name) for name in ("holding_known", "excluded", "start"))
_MOST = 40
_DECAY, _CLIP = 1e-4, 5.0
_WARMING = 20
_FOLLOWED = 0.05


@dataclass(frozen=True)
class Lesson:
    """How much is simulated and learned.

    Args:
        cells: Simulated.
        held_out: Share of them by which it is judged.
        epochs: Passes over the others.
        batch: Cells a step.
        learning_rate: Largest.
        draws: From the refined posterior.
    """

    cells: int = 2000
    held_out: float = 0.15
    epochs: int = 8
    batch: int = 96
    learning_rate: float = 5e-4
    draws: int = 1000


@dataclass(frozen=True, eq=False)
class Round:
    """What a round says of one cell.

    Args:
        draws: From the refined posterior, in physical units, shape (s, p).
        posterior: The refined one, of unconstrained theta.
        simulated: Sweeps.
        gained: Log density of held-out cells of the round, refined less amortized [nat]; 0 where nothing was learned.
        effective: What the amortized draws are worth as draws of the refined posterior.
        k: Pareto k of their weights.
        apart: How each marginal differs from the amortized one.
        seconds: That it took.
    """

    draws: Array
    posterior: Blend
    simulated: int
    gained: float
    effective: float
    k: float
    apart: tuple[Apart, ...]
    seconds: float


def refine_by_round(
    checkpoint: Checkpoint, features: Array, context: Array, seed: int, lesson: Lesson = Lesson()
) -> Round:
    """Refine the posterior of one cell.

    Args:
        checkpoint: The network.
        features: Of its sweeps in order, shape (n, f), NaN where missing; of more than 40 the latest serve.
        context: Their circumstances, shape (n, c).
        seed: The same sweeps and seed give the same numbers.
        lesson: How much is learned.

    Returns:
        What is known then.

    Raises:
        RefinementError: If there is no sweep to learn from, or the current before the steps is not known.
    """
    begun = time.perf_counter()
    features, context = np.asarray(features, dtype=np.float64)[-_MOST:], np.array(context, dtype=np.float64)[-_MOST:]
    _check(context)
    context[:, _START] -= context[0, _START]
    spec, network = checkpoint.spec, checkpoint.network
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng([seed, 31])
    amortized = network.density(features, context)
    u = truncated(amortized, lesson.cells, generator).double().numpy()
    sets = reenact(spec, network, u, context, rng, generator)
    pupil, gained = taught(network, sets, lesson, generator)
    with torch.inference_mode():
        refined = Blend(amortized, pupil.density(features, context))
        before, after = (each.draw(lesson.draws, generator)[:, 0] for each in (amortized, refined))
        ratios = refined.log_prob(before[:, None])[:, 0] - amortized.log_prob(before[:, None])[:, 0]
    smoothed, k = smooth(ratios.double().numpy())
    drawn = after.double().numpy()
    return Round(
        draws=network.constrain(drawn),
        posterior=refined,
        simulated=len(sets.features),
        gained=gained,
        effective=effective_size(smoothed),
        k=k,
        apart=apart(spec.names, before.double().numpy(), drawn),
        seconds=time.perf_counter() - begun,
    )


def taught(
    network: SweepSetEstimator, sets: Sets, lesson: Lesson, generator: torch.Generator
) -> tuple[SweepSetEstimator, float]:
    """Teach a copy of a network by cells that have the same number of sweeps.

    Args:
        network: Left as it is.
        sets: The cells.
        lesson: How.
        generator: Source of the order.

    Returns:
        The copy at its best by the held-out cells, its weights followed by their running mean, and by how much their
        log density, blended, is higher than the network's own [nat].
    """
    features, context, u = _tables(sets)
    there = torch.ones(features.shape[:2], dtype=torch.bool)
    held = max(1, round(lesson.held_out * len(u)))

    def score(which: SweepSetEstimator, rows: Tensor) -> Tensor:
        return torch.as_tensor(which(features[rows], context[rows], there[rows]).log_prob(u[rows]))

    with torch.inference_mode():
        own = score(network, torch.arange(held)).double()

    def judge(which: SweepSetEstimator) -> float:
        with torch.inference_mode():
            now = score(which, torch.arange(held)).double()
            return float((blended(own, now) - blended(own, own)).mean())

    pupil = copy.deepcopy(network).requires_grad_(requires_grad=True)
    followed, best = copy.deepcopy(network), copy.deepcopy(network)
    highest = 0.0
    weights = list(pupil.parameters())
    optimizer = torch.optim.AdamW(weights, lr=lesson.learning_rate, weight_decay=_DECAY)
    steps = max(1, (len(u) - held) // lesson.batch)
    for step in range(lesson.epochs * steps):
        if step % steps == 0:
            order = held + torch.randperm(len(u) - held, generator=generator)
        rows = order[(step % steps) * lesson.batch :][: lesson.batch]
        for group in optimizer.param_groups:
            group["lr"] = lesson.learning_rate * _pace(step, lesson.epochs * steps)
        optimizer.zero_grad()
        loss = -score(pupil, rows).mean()
        if not torch.isfinite(loss):
            continue
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, _CLIP)
        optimizer.step()
        with torch.no_grad():
            for mean, now in zip(followed.parameters(), weights, strict=True):
                mean.lerp_(now, _FOLLOWED)
        if step % steps == steps - 1 and (now_at := judge(followed)) > highest:
            highest = now_at
            best.load_state_dict(followed.state_dict())
    return best.eval().requires_grad_(requires_grad=False), highest


def _pace(step: int, steps: int) -> float:
    """Give the share of the learning rate at a step: warmed up, then along a cosine."""
    return min(1.0, (step + 1) / _WARMING) * 0.5 * (1.0 + math.cos(math.pi * step / steps))


def _tables(sets: Sets) -> tuple[Tensor, Tensor, Tensor]:
    """Lay sets of the same number of sweeps out as the network takes them, with theta at the latest."""
    m = len(sets)
    features, context, u = (torch.from_numpy(part.reshape(m, -1, part.shape[1])) for part in
                            (sets.features, sets.context, sets.u))  # fmt: skip
    return features, context, u[:, -1]


def _check(context: Array) -> None:
    used = context[:, _EXCLUDED] == 0
    if not used.any():
        raise RefinementError("No sweep of this cell was used so far, so there is nothing to refine: play one first.")
    if not context[used, _KNOWN].all():
        raise RefinementError(
            "The holding current of this cell is not known, so its sweeps can't be simulated as they were made; the "
            "posterior stays as it is. Have the amplifier tell its holding, or give it in the rig file."
        )
