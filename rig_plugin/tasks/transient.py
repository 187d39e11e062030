"""This file is the transient: cells that change in a known way while they are recorded, or do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.distortion import Distortion
from estimators.generation import simulate
from estimators.sets import Sets

__all__ = ["SWEEPS", "TRANSIENTS", "Transient", "draw"]

SWEEPS = 40
"""In a session."""

_INTERVAL = 5.0
_SEED = 20_261_123
_CHUNK = 25
_HOLDING, _KNOWN, _EXCLUDED = (CONTEXT.index(name) for name in ("holding", "holding_known", "excluded"))

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Transient:
    """What one parameter does.

    Args:
        name: Snake case.
        parameter: Which; None where nothing changes.
        begins: The first sweep at which it is on its way, from 0.
        takes: Sweeps in which it gets to its end, evenly.
        factor: What becomes of it, as a factor.
        by: What is added to it, in its unit.
    """

    name: str
    parameter: str | None = None
    begins: int = 0
    takes: int = 1
    factor: float = 1.0
    by: float = 0.0

    def course(self, begin: Array) -> Array:
        """Follow the parameter from sweep to sweep.

        Args:
            begin: Where it starts in each cell, shape (cells,).

        Returns:
            Shape (cells, sweeps).

        Example:
            >>> Transient("t", "g_M", 1, 2, factor=0.5).course(np.array([8.0]))[0, :4].tolist()
            [8.0, 6.0, 4.0, 4.0]
        """
        share = np.clip((np.arange(SWEEPS) - self.begins + 1) / self.takes, 0.0, 1.0)
        return np.asarray(begin[:, None] * (1.0 + (self.factor - 1.0) * share) + self.by * share)


TRANSIENTS = (
    Transient("none"),
    Transient("rundown", "g_Na", 8, 30, factor=0.5),
    Transient("wash_out", "g_M", 15, 10, factor=0.1),
    Transient("jump_of_E_leak", "E_leak", 20, by=10.0),
    Transient("jump_of_bridge", "bridge", 20, by=10.0),
)
"""Sodium conductance that runs down to a half over thirty sweeps, an M conductance of which a tenth is left after ten,
a leak that depolarizes by 10 mV from one sweep to the next, 10 MOhm more access, and a cell that holds still."""


def draw(checkpoint: Checkpoint, transient: Transient, cells: int) -> Iterator[tuple[Sets, Array]]:
    """Record cells, the same blind designs in all transients.

    Each is a draw of the prior at its first sweep, the parameter that changes from the part of its prior from which
    all of the change stays inside.

    Args:
        checkpoint: Whose process and discrepancy.
        transient: What they do.
        cells: How many.

    Yields:
        Some cells, their sweeps distorted as that network believes that a model errs, and theta in physical units at
        each sweep, shape (cells, sweeps, p).
    """
    spec = checkpoint.spec
    designs = replace(spec.designs, interval=(_INTERVAL, _INTERVAL))
    distortion = Distortion(spec.parameters, checkpoint.network.scaling)
    for chunk, begin in enumerate(range(0, cells, _CHUNK)):
        some = min(_CHUNK, cells - begin)
        rng = np.random.default_rng([_SEED, chunk])
        context = np.concatenate([draw_set(designs, rng, SWEEPS) for _ in range(some)])
        u = rng.standard_normal((some, len(spec.parameters)))
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
        course = np.repeat(theta[:, None], SWEEPS, axis=1)
        if transient.parameter is not None:
            k = spec.names.index(transient.parameter)
            low, high = _room(transient, spec.parameters[k].low, spec.parameters[k].high)
            least, most = ndtr(spec.parameters[k].unconstrain(np.array([low, high])))
            start = spec.parameters[k].constrain(ndtri(least + (most - least) * rng.uniform(size=some)))
            course[:, :, k] = transient.course(start)
        rows, of_cell = course.reshape(-1, course.shape[2]), np.repeat(np.arange(some), SWEEPS)
        features = simulate(rows, context, spec.nuisances, rng, of_cell, spec.names)
        context[:, _HOLDING] *= context[:, _KNOWN]
        context[:, _EXCLUDED] = np.isnan(features).all(axis=1)
        at = np.stack([p.unconstrain(rows[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
        first = SWEEPS * np.arange(some + 1)
        made = Sets(at.astype(np.float32), features.astype(np.float32), context.astype(np.float32), first)
        yield distortion(made, rng), course


def _room(transient: Transient, low: float, high: float) -> tuple[float, float]:
    """Give the bounds from which the parameter can change and stay within its own."""
    ends = sorted((e - transient.by) / transient.factor for e in (low, high))
    return max(low, ends[0]), min(high, ends[1])
