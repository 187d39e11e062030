"""This file is the training: from simulated sets of sweeps to a network, by maximal log posterior density.

Every epoch shows another subset of each cell's sweeps, so that sets of every size are seen and none is learned by
heart. What is kept is a moving average of the weights, at the epoch with the best held-out density.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.adaptation import weights_of
from estimators.bookmark import put, take
from estimators.context import CONTEXT
from estimators.course import Course
from estimators.distortion import Distortion
from estimators.estimator import Architecture, SweepSetEstimator, pad
from estimators.predecessor import go_on_from
from estimators.scaling import Scaling
from estimators.sets import Sets
from estimators.spec import Spec

__all__ = ["Batch", "Epoch", "batches", "fitted_scaling", "held_out_log_prob", "train"]

_TOKENS = 4096
_WHOLE = 0.35
_FITTED = 100_000
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

    def progress(self, stage: str) -> dict[str, Any]:
        """Tell it as one JSON object; what is not finite is null, because it is not JSON."""
        return {
            "event": "progress",
            "stage": stage,
            "epoch": self.index,
            "of": self.of,
            "loss": self.loss if math.isfinite(self.loss) else None,
            "held_out_log_prob": self.held_out if math.isfinite(self.held_out) else None,
            "seconds_left": round(self.seconds_left, 1),
        }


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
        vary: Whether to show subsets and to exclude sweeps at random, or each set as it is; of sets whose steps were
            chosen, only first parts are shown, and no sweep is excluded.

    Yields:
        Batches in random order, each cell once.
    """
    follows = sets.is_chosen
    counts = np.diff(sets.first)
    chosen = [
        _choose(int(n), rng, whole=bool(f)) if vary else np.arange(n) for n, f in zip(counts, follows, strict=True)
    ]
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
            for cell, f, c in zip(groups[k], features, context, strict=True):
                hidden = (rng.random(len(c)) < 0.02) & ~follows[cell]
                f[hidden], c[hidden, _EXCLUDED] = np.nan, 1.0
        last = np.array([r[-1] for r in rows])
        yield Batch(*pad(features, context), torch.from_numpy(sets.u[last]))


def _choose(n: int, rng: np.random.Generator, *, whole: bool = False) -> npt.NDArray[np.int64]:
    """Choose which sweeps of a cell to show: all, or a subset in order, of log-uniform size.

    Where steps followed the answers before (`whole`), none of these may be hidden: the steps would tell of it.
    """
    if n == 1 or rng.random() < _WHOLE:
        return np.arange(n)
    size = min(n, int(math.exp(rng.uniform(0.0, math.log(n + 1)))))
    if whole or rng.random() < 0.5:
        return np.arange(size)
    return np.sort(rng.choice(n, size, replace=False))


def fitted_scaling(spec: Spec, sets: Sets) -> tuple[Scaling, np.random.Generator]:
    """Fit what lays sweeps out as numbers of order one to some of the training sweeps.

    Args:
        spec: Whose seed says to which.
        sets: Training cells.

    Returns:
        The scaling, and the source of randomness that training goes on with.
    """
    rng = np.random.default_rng([spec.seed, 2])
    # Those who are taught beside the network know of no others.
    blind = np.flatnonzero(~np.repeat(sets.is_chosen, np.diff(sets.first)))
    some = blind[rng.permutation(len(blind))[:_FITTED]]
    scaling = Scaling()
    scaling.fit(torch.from_numpy(sets.features[some]), torch.from_numpy(sets.context[some]))
    return scaling, rng


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
    spec: Spec,
    sets: Sets,
    held_out: Sets,
    done: Callable[[Epoch, SweepSetEstimator], None],
    device: str = "cpu",
    bookmark: Path | None = None,
    former: Path | None = None,
) -> SweepSetEstimator:
    """Train a network.

    Args:
        spec: What for, and how.
        sets: Training cells.
        held_out: Cells to choose by.
        done: Called after each epoch with what is best so far.
        device: Where to compute, "cpu" or "cuda".
        bookmark: Where to note after each epoch how it stands; one of the same training is gone on from.
        former: The network with whose weights it begins, or None.

    Returns:
        The network with the averaged weights that held-out cells liked best, on the CPU.
    """
    course = _Course(spec, sets, device, former)
    held_out = course.distortion(held_out, np.random.default_rng([spec.seed, 7]))
    begins = None if former is None else weights_of(former)
    key = repr((spec.seed, spec.training, device, begins, hashlib.sha256(sets.u.tobytes()).hexdigest()))
    if bookmark is not None and (there := take(bookmark, key)) is not None:
        course.go_on(there)
    begun, first = time.monotonic(), course.epoch
    while course.epoch < spec.training.epochs:
        loss = course.run(sets)
        now = course.choose(held_out)
        if bookmark is not None:
            put(bookmark, key, course.stand())
        left = (time.monotonic() - begun) / (course.epoch - first) * (spec.training.epochs - course.epoch)
        done(Epoch(course.epoch, spec.training.epochs, loss, now, left), course.kept)
    return course.kept.eval()


class _Course(Course[SweepSetEstimator]):
    """The training of a network on sets of sweeps."""

    def __init__(self, spec: Spec, sets: Sets, device: str, former: Path | None = None) -> None:
        how = self.how = spec.training
        self.device = device
        torch.manual_seed(spec.seed)
        sizes = {name: getattr(how, name) for name in ("width", "layers", "transforms", "hidden", "bins", "windows")}
        network = SweepSetEstimator(spec.parameters, Architecture(**sizes))
        scaling, rng = fitted_scaling(spec, sets)
        network.scaling.load_state_dict(scaling.state_dict())
        if former is not None:
            # It is used to its own scaling.
            go_on_from(former, network)
        self.distortion = Distortion(spec.parameters, network.scaling)
        network.to(device)
        kept = SweepSetEstimator(spec.parameters, network.architecture)
        steps = {"learning_rate": how.learning_rate, "weight_decay": how.weight_decay}
        super().__init__(network, kept, rng, **steps, warming=0.01, keep=0.998)

    def run(self, sets: Sets) -> float:
        """Go through the cells once; give the mean loss, NaN where no step could be taken."""
        self.network.train()
        # Another distortion every time, so that none is learned by heart.
        return self.go_through(self._losses(self.distortion(sets, self.rng)))

    def _losses(self, sets: Sets) -> Iterator[tuple[float, Tensor]]:
        """Give the loss of each batch, and how much of the training is over before it."""
        seen = 0
        for batch in batches(sets, self.rng, self.how.batch):
            there = (batch.features.to(self.device), batch.context.to(self.device), batch.there.to(self.device))
            loss = -self.network(*there).log_prob(batch.u.to(self.device)).mean()
            yield (self.epoch + seen / len(sets)) / self.how.epochs, loss
            seen += len(batch.u)

    def choose(self, held_out: Sets) -> float:
        """Keep the averaged weights where held-out cells like them best so far; give what these say."""
        now = held_out_log_prob(self.averaged.to("cpu"), held_out)
        self.averaged.to(self.device)
        return self.judge(now)
