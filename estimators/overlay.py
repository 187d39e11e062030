"""This file is the overlay: what cells drawn from the posterior do under a sweep's own command, to be seen beside it.

The posterior has seen that sweep, so that they agree proves little: it is for the eye, and no verdict rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from estimators.context import Context

if TYPE_CHECKING:
    from estimators.spec import Spec

__all__ = ["Overlay", "overlay"]

_DRAWS = 40
_BIN = 0.5
_FASTEST = 20.0
_OUTSIDE = 0.05

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Overlay:
    """Between which voltages nine of ten such cells are, moment by moment.

    Args:
        times: Middle of each moment, from the start of the sweep, shape (n,) [ms].
        low: Shape (n,) [mV].
        high: Shape (n,) [mV].
    """

    times: Array
    low: Array
    high: Array

    def moved(self, later: float, higher: Array, rate: float) -> Overlay:
        """Put it where the recording has it.

        Args:
            later: What the recording has before the part that was simulated [ms].
            higher: What the recording shows above the membrane's voltage, such as a junction potential, shape (m,)
                [mV].
            rate: Its sampling rate [kHz].

        Returns:
            The same band, over the recording as it is.
        """
        times = self.times + later
        shift = higher[np.clip((times * rate).astype(np.int64), 0, len(higher) - 1)]
        return Overlay(times, self.low + shift, self.high + shift)


def overlay(spec: Spec, draws: Array, context: Context, rng: np.random.Generator) -> Overlay | None:
    """Simulate some of the posterior's draws under a command; what the model misses is not in it.

    Args:
        spec: What the draws are of, and what else each cell is recorded with.
        draws: From the posterior, shape (s, p).
        context: Of the sweep, its holding current known.
        rng: Source of randomness.

    Returns:
        The band, or None where no cell has a finite voltage.

    Raises:
        ValueError: If the draws have another number of parameters than the spec.
    """
    # Who only looks at a band needs no simulator, which takes half a second to load.
    from estimators.generation import voltages
    from estimators.nuisances import rigs

    theta = draws[rng.permutation(len(draws))[:_DRAWS]]
    context = replace(context, rate=min(context.rate, _FASTEST))
    drawn = rigs(theta, spec.nuisances, rng, names=spec.names)
    samples, counts = voltages(theta, np.tile(context.row(), (len(theta), 1)), drawn, rng, spec.names)
    width = max(1, round(_BIN * context.rate))
    moments = int(counts.min()) // width
    parts = samples[:, : moments * width].reshape(len(theta), moments, width)
    parts = parts[np.isfinite(parts).all(axis=(1, 2))]
    if not parts.size:
        return None
    low = np.quantile(parts.min(axis=2), _OUTSIDE, axis=0)
    high = np.quantile(parts.max(axis=2), 1.0 - _OUTSIDE, axis=0)
    times = np.asarray((np.arange(moments) + 0.5) * width / context.rate, dtype=np.float64)
    return Overlay(times, np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64))
