"""This file is the strata: kinds of cells in each of which a network has to be calibrated, and enough cells of each.

Sets of as many sweeps as are rare among blind draws, and sets of one design, are drawn on purpose. Whether a cell
fires can't be: of these there are as many as come.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from estimators.adaptive import GAIN, adapt
from estimators.adaptive import SWEEPS as ADAPTIVE_SWEEPS
from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.generation import generate
from estimators.likelihood import Likelihood
from estimators.sets import Sets
from estimators.spec import Spec

__all__ = ["DESIGNS", "SWEEPS", "draw_strata", "enough", "sweeps_of"]

SWEEPS = {"1": (1, 1), "3": (2, 3), "10": (4, 10), "40": (11, 40)}
"""Smallest and largest number of sweeps, by the stratum's name."""

DESIGNS = ("random", "family", "adaptive", "gain")
"""Unstructured currents, ascending or descending ones, currents that follow the answers, and sweeps that are chosen for
the information that the network itself expects of them."""

GAIN_SWEEPS = (2, 10)
"""Sweeps of a set of the last kind, the first of them blind."""

_ENOUGH = 1000
_ROUNDS = 4


def enough(cells: int) -> int:
    """Tell how many cells a stratum is to have.

    Args:
        cells: In all, drawn blindly.

    Returns:
        A fifth of them, a thousand at most.
    """
    return min(_ENOUGH, math.ceil(cells / 5))


def sweeps_of(sets: Sets) -> npt.NDArray[np.int64]:
    """Count the sweeps of each cell that are used, one at least.

    Args:
        sets: The cells.

    Returns:
        Shape (cells,).
    """
    used = sets.context[:, CONTEXT.index("excluded")] == 0
    return np.maximum(np.add.reduceat(used.astype(np.int64), sets.first[:-1]), 1)


def draw_strata(
    network: SweepSetEstimator,
    spec: Spec,
    sets: Sets,
    rng: np.random.Generator,
    likelihood: Likelihood | None = None,
) -> dict[str, Sets]:
    """Draw what the strata lack.

    Args:
        network: Whose posterior adaptive designs follow.
        spec: The process.
        sets: Cells that are there, drawn blindly.
        rng: Source of randomness.
        likelihood: What makes the sweeps that are weighed where gains are expected; None for no such stratum.

    Returns:
        More cells by the stratum that they are for. The designs' all have as many sweeps as adaptive sets, so that
        these strata differ by nothing else, but for the sets chosen by gain, which are as short as a session's first.
        A stratum that the spec has no room for is missing.
    """
    wanted, sizes = enough(len(sets)), sweeps_of(sets)
    distortion = Distortion(spec.parameters, network.scaling)
    drawn = {}
    for name, (low, high) in SWEEPS.items():
        lacking = wanted - int(((sizes >= low) & (sizes <= high)).sum())
        if (more := _of_sweeps(spec, (low, high), lacking, rng)) is not None:
            drawn[name] = distortion(more, rng)
    low, high = _overlap(spec, ADAPTIVE_SWEEPS)
    if low <= high:
        designs = replace(spec.designs, sweeps=(low, high))
        for kind in ("random", "family"):
            made = Sets.join(list(generate(spec.parameters, designs, spec.nuisances, wanted, rng, kind=kind)))
            drawn[kind] = distortion(made, rng)
    if adaptive := list(adapt(network, spec, wanted, rng)):
        drawn["adaptive"] = Sets.join(adaptive)
    if likelihood is not None:
        # With randomness of its own: what is found elsewhere does not depend on whether there is a likelihood.
        (own,) = rng.spawn(1)
        chosen = list(adapt(network, spec, wanted, own, likelihood=likelihood, policies=GAIN, sweeps=GAIN_SWEEPS))
        if chosen:
            drawn["gain"] = Sets.join(chosen)
    return drawn


def _overlap(spec: Spec, bounds: tuple[int, int]) -> tuple[int, int]:
    """Take the numbers of sweeps that both a stratum and the spec allow, none where the first is the larger."""
    return max(bounds[0], spec.designs.sweeps[0]), min(bounds[1], spec.designs.sweeps[1])


def _of_sweeps(spec: Spec, bounds: tuple[int, int], lacking: int, rng: np.random.Generator) -> Sets | None:
    """Draw cells with as many sweeps; where some of these can't be used, draw again."""
    low, high = _overlap(spec, bounds)
    parts: list[Sets] = []
    designs = replace(spec.designs, sweeps=(low, max(low, high)))
    for _ in range(_ROUNDS):
        if lacking <= 0 or low > high:
            break
        more = Sets.join(list(generate(spec.parameters, designs, spec.nuisances, lacking, rng)))
        sizes = sweeps_of(more)
        lacking -= int(((sizes >= bounds[0]) & (sizes <= bounds[1])).sum())
        parts.append(more)
    return Sets.join(parts) if parts else None
