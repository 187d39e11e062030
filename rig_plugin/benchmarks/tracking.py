"""This file is the benchmark of the tracking: what is known of a cell that changes while it is recorded.

Simulated cells are followed over forty sweeps, in which a conductance runs down or washes out, leak or access jump, or
nothing happens. The network that tracks is asked for theta at the latest sweep, during the change and at the end;
beside it the network that ships, which believes that cells hardly change: given all sweeps, and given the latest three
or five. All see the same sweeps of the same cells, so that differences are taken cell by cell. Then the alarm: how
often it is raised where nothing changed, and how soon, of what, since when and of which size where something did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT
from estimators.lookout import LIMITS, Lookout
from estimators.ranks import Ranks, rank_cells
from estimators.sets import Sets
from estimators.shift import Shift
from rig_plugin.opening import network as opened
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.transient import SWEEPS, TRANSIENTS, Transient, draw
from simulators.refusal import Refusal

__all__ = ["latest", "measure", "paired"]

MOMENTS = {"during": 23, "end": SWEEPS}
"""Sweeps after which the networks are asked."""

WINDOWS = {"all": SWEEPS, "window_3": 3, "window_5": 5}
"""How many of the latest sweeps the network that ships is given."""

_CELLS = 100
_DRAWS = 300
_WITHIN = 0.45
_RESAMPLED = 2000
_FALSE_ALARMS = 0.05
_START, _EXCLUDED = CONTEXT.index("start"), CONTEXT.index("excluded")

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cells of one transient, and theta at each of their sweeps, shape (cells, sweeps, p)."""

    transient: Transient
    sets: Sets
    theta: Array


def measure(peers: bool = True, cells: int = _CELLS, network: Path | None = None) -> dict[str, list[dict[str, Any]]]:
    """Measure tracking.

    Args:
        peers: Whether to ask the network that ships, too.
        cells: Simulated cells, as many in each transient.
        network: A checkpoint that tracks.

    Returns:
        "figures": of each transient, moment and network the mean and median log density at the truth, and of the
            parameter that changes (of all, where none does) the median absolute error in standard deviations of the
            prior and how often 90 % intervals hold the truth; of the alarm how often it is raised, of the right
            parameter, after how many sweeps, how far its first sweep is off, and how often its interval holds the
            change. "gains": what tracking gains over each of the others, cell by cell, with bootstrap intervals (95 %).

    Raises:
        Refusal: If the checkpoint does not track.
    """
    tracker = opened(network)
    if LIMITS not in tracker.reference:
        raise Refusal(
            f"The network {tracker.spec.name} does not track; pretrain one from a spec with [nuisances.changes], such "
            "as cortical-tracking.toml, and name it with --network."
        )
    steady = opened(None)
    figures: list[dict[str, Any]] = []
    gains: list[dict[str, Any]] = []
    for transient in TRANSIENTS:
        drawn = list(draw(steady, transient, cells))
        chunk = _Cells(transient, Sets.join([sets for sets, _ in drawn]), np.concatenate([theta for _, theta in drawn]))
        for moment, sweeps in MOMENTS.items():
            ranks = {"tracker": _asked(tracker, latest(chunk.sets, sweeps, sweeps))}
            if peers:
                ranks |= {name: _asked(steady, latest(chunk.sets, sweeps, most)) for name, most in WINDOWS.items()}
            columns = _columns(tracker, transient)
            figures += _figures(f"{transient.name}/{moment}", ranks, columns)
            gains += _gains(f"{transient.name}/{moment}", ranks, columns)
        figures += _alarms(tracker, chunk)
        click.echo(f"{transient.name} is done.", err=True)
    return {"figures": figures, "gains": gains}


def latest(sets: Sets, sweeps: int, most: int) -> Sets:
    """Take the sweeps that a network is given.

    Args:
        sets: Cells with equally many sweeps.
        sweeps: How many have been made by now.
        most: How many of the latest are given.

    Returns:
        The sets, with times from the first sweep that is given.
    """
    size = int(sets.first[1])
    begin = max(0, sweeps - most)
    rows = (size * np.arange(len(sets))[:, None] + np.arange(begin, sweeps)).ravel()
    context = sets.context[rows].reshape(len(sets), sweeps - begin, -1)
    context[..., _START] -= context[:, :1, _START]
    first = (sweeps - begin) * np.arange(len(sets) + 1)
    return Sets(sets.u[rows], sets.features[rows], context.reshape(len(rows), -1), first)


def paired(differences: Array, rng: np.random.Generator) -> dict[str, float]:
    """Sum up what one network gains over another, cell by cell.

    Args:
        differences: Shape (cells,).
        rng: Source of randomness.

    Returns:
        Mean and median, each with the ends of its bootstrap interval of 95 %.

    References:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap. Chapman & Hall, New York.
        https://doi.org/10.1007/978-1-4899-4541-9
    """
    again = differences[rng.integers(len(differences), size=(_RESAMPLED, len(differences)))]
    found: dict[str, float] = {}
    for name, of in (("mean", np.mean), ("median", np.median)):
        low, high = np.percentile(of(again, axis=1), (2.5, 97.5))
        found |= {name: float(of(differences)), f"{name}_low": float(low), f"{name}_high": float(high)}
    return found


