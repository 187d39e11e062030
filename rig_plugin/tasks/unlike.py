"""This file is what is unlike the model: cells of other models and real ones, of which only what they do is known.

Each way of asking is scored by how far what the judge then expects of other sweeps of the cell is from what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from rig_plugin.tasks.asking import cycled
from rig_plugin.tasks.cell import Cell, cells
from rig_plugin.tasks.cohort import Cohort, Record
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.foreign import KINDS, Foreign
from rig_plugin.tasks.foretelling import foretell
from rig_plugin.tasks.reasking import REASKED, Picked, adaptively, picked

__all__ = ["Asker", "foreign", "recorded"]

Array = npt.NDArray[np.float64]
Asker = Callable[[Cohort], Record]
"""Asks all cells of a cohort."""

_ASKED = (-1.5, 1.5, 2.5, 4.0, 6.0, 9.0)
"""What is foretold of cells of other models, in units of what moves them by 10 mV."""

_KNOWN = (2, 3, 5, 10)
_RECORDED = (2, 3, 5)
_OURS = "adaptive"
_RESAMPLED = 2000
_TRIES = 5


def foreign(askers: Mapping[str, Asker], chooser: Checkpoint, judge: Checkpoint, count: int, seed: int) -> list[Figure]:
    """Score all ways on cells of other models.

    Args:
        askers: {way: who asks}; "adaptive" among them.
        chooser: Whose rigs and domain.
        judge: Who foretells.
        count: Cells of each model.
        seed: Of everything.

    Returns:
        For each model, way and number of sweeps the mean score, less is better; and by how much the adaptive way's is
            less, paired, with a 95 % interval.
    """
    figures = []
    for kind in KINDS:
        cohort = Foreign(kind, chooser, count, max(_KNOWN) + len(_ASKED), seed)
        scores = {way: _scored(judge, cohort, asker(cohort), seed) for way, asker in askers.items()}
        for way, theirs in scores.items():
            figures += _told(kind, way, theirs, _KNOWN)
            if not way.startswith(_OURS):
                figures += _ahead(kind, way, scores[_OURS], theirs, _KNOWN, seed)
    return figures


def recorded(folder: Path, chooser: Checkpoint, judge: Checkpoint, draws: int, seed: int) -> list[Figure]:
    """Score ways to choose among the sweeps of recorded families, on what neither of two ways has chosen.

    Args:
        folder: Of recordings.
        chooser: Who chooses adaptively.
        judge: Who foretells.
        draws: Most draws that a choice rests on.
        seed: Of everything.

    Returns:
        As `foreign`; the adaptive way's score stands beside each other's, for each pair is scored on sweeps of its own.
    """
    families = [cell for cell in cells(folder, chooser) if cell.is_family]
    most, way = max(_RECORDED), adaptively(chooser, draws)
    ours = [picked(family, way, most, np.random.default_rng([seed, n])) for n, family in enumerate(families)]
    figures = []
    for name, other in REASKED.items():
        tables = []
        for n, family in enumerate(families):
            tries = range(_TRIES if name == "random" else 1)
            theirs = [picked(family, other, most, np.random.default_rng([seed, n, t])) for t in tries]
            both = [[_pair(judge, family, ours[n], each, known, seed) for known in _RECORDED] for each in theirs]
            tables.append(np.nanmean(np.array(both), axis=0))
        table = np.array(tables).reshape(len(families), len(_RECORDED), 2)
        figures += _told("recorded", name, table[..., 1], _RECORDED)
        figures += _told("recorded", f"{_OURS}_beside_{name}", table[..., 0], _RECORDED)
        figures += _ahead("recorded", name, table[..., 0], table[..., 1], _RECORDED, seed)
    return figures


def _scored(judge: Checkpoint, cohort: Cohort, record: Record, seed: int) -> Array:
    """Score one way, shape (cells, known)."""
    sweeps = len(record.features)
    for multiple in _ASKED:
        cohort.ask(record, cycled([multiple])(cohort, record, np.random.default_rng(0)))
    scores = np.full((len(cohort), len(_KNOWN)), np.nan)
    for cell in range(len(cohort)):
        rows, contexts = record.of(cell)
        for place, known in enumerate(_KNOWN):
            if not all(context.excluded for context in contexts[:known]):
                rng = np.random.default_rng([seed, cell])
                told = foretell(judge, rows[:known], contexts[:known], contexts[sweeps:], rows[sweeps:], rng)
                scores[cell, place] = _mean(told)
    return scores


def _pair(judge: Checkpoint, family: Cell, ours: Picked, theirs: Picked, known: int, seed: int) -> tuple[float, float]:
    """Score two ways on the sweeps that neither of them has chosen."""
    seen = {*ours.sweeps[:known], *theirs.sweeps[:known]}
    left = [k for k in range(len(family.rows)) if k not in seen]
    asked, truth = [family.contexts[k] for k in left], family.rows[left]
    scores = [
        _mean(
            foretell(
                judge, family.rows[list(each.sweeps[:known])], each.contexts[:known], asked, truth,
                np.random.default_rng([seed, known]),
            )
        )
        for each in (ours, theirs)
    ]  # fmt: skip
    return scores[0], scores[1]


def _mean(scores: Array) -> float:
    """Average over what there is, NaN where there is nothing."""
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")


def _told(where: str, way: str, scores: Array, known: Sequence[int]) -> list[Figure]:
    means = np.nanmean(scores, axis=0).tolist()
    return [
        Figure(f"crps_{k}/{where}/{way}", mean, "spreads", len(scores)) for k, mean in zip(known, means, strict=True)
    ]


def _ahead(where: str, way: str, ours: Array, theirs: Array, known: Sequence[int], seed: int) -> list[Figure]:
    """Tell by how much the adaptive way's score is less."""
    rng = np.random.default_rng(seed)
    figures = []
    for n, k in enumerate(known):
        less = theirs[:, n] - ours[:, n]
        less = less[np.isfinite(less)]
        drawn = less[rng.integers(len(less), size=(_RESAMPLED, len(less)))].mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        values = {"": float(less.mean()), "_low": float(low), "_high": float(high)}
        figures += [Figure(f"crps_ahead_{k}{end}/{where}/{way}", v, "spreads", len(less)) for end, v in values.items()]
    return figures
