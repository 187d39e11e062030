"""This file is the score: what one method reaches on one task from one set of simulations."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rig_plugin.tasks.c2st import Classifier, c2st
from rig_plugin.tasks.reference import Reference
from rig_plugin.tasks.task import Task
from rig_plugin.tasks.trained import Train, Trained

__all__ = ["DRAWS", "HELD_OUT", "Score", "take"]

DRAWS = 10_000
"""Of each posterior, as many as there are reference draws."""

HELD_OUT = 1000
"""Fresh simulations, the same for every method."""

_FRESH = 1_000_000
_LARGE = 4


@dataclass(frozen=True)
class Score:
    """One row of the ledger.

    Args:
        task: Its name.
        method: Who trained.
        version: Of that program.
        simulations: How many it was trained on.
        seed: Of simulations and training.
        classifier: Which C2ST.
        c2st: One an observation, from the first on.
        log_q: Mean log density of theta on the fresh simulations.
        train_s: Wall time.
        train_cpu_s: Processor time, which others on the machine do not lengthen.
        draws_s: Wall time for the draws of one observation, the median.
    """

    task: str
    method: str
    version: str
    simulations: int
    seed: int
    classifier: Classifier
    c2st: tuple[float, ...]
    log_q: float
    train_s: float
    train_cpu_s: float
    draws_s: float


def take(
    task: Task,
    references: Sequence[Reference],
    train: Train,
    simulations: int,
    seed: int,
    *,
    method: str,
    version: str,
    classifier: Classifier = "own",
) -> Score:
    """Simulate, train, draw, and compare.

    Args:
        task: What to infer.
        references: Observations with draws from their posteriors.
        train: Who trains.
        simulations: How many to train on.
        seed: Of simulations and training; another seed, another net on other simulations.
        method: The name for the ledger.
        version: Likewise.
        classifier: Which C2ST.

    Returns:
        The score.
    """
    theta, x = task.draw(simulations, seed)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    trained = train(theta, x, task.prior, seed)
    train_s, train_cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    torch.manual_seed(seed)
    log_q = trained.log_prob(*task.draw(HELD_OUT, _FRESH + seed))
    times, scores = _compare(references, trained, classifier)
    return Score(
        task=task.name,
        method=method,
        version=version,
        simulations=simulations,
        seed=seed,
        classifier=classifier,
        c2st=tuple(scores),
        log_q=float(np.mean(log_q)),
        train_s=train_s,
        train_cpu_s=train_cpu_s,
        draws_s=float(np.median(times)),
    )


def _compare(
    references: Sequence[Reference], trained: Trained, classifier: Classifier
) -> tuple[list[float], list[float]]:
    """Draw under every observation; returns the seconds each took, and the C2ST of each."""
    times, pairs = [], []
    for reference in references:
        begun = time.perf_counter()
        draws = trained.draw(reference.x, len(reference.draws))
        times.append(time.perf_counter() - begun)
        pairs.append((reference.draws, draws))
    # Large classifiers fill the cache by themselves: side by side they would only wait for memory.
    group = 1 if pairs[0][0].shape[1] > _LARGE else len(pairs)
    groups = [pairs[start : start + group] for start in range(0, len(pairs), group)]
    return times, [score for some in groups for score in c2st(some, classifier=classifier)]
