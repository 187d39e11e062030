"""This file is the probing: the training of a probe, a fixed number of epochs, so that no test cell chooses anything.

What is kept is the moving average of the weights at the end of a cosine. Groups or single features may be hidden at
random, so that one network answers for every subset of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from estimators.groups import GROUPS
from estimators.panel import Panel
from estimators.probe import Probe

__all__ = ["Lesson", "hide_features", "hide_groups", "probe"]

_WARM_UP = 0.05
_MEMORY = 0.995
_SORTED = 8
_IMPUTING = 0.1


@dataclass(frozen=True)
class Lesson:
    """How a probe is trained.

    Args:
        epochs: Passes over the cells.
        batch: Cells in a step.
        learning_rate: At its highest.
        sizes: Sets of so many of a cell's last sweeps are shown, each as often.
        groups: Whether groups are hidden at random.
        hidden: Groups that are always hidden.
        features: Share of single features that are hidden, of every second batch.
        seed: Of everything random.
    """

    epochs: int = 30
    batch: int = 256
    learning_rate: float = 2e-3
    sizes: tuple[int, ...] = (1, 4)
    groups: bool = False
    hidden: tuple[str, ...] = ()
    features: float = 0.0
    seed: int = 0


def probe(network: Probe, panel: Panel, lesson: Lesson) -> Probe:
    """Train a probe.

    Args:
        network: With fresh weights, or of another lesson on the same cells, which is gone on from.
        panel: Cells to learn from.
        lesson: How.

    Returns:
        The network with the moving average of its weights.
    """
    generator = torch.Generator().manual_seed(lesson.seed)
    network.scaling.fit(panel.features.flatten(0, 1), panel.context.flatten(0, 1))
    average = torch.optim.swa_utils.AveragedModel(network, avg_fn=_moving)
    optimizer = torch.optim.AdamW(network.parameters(), lr=lesson.learning_rate, weight_decay=1e-3)
    steps = lesson.epochs * -(-len(panel) // lesson.batch)
    step = 0
    network.train()
    for _ in range(lesson.epochs):
        for rows in _batches(panel, lesson.batch, generator):
            for group in optimizer.param_groups:
                group["lr"] = lesson.learning_rate * _schedule(step / steps)
            loss = _loss(network, panel[rows], lesson, generator)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            if torch.isfinite(torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)):
                optimizer.step()
                average.update_parameters(network)
            step += 1
    return cast(Probe, average.module).eval()


def _loss(network: Probe, whole: Panel, lesson: Lesson, generator: torch.Generator) -> Tensor:
    size = lesson.sizes[int(torch.randint(len(lesson.sizes), (), generator=generator))]
    whole = whole.latest(size)
    hidden = hide_groups(len(whole), generator) if lesson.groups else None
    if lesson.hidden:
        hidden = torch.tensor([name in lesson.hidden for name in GROUPS]).expand(len(whole), -1)
    shown = whole
    if lesson.features and torch.rand((), generator=generator) < 0.5:
        shown = hide_features(whole, lesson.features, generator)
    loss = -network(shown, hidden).log_prob(shown.u).mean()
    return torch.as_tensor(loss + _IMPUTING * network.imputation_error(whole, shown))


def hide_groups(cells: int, generator: torch.Generator) -> Tensor:
    """Draw which groups are hidden of each cell: none, one, all but one, all, or any.

    Args:
        cells: How many.
        generator: Source of randomness.

    Returns:
        Shape (cells, groups), bool.
    """
    groups = len(GROUPS)
    drawn = torch.rand(cells, 1, generator=generator)
    one = torch.nn.functional.one_hot(torch.randint(groups, (cells,), generator=generator), groups).bool()
    some = torch.rand(cells, groups, generator=generator) < 0.5
    hidden = torch.where(drawn < 0.55, one, torch.where(drawn < 0.8, ~one, some))
    return (hidden | ((drawn >= 0.8) & (drawn < 0.83))) & (drawn >= 0.2)


def hide_features(panel: Panel, share: float, generator: torch.Generator) -> Panel:
    """Hide single features at random.

    Args:
        panel: Cells.
        share: Of the features that are there.
        generator: Source of randomness.

    Returns:
        The same cells with features missing.
    """
    hidden = torch.rand(panel.features.shape, generator=generator) < share
    return replace(panel, features=panel.features.masked_fill(hidden, torch.nan))


def _batches(panel: Panel, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Deal the cells out; where there are traces, those of like length go together, for padding costs time."""
    rows = torch.randperm(len(panel), generator=generator)
    if panel.traces is None:
        yield from torch.split(rows, size)
        return
    for run in torch.split(rows, size * _SORTED):
        length = (panel.context[run][:, :, 3:6].sum(-1)).amax(1)
        portions = torch.split(run[length.argsort()], size)
        for k in torch.randperm(len(portions), generator=generator).tolist():
            yield portions[k]


def _schedule(done: float) -> float:
    return min(1.0, done / _WARM_UP) * 0.5 * (1.0 + math.cos(math.pi * done))


def _moving(average: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
    # At the start the average is short, or fresh weights would last in it.
    keep = min(_MEMORY, (1.0 + float(count)) / (10.0 + float(count)))
    return keep * average + (1.0 - keep) * now
