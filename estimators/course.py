"""This file is the course: a training under way, of whatever network: what a step and a bookmark are for all of them.

Steps warm up and fall along a cosine, gradients are clipped, and a moving average of the weights is kept beside them;
of that, the best that was judged so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Generic, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from estimators.bookmark import Bookmark

__all__ = ["Course"]

_LARGEST_STEP = 5.0

N = TypeVar("N", bound=nn.Module)


class Course(Generic[N]):
    """A training under way.

    Args:
        network: That is trained, on its device.
        kept: Another of its kind, which takes the best weights.
        rng: Source of randomness.
        learning_rate: Largest step size.
        weight_decay: Pull of the weights to zero.
        warming: Share of the training in which steps grow.
        keep: Share of the moving average that a step leaves as it was.
    """

    def __init__(
        self,
        network: N,
        kept: N,
        rng: np.random.Generator,
        *,
        learning_rate: float,
        weight_decay: float,
        warming: float,
        keep: float,
    ) -> None:
        self.network, self.kept, self.rng = network, kept, rng
        self._rate, self._warming = learning_rate, warming
        moving = partial(_moving, keep)
        self._average = torch.optim.swa_utils.AveragedModel(network, avg_fn=moving, use_buffers=False)
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
        self.best, self.epoch = -math.inf, 0

    @property
    def averaged(self) -> N:
        """The network with the moving average of its weights."""
        return cast(N, self._average.module)

    def go_through(self, losses: Iterable[tuple[float, Tensor]]) -> float:
        """Take one epoch's steps.

        Args:
            losses: How much of the training is over before each step, 0 to 1, and its loss, made as the steps are
                taken.

        Returns:
            The mean loss, NaN where no step could be taken.
        """
        taken = []
        for progress, loss in losses:
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate * _schedule(progress, self._warming)
            self._optimizer.zero_grad(set_to_none=True)
            torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
            size = torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_STEP)
            # One broken batch must not break the weights.
            if torch.isfinite(size):
                self._optimizer.step()
                self._average.update_parameters(self.network)
                taken.append(loss.item())
        self.epoch += 1
        return float(np.mean(taken)) if taken else math.nan

    def judge(self, now: float) -> float:
        """Keep the averaged weights where they are better than any before.

        Args:
            now: How good they are.

        Returns:
            The same.
        """
        if now > self.best:
            self.best = now
            self.kept.load_state_dict(self.averaged.state_dict())
        return now

    def stand(self) -> Bookmark:
        """Note all that the next epoch depends on.

        Returns:
            The note.
        """
        tensors: dict[str, Tensor] = {}
        for part, network in (("network", self.network), ("average", self._average), ("kept", self.kept)):
            tensors |= {f"{part}/{name}": tensor for name, tensor in network.state_dict().items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in state.items()}
        best = self.best if math.isfinite(self.best) else None
        return Bookmark(tensors, {"epoch": self.epoch, "best": best, "rng": self.rng.bit_generator.state})

    def go_on(self, bookmark: Bookmark) -> None:
        """Stand where a bookmark says.

        Args:
            bookmark: From `stand`, of the same training.
        """
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "kept": {}, "optimizer": {}}
        for name, tensor in bookmark.tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = tensor
        self.network.load_state_dict(parts["network"])
        self._average.load_state_dict(parts["average"])
        self.kept.load_state_dict(parts["kept"])
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            index, moment = name.split("/")
            states.setdefault(int(index), {})[moment] = tensor
        self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": states})
        self.epoch = int(bookmark.numbers["epoch"])
        self.best = -math.inf if bookmark.numbers["best"] is None else float(bookmark.numbers["best"])
        self.rng.bit_generator.state = dict(bookmark.numbers["rng"])


def _schedule(progress: float, warming: float) -> float:
    """Warm up, then fall along a cosine."""
    return min(1.0, progress / warming + 0.01) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _moving(most: float, average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """Move the average towards the weights; at first fast, so that it forgets where they began."""
    keep = min(most, (1.0 + float(steps)) / (10.0 + float(steps)))
    return average + (1.0 - keep) * (now - average)
