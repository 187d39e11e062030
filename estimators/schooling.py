"""This file is the schooling: from simulated sweeps to a likelihood, by maximal log density of their features.

The sweeps are those that the posterior's network learns from, each with theta at its own moment. Every epoch takes
some of them; what is kept is the moving average of the weights that held-out sweeps liked best.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from estimators.bookmark import Bookmark, put, take
from estimators.context import CONTEXT
from estimators.likelihood import Likelihood, Shape
from estimators.sets import Sets
from estimators.spec import Schooling
from estimators.training import Epoch
from simulators.parameter import Parameter

__all__ = ["Sweeps", "school"]

_EXCLUDED = CONTEXT.index("excluded")
_JUDGES = 20_000
_AT_ONCE = 2048
_FITTED = 100_000
_KEEP = 0.995
_LARGEST_STEP = 5.0


class Sweeps:
    """Sweeps that can be learned from: those that were not excluded.

    Args:
        sets: Cells with their sweeps.
        knowing: Whether theta is told; otherwise what is learned is the density given the design alone.
    """

    def __init__(self, sets: Sets, knowing: bool) -> None:
        rows = np.flatnonzero(sets.context[:, _EXCLUDED] == 0)
        self.features = torch.from_numpy(sets.features[rows])
        self.context = torch.from_numpy(sets.context[rows])
        self.u = torch.from_numpy(sets.u[rows])[:, slice(None) if knowing else slice(0)]

    def __len__(self) -> int:
        return len(self.features)

    def score(self, likelihood: Likelihood, rows: Tensor) -> Tensor:
        """Give log q of some of them [nat], shape (rows,)."""
        return cast(Tensor, likelihood(self.features[rows], self.context[rows], self.u[rows]))


def school(
    parameters: Sequence[Parameter], how: Schooling, sets: Sets, held_out: Sets, seed: int, bookmark: Path | None = None
) -> Generator[Epoch, None, Likelihood]:
    """Train a likelihood, or, without parameters, the prior predictive.

    Args:
        parameters: What theta is; none for the prior predictive.
        how: Sizes and steps.
        sets: Training cells.
        held_out: Cells to choose by.
        seed: Of weights and order.
        bookmark: Where to note after each epoch how it stands; one of the same training is gone on from.

    Yields:
        How it goes, after each epoch.

    Returns:
        The likelihood that held-out sweeps liked best.
    """
    course = _Course(parameters, how, Sweeps(sets, bool(parameters)), seed)
    judges = Sweeps(held_out, bool(parameters))
    key = repr((seed, how, len(parameters), hashlib.sha256(sets.u.tobytes()).hexdigest()))
    if bookmark is not None and (there := take(bookmark, key)) is not None:
        course.go_on(there)
    begun, first = time.monotonic(), course.epoch
    while course.epoch < how.epochs:
        loss = course.run()
        now = course.choose(judges)
        if bookmark is not None:
            put(bookmark, key, course.stand())
        left = (time.monotonic() - begun) / (course.epoch - first) * (how.epochs - course.epoch)
        yield Epoch(course.epoch, how.epochs, loss, now, left)
    return course.kept.eval().requires_grad_(False)


class _Course:
    """A schooling under way: the likelihood, the moving average of its weights, and the best of these so far."""

    def __init__(self, parameters: Sequence[Parameter], how: Schooling, sweeps: Sweeps, seed: int) -> None:
        self.how, self.sweeps = how, sweeps
        self.rng = np.random.default_rng([seed, 7, len(parameters)])
        shape = Shape(how.width, how.layers, how.hidden, how.components)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.likelihood, self.kept = Likelihood(parameters, shape), Likelihood(parameters, shape)
        some = self.rng.permutation(len(sweeps))[:_FITTED]
        self.likelihood.scaling.fit(sweeps.features[some], sweeps.context[some])
        self.average = torch.optim.swa_utils.AveragedModel(self.likelihood, avg_fn=_moving, use_buffers=False)
        self.optimizer = torch.optim.AdamW(self.likelihood.parameters(), lr=how.learning_rate, weight_decay=1e-5)
        self.best, self.epoch = -math.inf, 0

    def run(self) -> float:
        """Go through as many sweeps as an epoch has; give the mean loss, NaN where no step could be taken."""
        order = torch.from_numpy(self.rng.permutation(len(self.sweeps))[: self.how.rows])
        batches = torch.split(order, self.how.batch)
        losses = []
        for k, rows in enumerate(batches):
            rate = self.how.learning_rate * _schedule((self.epoch + k / len(batches)) / self.how.epochs)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            loss = -self.sweeps.score(self.likelihood, rows).mean()
            self.optimizer.zero_grad(set_to_none=True)
            torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
            size = torch.nn.utils.clip_grad_norm_(self.likelihood.parameters(), _LARGEST_STEP)
            # One broken batch must not break the weights.
            if torch.isfinite(size):
                self.optimizer.step()
                self.average.update_parameters(self.likelihood)
                losses.append(loss.item())
        self.epoch += 1
        return float(np.mean(losses)) if losses else math.nan

    def choose(self, judges: Sweeps) -> float:
        """Keep the averaged weights where held-out sweeps like them best so far; give what these say."""
        averaged = cast(Likelihood, self.average.module)
        rows = torch.arange(min(len(judges), _JUDGES))
        with torch.inference_mode():
            scores = [judges.score(averaged, some) for some in torch.split(rows, _AT_ONCE)]
        now = float(torch.cat(scores).double().mean())
        if now > self.best:
            self.best = now
            self.kept.load_state_dict(averaged.state_dict())
        return now

    def stand(self) -> Bookmark:
        """Note all that the next epoch depends on."""
        tensors = {f"likelihood/{name}": tensor for name, tensor in self.likelihood.state_dict().items()}
        tensors |= {f"average/{name}": tensor for name, tensor in self.average.state_dict().items()}
        tensors |= {f"kept/{name}": tensor for name, tensor in self.kept.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in state.items()}
        best = self.best if math.isfinite(self.best) else None
        return Bookmark(tensors, {"epoch": self.epoch, "best": best, "rng": self.rng.bit_generator.state})

    def go_on(self, bookmark: Bookmark) -> None:
        """Stand where the bookmark says."""
        parts: dict[str, dict[str, Tensor]] = {"likelihood": {}, "average": {}, "kept": {}, "optimizer": {}}
        for name, tensor in bookmark.tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = tensor
        self.likelihood.load_state_dict(parts["likelihood"])
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
    """Warm up over the first fiftieth, then fall along a cosine."""
    return min(1.0, progress / 0.02 + 0.01) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _moving(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """Move the average towards the weights; at first fast, so that it forgets where they began."""
    keep = min(_KEEP, (1.0 + float(steps)) / (10.0 + float(steps)))
    return average + (1.0 - keep) * (now - average)
