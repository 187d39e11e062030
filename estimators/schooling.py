"""This file is the schooling: from simulated sweeps to a likelihood, by maximal log density of their features.

The sweeps are those that the posterior's network learns from, each with theta at its own moment. Every epoch takes
some of them; what is kept is the moving average of the weights that held-out sweeps liked best.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from estimators.bookmark import put, take
from estimators.context import CONTEXT
from estimators.course import Course
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
_DECAY = 1e-5


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


class _Course(Course[Likelihood]):
    """The schooling of a likelihood on single sweeps."""

    def __init__(self, parameters: Sequence[Parameter], how: Schooling, sweeps: Sweeps, seed: int) -> None:
        self.how, self.sweeps = how, sweeps
        rng = np.random.default_rng([seed, 7, len(parameters)])
        shape = Shape(how.width, how.layers, how.hidden, how.components)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            likelihood, kept = Likelihood(parameters, shape), Likelihood(parameters, shape)
        some = rng.permutation(len(sweeps))[:_FITTED]
        likelihood.scaling.fit(sweeps.features[some], sweeps.context[some])
        steps = {"learning_rate": how.learning_rate, "weight_decay": _DECAY}
        super().__init__(likelihood, kept, rng, **steps, warming=0.02, keep=0.995)

    def run(self) -> float:
        """Go through as many sweeps as an epoch has; give the mean loss, NaN where no step could be taken."""
        return self.go_through(self._losses())

    def _losses(self) -> Iterator[tuple[float, Tensor]]:
        """Give the loss of each batch, and how much of the schooling is over before it."""
        order = torch.from_numpy(self.rng.permutation(len(self.sweeps))[: self.how.rows])
        parts = torch.split(order, self.how.batch)
        for k, rows in enumerate(parts):
            loss = -self.sweeps.score(self.network, rows).mean()
            yield (self.epoch + k / len(parts)) / self.how.epochs, loss

    def choose(self, judges: Sweeps) -> float:
        """Keep the averaged weights where held-out sweeps like them best so far; give what these say."""
        rows = torch.arange(min(len(judges), _JUDGES))
        with torch.inference_mode():
            scores = [judges.score(self.averaged, some) for some in torch.split(rows, _AT_ONCE)]
        return self.judge(float(torch.cat(scores).double().mean()))
