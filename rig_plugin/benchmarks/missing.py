"""This file is the benchmark of missing features: a flag, a learned constant and learned imputation, on the same cells.

Each small network learns from sets as they are and, in every second batch, with 30 % of the features that are there
hidden at random; it is held to account for both. What ships shows a zero beside a flag.
"""

from __future__ import annotations

import time
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor

from estimators.filling import KINDS
from estimators.gains import mean_of
from estimators.panel import Panel
from estimators.probe import Probe
from estimators.probing import Lesson, hide_features, probe
from estimators.spec import Spec
from rig_plugin.benchmarks.gains import shipped_spec
from rig_plugin.tasks.figure import Figure

__all__ = ["BETTER", "HIDDEN", "measure"]

HIDDEN = 0.3
"""Share of the features that are hidden."""

BETTER = 0.02
"""What another filling has to gain over the flag, and twice its standard error, to be worth a change [nat]."""

_SWEEPS = 4


def measure(
    peers: bool = True,
    simulations: int = 10_000,
    held_out: int = 4_000,
    epochs: int = 20,
    seeds: int = 2,
    spec: Spec | None = None,
) -> list[dict[str, Any]]:
    """Measure.

    Args:
        peers: There are none.
        simulations: Cells of four sweeps to learn from, other ones for each seed.
        held_out: Fresh cells.
        epochs: Passes over the cells.
        seeds: How often each is trained.
        spec: What cells are drawn from; that of the network that ships where none is given.

    Returns:
        Figures: log q of each filling for sets as they are and with features hidden, and how much more than the
            flag's it is, cell by cell, with standard errors over cells and the range over the seeds.
    """
    spec = shipped_spec() if spec is None else spec
    test = Panel.draw(spec, held_out, _SWEEPS, np.random.default_rng([spec.seed, 32]))
    shown = {"as_is": test, "hidden": hide_features(test, HIDDEN, torch.Generator().manual_seed(0))}
    scores: dict[tuple[str, str], list[Tensor]] = {}
    for seed in range(seeds):
        panel = Panel.draw(spec, simulations, _SWEEPS, np.random.default_rng([spec.seed, 31, seed]))
        for kind in KINDS:
            begun = time.monotonic()
            lesson = Lesson(epochs=epochs, features=HIDDEN, seed=seed)
            network = probe(Probe.fresh(len(spec.parameters), seed, filling=kind), panel, lesson)
            for state, some in shown.items():
                scores.setdefault((state, kind), []).append(network.score(some).joint)
            click.echo(f"{kind}, seed {seed}: {time.monotonic() - begun:.0f} s", err=True)
    return compare(scores)


def compare(scores: dict[tuple[str, str], list[Tensor]]) -> list[dict[str, Any]]:
    """Hold every filling beside the flag.

    Args:
        scores: log q of each cell, shape (b,), of each seed, by state of the sets and kind of filling.

    Returns:
        Figures; the aim of a difference is what would be worth a change, whose being met is no duty.
    """
    rows = []
    for (state, kind), each in scores.items():
        value, error = _of(each)
        rows.append(Figure(f"{state}/log_q/{kind}", value, "nat", len(each[0])).row() | {"error": error})
        if kind == KINDS[0]:
            continue
        apart = [ours - flagged for ours, flagged in zip(each, scores[state, KINDS[0]], strict=True)]
        value, error = _of(apart)
        figure = Figure(f"{state}/over_flag/{kind}", value, "nat", len(apart[0])).row()
        means = [float(one.mean()) for one in apart]
        worth = value > max(BETTER, 2.0 * error) and min(means) > 0.0
        rows.append(figure | {"error": error, "least": min(means), "most": max(means), "worth_a_change": worth})
    return rows


def _of(each: list[Tensor]) -> tuple[float, float]:
    """Average over seeds and cells; the cells are the same for every seed, so the error is that of their means."""
    mean, error = mean_of(torch.stack(each).mean(0)[:, None])
    return float(mean[0]), float(error[0])
