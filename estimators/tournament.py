"""This file is the tournament: heads and schedules tried on one split, then the best of them trained on others.

First every head is trained by the first schedule, then the best head by the other schedules; the rows that the first
split holds out choose. Where one is wanted, a pupil of the ensemble comes last. It can be stopped at any epoch: a
bookmark holds the networks that are done and the descent that is under way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from estimators.bookmark import Bookmark, put, take
from estimators.descent import Descent, Rows, Schedule
from estimators.distillation import heavier, taught
from estimators.network import Network, Plan

__all__ = ["Progress", "Tournament"]

_JUDGED = 2000


@dataclass(frozen=True)
class Progress:
    """How a fit goes.

    Args:
        head: That is trained now.
        training: Trainings done before this one.
        of: Trainings in all.
        epoch: Epochs of this training that are done.
        epochs: At most.
        loss: Mean over the epoch.
        held_out: Minus the loss of the held-out rows; for all heads but "matching" mean log q in unconstrained space.
        seconds_left: Estimate of the time left, if no training ends early [s].
    """

    head: str
    training: int
    of: int
    epoch: int
    epochs: int
    loss: float
    held_out: float
    seconds_left: float


@dataclass(frozen=True)
class Result:
    """A network that is done."""

    network: Network
    schedule: int
    split: int
    held_out: float
    epochs: int


class Tournament:
    """Trainings one after the other, on splits of the same rows.

    Args:
        plan: Of the networks; the head is put in.
        schedules: Of the trainings; the first is the one that heads are compared by.
        rows: All simulations.
        heads: To try on the first split.
        members: Networks wanted, if this schedule is the best, for each schedule.
        validation: Share of the rows that a training is judged by.
        seed: Of everything random.
        device: Where to compute.
        pupil: The schedule of one network that learns from the ensemble; None for none.
    """

    def __init__(
        self,
        plan: Plan,
        schedules: Sequence[Schedule],
        rows: Rows,
        heads: Sequence[str],
        members: Sequence[int],
        validation: float,
        seed: int,
        device: str,
        pupil: Schedule | None = None,
    ) -> None:
        self.plan, self.schedules, self.rows, self.heads = plan, tuple(schedules), rows, tuple(heads)
        self.members, self.validation, self.seed, self.device = tuple(members), validation, seed, device
        self.pupil = pupil
        self.done: list[Result] = []
        self.spent: dict[str, tuple[float, int]] = {}

    @property
    def best(self) -> tuple[str, int]:
        """The head and the schedule that the held-out rows of the first split like best."""
        tried = (result for result in self.done if result.split == 0 and result is not self.distilled)
        first = max(tried, key=lambda result: result.held_out)
        return first.network.plan.head, first.schedule

    @property
    def winners(self) -> list[Result]:
        """The networks of that head and schedule."""
        return [result for result in self.done if (result.network.plan.head, result.schedule) == self.best]

    @property
    def distilled(self) -> Result | None:
        """The pupil, once it is trained; its schedule's number is one more than those of the others have."""
        return next((result for result in self.done if result.schedule == len(self.schedules)), None)

    @property
    def given(self) -> list[Result]:
        """The networks that the fit is for: the winners, or where there is a pupil the better of it and the first."""
        if self.distilled is None:
            return self.winners
        return [max(self.distilled, self.winners[0], key=lambda result: result.held_out)]

    @property
    def trainings(self) -> int:
        """How many there will be; at most, while the schedule is not chosen yet."""
        tried = len(self.heads) + len(self.schedules) - 1
        wanted = max(self.members) if len(self.done) < tried else self.members[self.best[1]]
        return tried - 1 + wanted + (self.pupil is not None)

    def run(self, progress: Callable[[Progress], None], bookmark: Path | None, key: str) -> None:
        """Train what is not trained yet.

        Args:
            progress: Called after each epoch.
            bookmark: Where to note how it stands.
            key: Names this fit.
        """
        there = None if bookmark is None else take(bookmark, key)
        note = self._go_on(there) if there is not None else None
        while len(self.done) < self.trainings:
            head, schedule, split = self._next(len(self.done))
            descent, held_out = self._descent(head, schedule, split)
            if note is not None:
                descent.go_on(*note)
                note = None
            while not descent.done:
                begun = time.monotonic()
                loss, now = descent.run()
                told = self._progress(head, descent, loss, now, time.monotonic() - begun)
                if descent.done:
                    self._finish(descent, schedule, split, held_out)
                if bookmark is not None:
                    put(bookmark, key, self._stand(None if descent.done else descent))
                progress(told)

    def _next(self, index: int) -> tuple[str, int, int]:
        """Say which head and schedule are trained on which split, after so many trainings."""
        tried = len(self.heads) + len(self.schedules) - 1
        if index < len(self.heads):
            return self.heads[index], 0, 0
        head, schedule = self.best
        if self.pupil is not None and index == self.trainings - 1:
            return head, len(self.schedules), 0
        return (head, index + 1 - len(self.heads), 0) if index < tried else (head, schedule, index + 1 - tried)

    def _descent(self, head: str, schedule: int, split: int) -> tuple[Descent, Rows]:
        """Begin a training on a split; every split holds other rows out."""
        n = len(self.rows.z)
        size = max(1, round(self.validation * n))
        order = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed)).roll(-split * size)
        held_out, train = (Rows(self.rows.x[k], self.rows.z[k]) for k in (order[:size], order[size:]))
        seed = self.seed * 1009 + 31 * split + self.heads.index(head)
        plan = replace(self.plan, head=head)
        if self.pupil is None or schedule < len(self.schedules):
            return Descent(plan, self.schedules[schedule], train, held_out, seed, self.device), held_out
        seed += 31 * max(self.members)
        train = taught([result.network for result in self.winners], train, seed)
        return Descent(plan, self.pupil, train, held_out, seed, self.device), held_out

    def _finish(self, descent: Descent, schedule: int, split: int, held_out: Rows) -> None:
        network = descent.kept.to("cpu")
        some = slice(0, _JUDGED)
        density = network.log_prob(network.straightening.straighten(held_out.x[some]), held_out.z[some])
        density = density if math.isfinite(density) else -math.inf
        self.done.append(Result(network, schedule, split, density, descent.epoch))

    def _progress(self, head: str, descent: Descent, loss: float, now: float, seconds: float) -> Progress:
        """Say how it goes; heads that were not tried yet are taken to be as slow as the others."""
        index, epochs = len(self.done), descent.schedule.epochs
        if descent.schedule is self.pupil:
            left = (epochs - descent.epoch) * seconds if not descent.done else 0.0
            return Progress(head, index, self.trainings, descent.epoch, epochs, loss, now, left)
        spent, times = self.spent.get(head, (0.0, 0))
        self.spent[head] = (spent + seconds, times + 1)
        rates = {name: total / count for name, (total, count) in self.spent.items()}
        mean = sum(rates.values()) / len(rates)
        left = 0.0 if descent.done else (epochs - descent.epoch) * rates[head]
        left += sum(rates.get(name, mean) * self.schedules[0].epochs for name in self.heads[index + 1 :])
        first = max(0, index + 1 - len(self.heads)) + 1
        left += sum(mean * schedule.epochs for schedule in self.schedules[first:])
        longest = max(schedule.epochs for schedule in self.schedules)
        after = self.trainings - 1 - index
        if self.pupil is not None:
            after -= 1
            draws, copies = heavier(len(self.rows.z), max(self.members))
            left += mean * self.pupil.epochs * (draws * max(self.members) + copies)
        left += mean * longest * min(max(self.members) - 1, after)
        return Progress(head, index, self.trainings, descent.epoch, epochs, loss, now, left)

    def _stand(self, descent: Descent | None) -> Bookmark:
        tensors: dict[str, Tensor] = {}
        numbers: dict[str, Any] = {"done": [], "now": None}
        for k, result in enumerate(self.done):
            tensors |= {f"done/{k}/{name}": tensor for name, tensor in result.network.state_dict().items()}
            held_out = result.held_out if math.isfinite(result.held_out) else None
            of = [result.network.plan.head, result.schedule, result.split, held_out, result.epochs]
            numbers["done"].append(of)
        if descent is not None:
            now, numbers["now"] = descent.stand()
            tensors |= {f"now/{name}": tensor for name, tensor in now.items()}
        return Bookmark(tensors, numbers)

    def _go_on(self, there: Bookmark) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Take back the networks that are done; give the note of the descent that was under way."""
        for k, (head, schedule, split, held_out, epochs) in enumerate(there.numbers["done"]):
            network = replace(self.plan, head=head).network()
            network.load_state_dict(dict(_under(f"done/{k}/", there)))
            density = -math.inf if held_out is None else held_out
            self.done.append(Result(network.eval(), schedule, split, density, epochs))
        return None if there.numbers["now"] is None else (dict(_under("now/", there)), there.numbers["now"])


def _under(prefix: str, bookmark: Bookmark) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in bookmark.tensors.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), tensor
