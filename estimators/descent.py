"""This file is the descent: the training of one network, epoch by epoch, such that it can stop anywhere and go on.

Warm-up, then a cosine; what is kept is the moving average of the weights at the epoch that held-out rows liked best.
All randomness of an epoch comes from the seed and the epoch's number, so there is no other state to note.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from estimators.network import Plan

__all__ = ["Descent", "Rows", "Schedule"]

_WARM_UP = 0.03
_LONGEST_STEP = 5.0


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, and in what portions.

    Args:
        epochs: At most.
        patience: Epochs without a better held-out loss after which training ends.
        batch: Rows in a step.
        learning_rate: At its highest.
        weight_decay: Of AdamW.
        memory: Share of itself that the moving average keeps in a step.
    """

    epochs: int
    patience: int
    batch: int
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    memory: float = 0.998


@dataclass(frozen=True, eq=False)
class Rows:
    """Simulations, as training wants them.

    Args:
        x: Features, shape (n, d), NaN where missing.
        z: Unconstrained theta, shape (n, p), float32.
    """

    x: Tensor
    z: Tensor

    def to(self, device: str) -> Rows:
        """Put them where they are needed."""
        return Rows(self.x.to(device), self.z.to(device))


class Descent:
    """A training under way.

    Args:
        plan: Of the network.
        schedule: Of the training.
        train: Rows to learn from.
        held_out: Rows to choose the epoch by.
        seed: Of everything random.
        device: Where to compute.
    """

    def __init__(self, plan: Plan, schedule: Schedule, train: Rows, held_out: Rows, seed: int, device: str) -> None:
        self.schedule, self.seed, self.device = schedule, seed, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = plan.network()
            self.average, self.kept = plan.network(), plan.network()
        straightening = self.network.straightening
        straightening.fit(train.x)
        self.train = Rows(straightening.straighten(train.x), train.z).to(device)
        self.held_out = Rows(straightening.straighten(held_out.x), held_out.z).to(device)
        self.average.load_state_dict(self.network.state_dict())
        for network in (self.network, self.average, self.kept):
            network.to(device)
        self.average.eval()
        self.kept.eval()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
        )
        self.steps, self.epoch, self.best, self.best_epoch = 0, 0, -math.inf, 0

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.epoch >= self.schedule.epochs or self.epoch - self.best_epoch >= self.schedule.patience

    def run(self) -> tuple[float, float]:
        """Go through the rows once.

        Returns:
            Mean loss, NaN where no step could be taken, and what the held-out rows say of the averaged weights.
        """
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        losses = []
        self.network.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed * 100_003 + self.epoch)
            order = torch.randperm(len(self.train.z), generator=generator)
            for rows in torch.split(order.to(self.device), self.schedule.batch):
                losses += self._step(rows, generator)
        self.epoch += 1
        now = self.average.judge(self.held_out.x, self.held_out.z)
        if now > self.best:
            self.best, self.best_epoch = now, self.epoch
            self.kept.load_state_dict(self.average.state_dict())
        return (sum(losses) / len(losses) if losses else math.nan), now

    def stand(self) -> tuple[dict[str, Tensor], dict[str, float | int | None]]:
        """Note all that the next epoch depends on: tensors by name, and numbers."""
        tensors: dict[str, Tensor] = {}
        for part in ("network", "average", "kept"):
            tensors |= {f"{part}/{name}": tensor for name, tensor in getattr(self, part).state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in state.items()}
        best = self.best if math.isfinite(self.best) else None
        numbers = {"epoch": self.epoch, "steps": self.steps, "best": best, "best_epoch": self.best_epoch}
        return tensors, numbers

    def go_on(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, float | int | None]) -> None:
        """Stand where a note says."""
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "kept": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = tensor
        for part in ("network", "average", "kept"):
            getattr(self, part).load_state_dict(parts[part])
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            index, moment = name.split("/")
            states.setdefault(int(index), {})[moment] = tensor
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": states})
        self.epoch, self.steps, self.best_epoch = (int(numbers[name] or 0) for name in ("epoch", "steps", "best_epoch"))
        self.best = -math.inf if numbers["best"] is None else float(numbers["best"])

    def _step(self, rows: Tensor, generator: torch.Generator) -> list[float]:
        total = self.schedule.epochs * math.ceil(len(self.train.z) / self.schedule.batch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.learning_rate * _pace(self.steps / total)
        loss = self.network.loss(self.train.x[rows], self.train.z[rows], generator)
        self.optimizer.zero_grad(set_to_none=True)
        torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
        size = torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_STEP)
        self.steps += 1
        # One broken batch must not break the weights.
        if not torch.isfinite(size):
            return []
        self.optimizer.step()
        # At first fast, so that the average forgets where the weights began.
        keep = min(self.schedule.memory, (1.0 + self.steps) / (10.0 + self.steps))
        with torch.no_grad():
            for old, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                old.lerp_(new, 1.0 - keep)
        return [loss.item()]


def _pace(progress: float) -> float:
    """Warm up, then fall along a cosine."""
    return min(1.0, progress / _WARM_UP + 0.01) * 0.5 * (1.0 + math.cos(math.pi * progress))
