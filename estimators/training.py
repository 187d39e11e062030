"""This file is the training: from simulated sets of sweeps to a network, by maximal log posterior density.

Every epoch shows another subset of each cell's sweeps, so that sets of every size are seen and none is learned by
heart. What is kept is a moving average of the weights, at the epoch with the best held-out density.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.context import CONTEXT
from estimators.estimator import Architecture, SweepSetEstimator, pad
from estimators.generation import Sets
from estimators.spec import Spec

__all__ = ["Batch", "Epoch", "batches", "held_out_log_prob", "train"]

_TOKENS = 4096
_WHOLE = 0.35
_EXCLUDED = CONTEXT.index("excluded")
_START = CONTEXT.index("start")


@dataclass(frozen=True)
class Epoch:
    """How training goes.

    Args:
        index: Epochs done.
        of: Epochs in all.
        loss: Mean of -log q over the epoch [nat].
        held_out: Mean log q of the held-out cells [nat].
        seconds_left: Estimate of the time left [s].
    """

    index: int
    of: int
    loss: float
    held_out: float
    seconds_left: float


@dataclass(frozen=True, eq=False)
class Batch:
    """Some sets, padded to one size, with the theta to be inferred."""

    features: Tensor
    context: Tensor
    there: Tensor
    u: Tensor


def batches(sets: Sets, rng: np.random.Generator, most: int, *, vary: bool = True) -> Iterator[Batch]:
    """Make the batches of one epoch, of sets of like size.

    Args:
        sets: Cells.
        rng: Source of randomness.
        most: Largest number of cells in a batch; large sets come in smaller batches.
        vary: Whether to show subsets and to exclude sweeps at random, or each set as it is.

    Yields:
        Batches in random order, each cell once.
    """
    chosen = [_choose(int(n), rng) if vary else np.arange(n) for n in np.diff(sets.first)]
    sizes = np.array([len(rows) for rows in chosen])
    order = np.argsort(sizes + rng.random(len(sizes)), kind="stable")
    groups = []
    begin = 0
    while begin < len(order):
        size = int(min(most, max(16, _TOKENS // sizes[order[begin]])))
        groups.append(order[begin : begin + size])
        begin += size
    for k in rng.permutation(len(groups)):
        rows = [sets.first[cell] + chosen[cell] for cell in groups[k]]
        features = [sets.features[r] for r in rows]
        context = [sets.context[r].copy() for r in rows]
        for table in context:
            table[:, _START] -= table[0, _START]
        if vary:
            for f, c in zip(features, context, strict=True):
                hidden = rng.random(len(c)) < 0.02
                f[hidden], c[hidden, _EXCLUDED] = np.nan, 1.0
        last = np.array([r[-1] for r in rows])
        yield Batch(*pad(features, context), torch.from_numpy(sets.u[last]))


def _choose(n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Choose which sweeps of a cell to show: all, or a subset in order, of log-uniform size."""
    if n == 1 or rng.random() < _WHOLE:
        return np.arange(n)
    size = min(n, int(math.exp(rng.uniform(0.0, math.log(n + 1)))))
    if rng.random() < 0.5:
        return np.arange(size)
    return np.sort(rng.choice(n, size, replace=False))


def held_out_log_prob(network: SweepSetEstimator, sets: Sets, seed: int = 0) -> float:
    """Average the log posterior density at the truth.

    Args:
        network: The network.
        sets: Cells that it was not trained on.
        seed: Of the order of the batches.

    Returns:
        Mean over the cells [nat].
    """
    total = 0.0
    network.eval()
    with torch.inference_mode():
        for batch in batches(sets, np.random.default_rng(seed), 1024, vary=False):
            total += float(network(batch.features, batch.context, batch.there).log_prob(batch.u).sum())
    return total / len(sets)


def train(
    spec: Spec, sets: Sets, held_out: Sets, done: Callable[[Epoch, SweepSetEstimator], None], device: str = "cpu"
) -> SweepSetEstimator:
    """Train a network.

    Args:
        spec: What for, and how.
        sets: Training cells.
        held_out: Cells to choose by.
        done: Called after each epoch with what is best so far.
        device: Where to compute, "cpu" or "cuda".

    Returns:
        The network with the averaged weights that held-out cells liked best, on the CPU.
    """
    how = spec.training
    torch.manual_seed(spec.seed)
    rng = np.random.default_rng([spec.seed, 2])
    network = SweepSetEstimator(
        spec.parameters, Architecture(how.width, how.layers, how.transforms, how.hidden, how.bins)
    )
    some = rng.permutation(len(sets.u))[:100_000]
    network.scaling.fit(torch.from_numpy(sets.features[some]), torch.from_numpy(sets.context[some]))
    network.to(device)
    average = torch.optim.swa_utils.AveragedModel(network, avg_fn=_moving, use_buffers=False)
    averaged = cast(SweepSetEstimator, average.module)
    optimizer = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    best, kept = -math.inf, SweepSetEstimator(spec.parameters, network.architecture)
    begun = time.monotonic()
    for epoch in range(how.epochs):
        network.train()
        losses = []
        seen = 0
        for batch in batches(sets, rng, how.batch):
            rate = _schedule((epoch + seen / len(sets)) / how.epochs)
            for group in optimizer.param_groups:
                group["lr"] = how.learning_rate * rate
            there = (batch.features.to(device), batch.context.to(device), batch.there.to(device))
            loss = -network(*there).log_prob(batch.u.to(device)).mean()
            optimizer.zero_grad(set_to_none=True)
            torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
            size = torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            # One broken batch must not break the weights.
            if torch.isfinite(size):
                optimizer.step()
                average.update_parameters(network)
                losses.append(loss.item())
            seen += len(batch.u)
        now = held_out_log_prob(averaged.to("cpu"), held_out)
        averaged.to(device)
        if now > best:
            best = now
            kept.load_state_dict(averaged.state_dict())
        left = (time.monotonic() - begun) / (epoch + 1) * (how.epochs - epoch - 1)
        loss_of_epoch = float(np.mean(losses)) if losses else math.nan
        done(Epoch(epoch + 1, how.epochs, loss_of_epoch, now, left), kept)
    return kept.eval()


def _schedule(progress: float) -> float:
    """Warm up over the first hundredth, then fall along a cosine."""
    return min(1.0, progress / 0.01 + 0.01) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _moving(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """Move the average towards the weights; at first fast, so that it forgets where they began."""
    keep = min(0.998, (1.0 + float(steps)) / (10.0 + float(steps)))
    return average + (1.0 - keep) * (now - average)