def _asked(checkpoint: Checkpoint, sets: Sets) -> Ranks:
    return rank_cells(checkpoint.network, sets, np.random.default_rng([checkpoint.spec.seed, 51]))


def _columns(checkpoint: Checkpoint, transient: Transient) -> list[int]:
    """Give the columns of theta that a transient is about: the one that changes, or all."""
    names = checkpoint.spec.names
    return [k for k, name in enumerate(names) if transient.parameter in (None, name)]


def _errors(ranks: Ranks, columns: Sequence[int]) -> Array:
    """Give each cell's absolute error of the posterior mean, averaged over the parameters."""
    return np.asarray((np.abs(ranks.z) * np.sqrt(ranks.variance))[:, columns].mean(axis=1))


def _figures(where: str, ranks: Mapping[str, Ranks], columns: Sequence[int]) -> list[dict[str, Any]]:
    found = []
    for name, asked in ranks.items():
        held = np.abs(asked.below[:, columns] - 0.5) <= _WITHIN
        every = np.abs(asked.below - 0.5) <= _WITHIN
        n = len(asked)
        found += [
            Figure(f"{where}/{name}/log_q_mean", float(asked.log_prob.mean()), "nat", n),
            Figure(f"{where}/{name}/log_q_median", float(np.median(asked.log_prob)), "nat", n),
            Figure(f"{where}/{name}/error", float(np.median(_errors(asked, columns))), "prior sd", n),
            Figure(f"{where}/{name}/inside_90", float(held.mean()), "1", held.size),
            Figure(f"{where}/{name}/inside_90_of_all", float(every.mean()), "1", every.size),
        ]
    return [figure.row() for figure in found]


def _gains(where: str, ranks: Mapping[str, Ranks], columns: Sequence[int]) -> list[dict[str, Any]]:
    """Compare the network that tracks with each other; positive is better."""
    ours, rng = ranks["tracker"], np.random.default_rng(0)
    found: list[dict[str, Any]] = []
    for name, theirs in ranks.items():
        if name == "tracker":
            continue
        where_over = {"transient": where, "over": name, "n": len(ours)}
        log_q, less = ours.log_prob - theirs.log_prob, _errors(theirs, columns) - _errors(ours, columns)
        found.append({**where_over, "measure": "log_q [nat]", **paired(log_q, rng)})
        found.append({**where_over, "measure": "error [prior sd]", **paired(less, rng)})
    return found


def _alarms(checkpoint: Checkpoint, cells: _Cells) -> list[dict[str, Any]]:
    """Follow each cell as a session does."""
    transient, n = cells.transient, len(cells.sets)
    told = [_followed(checkpoint, cells.sets.cells(k, k + 1)) for k in range(n)]
    first = [next((sweep for sweep, shifts in enumerate(course) if shifts), None) for course in told]
    share = float(np.mean([sweep is not None for sweep in first]))
    if transient.parameter is None:
        return [Figure("none/alarms", share, "1", n, aim=_FALSE_ALARMS).row()]
    of = [[_of(shifts, transient.parameter) for shifts in course] for course in told]
    found = [next((k for k, shift in enumerate(course) if shift is not None), None) for course in of]
    late = [k - transient.begins for k in found if k is not None and k >= transient.begins]
    ends = [(course[-1], cell) for cell, course in enumerate(of) if course[-1] is not None]
    column = checkpoint.spec.names.index(transient.parameter)
    moved = cells.theta[:, -1, column] - cells.theta[:, 0, column]
    held = [shift.change[0] <= moved[cell] <= shift.change[2] for shift, cell in ends if shift is not None]
    off = [abs(shift.since - transient.begins) for shift, _ in ends if shift is not None]
    surest = [bool(course[-1]) and course[-1][0].parameter == transient.parameter for course in told]
    figures = [
        Figure("alarms", share, "1", n),
        Figure("alarms_early", float(np.mean([k is not None and k < transient.begins for k in first])), "1", n),
        Figure("alarms_of_it", float(np.mean([k is not None for k in found])), "1", n),
        Figure("alarms_of_it_first", float(np.mean(surest)), "1", n),
        Figure("delay", float(np.median(late)) if late else None, "sweeps", len(late)),
        Figure("onset_off", float(np.median(off)) if off else None, "sweeps", len(off)),
        Figure("change_inside_90", float(np.mean(held)) if held else None, "1", len(held)),
    ]
    return [figure.row() | {"name": f"{transient.name}/{figure.name}"} for figure in figures]


def _of(shifts: Sequence[Shift], parameter: str) -> Shift | None:
    return next((shift for shift in shifts if shift.parameter == parameter), None)


def _followed(checkpoint: Checkpoint, cell: Sets) -> list[tuple[Shift, ...]]:
    """Give what the alarm says after each sweep of a cell."""
    lookout = Lookout(checkpoint.spec.parameters, checkpoint.reference[LIMITS])
    generator = torch.Generator().manual_seed(0)
    features, context = cell.features.astype(np.float64), cell.context.astype(np.float64)
    told: list[tuple[Shift, ...]] = []
    for n in range(1, len(features) + 1):
        if context[n - 1, _EXCLUDED]:
            # A sweep that is not used says nothing.
            told.append(told[-1] if told else ())
            continue
        draws = checkpoint.network.draw(features[:n], context[:n], _DRAWS, generator)
        told.append(lookout.after(n - 1, draws))
    return told
