"""This file is the stillness: how far the posteriors of cells that hold still wander, which an alarm has to exceed.

Fresh cells of the process that do not change are followed over a session of as many sweeps as the spec allows. Half of
them say in which measure each parameter wanders, the other half which multiple of it one session in twenty exceeds in
any of its parameters at any of its sweeps (split conformal).

References:
    Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World. Springer.
    https://doi.org/10.1007/b106715
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from estimators.changes import NONE
from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.features import NAMES
from estimators.generation import generate
from estimators.lookout import LIMITS, MOST, comparisons, outline
from estimators.sets import Sets
from estimators.spec import Spec

__all__ = ["FALSE_ALARMS", "courses", "limits", "still_limits", "wandering"]

Array = npt.NDArray[np.float64]

FALSE_ALARMS = 0.05
"""Share of sessions of cells that hold still in which there is an alarm."""

_SESSIONS = 600
_DRAWS = 200
_CHUNK = 50
_START = CONTEXT.index("start")


def still_limits(
    network: SweepSetEstimator, spec: Spec, rng: np.random.Generator, sessions: int = _SESSIONS
) -> dict[str, Array]:
    """Measure the limits of a network's alarm.

    Args:
        network: Trained.
        spec: The process.
        rng: Source of randomness; untouched where nothing is measured.
        sessions: Cells that are followed.

    Returns:
        {"change_limits": shape (p,)}; empty where the process has no cells that change, or single sweeps only: then
            the posterior is not of the latest sweep alone, and can't tell.
    """
    sweeps = min(MOST, spec.designs.sweeps[1])
    if not spec.nuisances.changes.are_there or sweeps < 2:
        return {}
    still = replace(spec.nuisances, changes=NONE)
    distortion = Distortion(spec.parameters, network.scaling)
    farthest = []
    for made in generate(spec.parameters, spec.designs, still, sessions, rng, sweeps=sweeps, chunk=_CHUNK):
        farthest += [wandering(*course) for course in zip(*courses(network, distortion(made, rng), rng), strict=True)]
    return {LIMITS: limits(np.stack(farthest))}


def courses(network: SweepSetEstimator, sets: Sets, rng: np.random.Generator) -> tuple[Array, Array]:
    """Follow cells of equally many sweeps: what is known of each after every sweep.

    Args:
        network: Whose posteriors.
        sets: The cells.
        rng: Source of randomness.

    Returns:
        Middles and widths of the posteriors, each of shape (cells, sweeps, p), unconstrained.
    """
    sweeps = int(sets.first[1])
    features = torch.from_numpy(sets.features.reshape(len(sets), sweeps, len(NAMES)))
    context = sets.context.reshape(len(sets), sweeps, len(CONTEXT)).copy()
    context[..., _START] -= context[:, :1, _START]
    told = torch.from_numpy(context)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    found = []
    with torch.inference_mode():
        for n in range(1, sweeps + 1):
            there = torch.ones(len(sets), n, dtype=torch.bool)
            noise = torch.randn(_DRAWS, len(sets), len(network.parameters_of_cell), generator=generator)
            draws = network(features[:, :n], told[:, :n], there).from_noise(noise)
            found.append(outline(draws.double().numpy()))
    middles, widths = (np.stack(parts, axis=1) for parts in zip(*found, strict=True))
    return middles, widths


def wandering(middles: Array, widths: Array) -> Array:
    """Tell how far a cell's farthest comparison goes in a whole session.

    Args:
        middles: Of its posteriors, shape (sweeps, p).
        widths: The same.

    Returns:
        Shape (p,).
    """
    latest = [np.abs(comparisons(middles[:n], widths[:n])).max(axis=0) for n in range(2, len(middles) + 1)]
    return np.asarray(np.max(latest, axis=0))


def limits(farthest: Array) -> Array:
    """Set the limits so that one session in twenty exceeds any of them.

    Args:
        farthest: Of cells that hold still, from `wandering`, shape (cells, p); 40 cells at least.

    Returns:
        Shape (p,).

    Raises:
        ValueError: If there are fewer cells.
    """
    half = len(farthest) // 2
    rank = math.ceil((1.0 - FALSE_ALARMS) * (len(farthest) - half + 1))
    if rank > len(farthest) - half:
        raise ValueError(f"There are {len(farthest)} sessions to measure limits on; 40 at least were wanted.")
    measure = np.quantile(farthest[:half], 1.0 - FALSE_ALARMS, axis=0)
    worst = np.sort((farthest[half:] / measure).max(axis=1))
    return np.asarray(worst[rank - 1] * measure)
