"""This file is the cohort: simulated cells that answer whatever they are asked, with one noise for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from estimators.abort import AbortRule
from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.features import NAMES
from estimators.generation import respond, walk
from estimators.nuisances import rigs

__all__ = ["RULE", "Cohort", "Record", "Step", "unbroken"]

Array = npt.NDArray[np.float64]

RULE = AbortRule(max_spikes=300)
"""When a sweep is broken off, whoever asked it, as sessions do by default."""

BASELINE, TAIL, RATE, INTERVAL = 200.0, 300.0, 20.0, 5.0
"""Of every sweep: before and after the step [ms], sampling [kHz], from start to start [s]."""

_GENTLE = 10.0
_AMPLITUDE, _EXCLUDED = CONTEXT.index("amplitude"), CONTEXT.index("excluded")
_COUNT = NAMES.index("spike_count")


@dataclass(frozen=True)
class Step:
    """What one cell is asked.

    Args:
        amplitude: Height of the step [pA].
        duration: Its length [ms].
    """

    amplitude: float
    duration: float = 500.0


@dataclass(eq=False)
class Record:
    """What the cells answered to one way of asking.

    Args:
        features: One table a sweep, shape (cells, f).
        contexts: One table a sweep, shape (cells, c).
    """

    features: list[Array] = field(default_factory=list)
    contexts: list[Array] = field(default_factory=list)

    def of(self, cell: int) -> tuple[Array, tuple[Context, ...]]:
        """Give the sweeps of one cell, as a session knows them."""
        rows = np.stack([table[cell] for table in self.features])
        return rows, tuple(Context(*(float(v) for v in table[cell])) for table in self.contexts)

    def spikes(self) -> Array:
        """Count the spikes, shape (cells, sweeps), NaN where a sweep could not be read."""
        return np.stack([table[:, _COUNT] for table in self.features], axis=1)

    def amplitudes(self) -> Array:
        """Give the steps, shape (cells, sweeps) [pA]."""
        return np.stack([table[:, _AMPLITUDE] for table in self.contexts], axis=1)


class Cohort:
    """Cells of a network's process, with the error that it takes its model to have.

    A cell that would need more than a network's domain to answer at all is nobody's in an experiment: cells are drawn
    from the prior until there are enough with an input resistance from 20 MOhm to 2 GOhm.

    Args:
        checkpoint: Whose process and scaling.
        cells: How many.
        sweeps: Most that each is asked.
        seed: Of everything.
    """

    def __init__(self, checkpoint: Checkpoint, cells: int, sweeps: int, seed: int) -> None:
        spec = self.spec = checkpoint.spec
        rng = np.random.default_rng([seed, 0])
        start = INTERVAL * np.arange(sweeps, dtype=np.float64)
        names = list(spec.names)
        walks: list[Array] = []
        while len(walks) < cells:
            u = walk(start, len(names), spec.nuisances, rng)
            last = [p.constrain(u[-1:, k])[0] for k, p in enumerate(spec.parameters)]
            if 0.5 <= last[names.index("C")] * last[names.index("g_leak")] <= 50.0:
                walks.append(u)
        self.u = np.stack(walks)
        self.theta = np.stack([p.constrain(self.u[..., k]) for k, p in enumerate(spec.parameters)], axis=-1)
        last_theta = self.theta[:, -1]
        leak = last_theta[:, names.index("C")] * last_theta[:, names.index("g_leak")]
        self.unit = _GENTLE * leak
        """The current that moves each by 10 mV through its leak [pA], as a membrane test tells it."""
        self._rig = rigs(last_theta, spec.nuisances, rng, np.arange(cells), names)
        self._errors = Distortion(spec.parameters, checkpoint.network.scaling).errors(last_theta, rng)
        self._seed = seed
        self.reach = np.minimum(10.0 * self.unit, checkpoint.domain.ranges["amplitude"][1])

    def __len__(self) -> int:
        return len(self.u)

    def ask(self, record: Record, steps: list[Step]) -> None:
        """Play one sweep to each cell, and note it.

        Args:
            record: Of this way of asking.
            steps: One a cell.
        """
        k = len(record.features)
        rows = [
            Context(step.amplitude, 0.0, 1.0, step.duration, BASELINE, TAIL, RATE, start=INTERVAL * k).row()
            for step in steps
        ]
        context = np.stack(rows)
        features = np.asarray(self._answer(k, context), dtype=np.float64)
        context[:, _EXCLUDED] = np.isnan(features).all(axis=1)
        record.features.append(features)
        record.contexts.append(context)

    def _answer(self, k: int, context: Array) -> Array:
        """Give the features of the k-th sweep of every cell, with a noise that is of this sweep alone."""
        rng = np.random.default_rng([self._seed, 1, k])
        features = self._borne(self.theta[:, k], context, rng, self.spec.names)
        positions = context[:, _AMPLITUDE] / self.reach
        cells = np.arange(len(self))
        return self._errors.add(features, positions, cells, np.random.default_rng([self._seed, 2, k]))

    def _borne(self, theta: Array, context: Array, rng: np.random.Generator, names: Sequence[str]) -> Array:
        """Simulate a sweep of every cell; one that a session would break off has no features at all."""
        kept: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]] = []

        def keep(samples: npt.NDArray[np.float32], counts: npt.NDArray[np.int64], column: object) -> None:
            kept.append((samples, counts))

        features = respond(theta, context, self._rig, rng, names, keep)
        return unbroken(features, *kept[0])


def unbroken(features: Array, samples: npt.NDArray[np.float32], counts: npt.NDArray[np.int64]) -> Array:
    """Take the features away of sweeps that a session would break off for the cell's sake.

    Args:
        features: Shape (s, f).
        samples: What they were measured on, shape (s, n) [mV].
        counts: How many of its row each sweep has, shape (s,).

    Returns:
        The same, NaN throughout for those.
    """
    broken = RULE.breaks(samples, counts, RATE, features)
    return np.where(broken[:, None], np.nan, features)
