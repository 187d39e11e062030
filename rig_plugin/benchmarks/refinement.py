"""This file is the benchmark of the refinement: how often weights by the likelihood can be trusted, and if they help.

Simulated cells, one sweep each, with the model's error as the network was taught it. Where weights are accepted, the
weighted draws are held against the network's own by a score that only honesty makes small. Of several sweeps, which no
weights are taken of, the posterior is refined by a round of simulations, and scored by the density at the truth.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.generation import generate
from estimators.refinement import RefinementError, refine
from estimators.rounds import Lesson
from estimators.sets import Sets
from rig_plugin import opening
from rig_plugin.tasks.crps import crps
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.rounds import compare, pair

__all__ = ["measure"]

_SEED = 20_261_122
_EXCLUDED = CONTEXT.index("excluded")
_TAIL = 0.05

Array = npt.NDArray[np.float64]


def measure(
    peers: bool = True,
    cells: int = 300,
    draws: int = 2000,
    network: Path | None = None,
    rounds: int | None = None,
    lesson: Lesson = Lesson(),
) -> list[dict[str, Any]]:
    """Measure.

    Args:
        peers: There are none.
        cells: Simulated cells of one sweep.
        draws: That are weighed for each.
        network: A checkpoint; the first that ships without it.
        rounds: Cells of five sweeps that are refined by a round; None for one in ten of the others.
        lesson: How much a round learns.

    Returns:
        Figures: share of the sweeps whose weights are accepted, effective sample size, Pareto k and time over all
            sweeps; and over those accepted, for each parameter and for all, by how much of the network's own score
            the weights lower it, with the standard error, and the share of truths inside 90 % before and after.
            Of rounds: log density at the truth, coverage, disagreement and time, amortized and refined, in pairs.
    """
    checkpoint = opening.network(network)
    spec = checkpoint.spec
    made = generate(spec.parameters, spec.designs, spec.nuisances, cells, np.random.default_rng([_SEED, 1]), sweeps=1)
    sets = Distortion(spec.parameters, checkpoint.network.scaling)(Sets.join(list(made)), np.random.default_rng(_SEED))
    sizes, tails, times, found = [], [], [], []
    for row in np.flatnonzero(sets.context[:, _EXCLUDED] == 0):
        told = (sets.features[[row]].astype(np.float64), sets.context[[row]].astype(np.float64))
        generator = torch.Generator().manual_seed(int(row))
        begun = time.perf_counter()
        try:
            refined = refine(checkpoint.network, checkpoint.likelihood, *told, draws, generator)
        except RefinementError as error:
            sizes.append(error.effective)
            tails.append(error.k)
        else:
            sizes.append(refined.effective)
            tails.append(refined.k)
            found.append(_scores(refined.u, refined.weights, sets.u[row].astype(np.float64)))
        times.append(1e3 * (time.perf_counter() - begun))
    figures = [
        Figure("accepted", len(found) / len(sizes), "1", len(sizes)),
        Figure("effective_p50", _median(sizes), "draws", len(sizes)),
        Figure("pareto_k_p50", _median(tails), "1", len(tails)),
        Figure("refine_ms_p50", _median(times), "ms", len(times)),
    ]
    pairs = [pair(checkpoint, seed, lesson) for seed in range(cells // 10 if rounds is None else rounds)]
    scored = [each for each in pairs if each is not None]
    return [figure.row() for figure in figures] + _compared(found, spec.names) + (compare(scored) if scored else [])


def _scores(u: Array, weights: Array, truth: Array) -> Array:
    """Score draws as they are and weighted, and tell how much of each lies below the truth; shape (4, p)."""
    even = np.full(len(u), 1.0 / len(u))
    below = u < truth
    return np.stack([crps(u, even, truth), crps(u, weights, truth), even @ below, weights @ below])


def _compared(found: list[Array], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Lay out what weights change."""
    if not found:
        return [Figure("gain/all", None, "1", 0, peer_version="no weights were accepted").row()]
    table = np.stack(found)
    before, after = table[:, 0], table[:, 1]
    rows = []
    # A parameter counts as much as any other, however well it is known.
    lower = (before - after) / before.mean(axis=0)
    for name, gain in (("all", lower.mean(axis=1)), *zip(names, lower.T, strict=True)):
        error = float(gain.std() / np.sqrt(len(gain)))
        rows.append(Figure(f"gain/{name}", float(gain.mean()), "1", len(gain)).row() | {"error": error})
    for which, below in (("before", table[:, 2]), ("after", table[:, 3])):
        inside = (below > _TAIL) & (below < 1.0 - _TAIL)
        rows.append(Figure(f"inside_90_{which}/all", float(inside.mean()), "1", inside.size).row())
    return rows


def _median(values: list[float]) -> float | None:
    """Give the median of what is a number."""
    there = [value for value in values if np.isfinite(value)]
    return float(np.median(there)) if there else None
