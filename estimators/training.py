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
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from estimators.bookmark import Bookmark, put, take
from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.estimator import Architecture, SweepSetEstimator, pad
from estimators.sets import Sets
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
    spec: Spec,
    sets: Sets,
    held_out: Sets,
    done: Callable[[Epoch, SweepSetEstimator], None],
    device: str = "cpu",
    bookmark: Path | None = None,
) -> SweepSetEstimator:
    """Train a network.

    Args:
        spec: What for, and how.
        sets: Training cells.
        held_out: Cells to choose by.
        done: Called after each epoch with what is best so far.
        device: Where to compute, "cpu" or "cuda".
        bookmark: Where to note after each epoch how it stands; one of the same training is gone on from.

    Returns:
        The network with the averaged weights that held-out cells liked best, on the CPU.
    """
    course = _Course(spec, sets, device)
    held_out = course.distortion(held_out, np.random.default_rng([spec.seed, 7]))
    key = repr((spec.seed, spec.training, device, hashlib.sha256(sets.u.tobytes()).hexdigest()))
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


class _Course:
    """A training under way: the network, the moving average of its weights, and the best of these so far."""

    def __init__(self, spec: Spec, sets: Sets, device: str) -> None:
        self.how, self.device = spec.training, device
        how = self.how
        torch.manual_seed(spec.seed)
        self.rng = np.random.default_rng([spec.seed, 2])
        self.network = SweepSetEstimator(
            spec.parameters, Architecture(how.width, how.layers, how.transforms, how.hidden, how.bins)
        )
        some = self.rng.permutation(len(sets.u))[:100_000]
        self.network.scaling.fit(torch.from_numpy(sets.features[some]), torch.from_numpy(sets.context[some]))
        self.distortion = Distortion(spec.parameters, self.network.scaling)
        self.network.to(device)
        self.average = torch.optim.swa_utils.AveragedModel(self.network, avg_fn=_moving, use_buffers=False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay
        )
        self.kept = SweepSetEstimator(spec.parameters, self.network.architecture)
        self.best, self.epoch = -math.inf, 0

    def run(self, sets: Sets) -> float:
        """Go through the cells once; give the mean loss, NaN where no step could be taken."""
        self.network.train()
        losses = []
        seen = 0
        # Another distortion every time, so that none is learned by heart.
        shown = self.distortion(sets, self.rng)
        for batch in batches(shown, self.rng, self.how.batch):
            rate = self.how.learning_rate * _schedule((self.epoch + seen / len(sets)) / self.how.epochs)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            there = (batch.features.to(self.device), batch.context.to(self.device), batch.there.to(self.device))
            loss = -self.network(*there).log_prob(batch.u.to(self.device)).mean()
            self.optimizer.zero_grad(set_to_none=True)
            torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
            size = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            # One broken batch must not break the weights.
            if torch.isfinite(size):
                self.optimizer.step()
                self.average.update_parameters(self.network)
                losses.append(loss.item())
            seen += len(batch.u)
        self.epoch += 1
        return float(np.mean(losses)) if losses else math.nan

    def choose(self, held_out: Sets) -> float:
        """Keep the averaged weights where held-out cells like them best so far; give what these say."""
        averaged = cast(SweepSetEstimator, self.average.module)
        now = held_out_log_prob(averaged.to("cpu"), held_out)
        averaged.to(self.device)
        if now > self.best:
            self.best = now
            self.kept.load_state_dict(averaged.state_dict())
        return now

    def stand(self) -> Bookmark:
        """Note all that the next epoch depends on."""
        tensors = {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"average/{name}": tensor for name, tensor in self.average.state_dict().items()}
        tensors |= {f"kept/{name}": tensor for name, tensor in self.kept.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in state.items()}
        best = self.best if math.isfinite(self.best) else None
        return Bookmark(tensors, {"epoch": self.epoch, "best": best, "rng": self.rng.bit_generator.state})

    def go_on(self, bookmark: Bookmark) -> None:
        """Stand where the bookmark says."""
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "kept": {}, "optimizer": {}}
        for name, tensor in bookmark.tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = tensor
        self.network.load_state_dict(parts["network"])
        self.average.load_state_dict(parts["average"])
        self.kept.load_state_dict(parts["kept"])
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            index, moment = name.split("/")
            states.setdefault(int(index), {})[moment] = tensor
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": states})
        self.epoch = int(bookmark.numbers["epoch"])
        self.best = -math.inf if bookmark.numbers["best"] is None else float(bookmark.numbers["best"])
        self.rng.bit_generator.state = dict(bookmark.numbers["rng"])


def _schedule(progress: float) -> float:
    """Warm up over the first hundredth, then fall along a cosine."""
    return min(1.0, progress / 0.01 + 0.01) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _moving(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """Move the average towards the weights; at first fast, so that it forgets where they began."""
    keep = min(0.998, (1.0 + float(steps)) / (10.0 + float(steps)))
    return average + (1.0 - keep) * (now - average)
