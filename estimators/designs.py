"""This file is the designs: how the sweeps of one cell are chosen in pretraining, never looking at the cell.

A design that knew theta would tell it to the network. So each set draws a scale for its currents first, and all else
from that: an unstructured set, an ascending or descending family, repeats of a few steps, or strong steps only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.context import CONTEXT

__all__ = ["KINDS", "Designs", "draw_set", "on_grid"]

KINDS = {"random": (0.0, 0.3), "family": (0.3, 0.65), "repeats": (0.65, 0.8), "strong": (0.8, 1.0)}
"""The kinds of sets, each with the part of the unit interval whose length is its share."""

_RATES = (10.0, 20.0, 25.0, 40.0, 50.0)
_GRID = 0.2
_RATE_SHARES = (0.2, 0.4, 0.1, 0.1, 0.2)


@dataclass(frozen=True)
class Designs:
    """Ranges that designs are drawn from, which are the stimulus domain of the network.

    Args:
        scale: Largest current of a set, log-uniform [pA].
        duration: Length of the step, log-uniform [ms].
        baseline: Constant current kept before the step [ms].
        tail: Constant current kept after it [ms].
        interval: Time from one sweep's start to the next's, log-uniform [s].
        sweeps: Sweeps in a set, log-uniform.
        holding: Largest holding current as a share of the scale.
        prepulse: Share of sets with another current before the baseline.
    """

    scale: tuple[float, float] = (20.0, 500.0)
    duration: tuple[float, float] = (200.0, 1000.0)
    baseline: tuple[float, float] = (50.0, 250.0)
    tail: tuple[float, float] = (20.0, 300.0)
    interval: tuple[float, float] = (1.0, 20.0)
    sweeps: tuple[int, int] = (1, 40)
    holding: float = 0.5
    prepulse: float = 0.25

    def domain(self) -> dict[str, tuple[float, float]]:
        """Give the range of each column of the context that a network made from this has seen.

        Returns:
            {column: (low, high)}; an amplitude reaches from minus half the largest scale to the whole.
        """
        top = self.scale[1]
        return {
            "amplitude": (-0.5 * top, top),
            "holding": (-self.holding * top, self.holding * top),
            "duration": self.duration,
            "baseline": self.baseline,
            "tail": self.tail,
            "rate": (_RATES[0], _RATES[-1]),
            "history_level": (-0.6 * top, 0.6 * top),
        }


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))


def on_grid(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round times to whole samples at every rate.

    Args:
        times: Any [ms].

    Returns:
        Multiples of 0.2 ms.
    """
    return np.asarray(_GRID * np.round(times / _GRID))


def draw_set(
    designs: Designs, rng: np.random.Generator, count: int | None = None, kind: str | None = None
) -> npt.NDArray[np.float64]:
    """Draw the designs of one cell's sweeps.

    Args:
        designs: Ranges.
        rng: Source of randomness.
        count: Number of sweeps, or None to draw it.
        kind: One of `KINDS`, or None to draw it.

    Returns:
        Contexts, shape (sweeps, c), in the order of `CONTEXT`; none is excluded.
    """
    if count is None:
        low, high = designs.sweeps
        count = min(high, int(_log_uniform(rng, (low, high + 1))))
    scale = _log_uniform(rng, designs.scale)
    amplitude = _amplitudes(rng, count, kind) * scale
    holding = 0.0 if rng.random() < 0.55 else scale * rng.uniform(-designs.holding, designs.holding)
    table = np.zeros((count, len(CONTEXT)))
    column = {name: table[:, k] for k, name in enumerate(CONTEXT)}
    column["amplitude"][:] = amplitude
    column["holding"][:] = holding
    column["holding_known"][:] = rng.random() < 0.7
    column["duration"][:] = _log_uniform(rng, designs.duration)
    if rng.random() < 0.1:
        low, high = np.log(designs.duration)
        column["duration"][:] = np.exp(rng.uniform(low, high, count))
    column["baseline"][:] = designs.baseline[1] if rng.random() < 0.5 else rng.uniform(*designs.baseline)
    column["tail"][:] = designs.tail[1] if rng.random() < 0.7 else rng.uniform(*designs.tail)
    column["rate"][:] = rng.choice(_RATES, p=_RATE_SHARES)
    if rng.random() < designs.prepulse:
        fixed = rng.random() < 0.7
        column["history_level"][:] = scale * (rng.uniform(-0.6, 0.6) if fixed else rng.uniform(-0.6, 0.6, count))
        column["history_duration"][:] = rng.uniform(100.0, 600.0)
        beyond = rng.uniform(0.0, 500.0) if rng.random() < 0.6 else 0.0
        if beyond:
            column["baseline"][:] = designs.baseline[1]
        column["history_gap"][:] = column["baseline"] + beyond
    for name in ("duration", "baseline", "tail", "history_duration", "history_gap"):
        # Whole samples at every rate, as recorded steps have: else the last output would be missing now and then.
        column[name][:] = on_grid(column[name])
    interval = _log_uniform(rng, designs.interval)
    pauses = interval * np.exp(rng.normal(0.0, 0.05, count)) + np.where(rng.random(count) < 0.03, 60.0, 0.0)
    column["start"][1:] = np.cumsum(pauses[1:])
    return table


def _amplitudes(rng: np.random.Generator, count: int, kind: str | None) -> npt.NDArray[np.float64]:
    """Draw steps between -0.5 and 1, in units of the set's scale."""
    drawn = rng.random()
    if kind is None:
        kind = next(name for name, (_, end) in KINDS.items() if drawn < end)
    if kind == "random":
        return rng.uniform(-0.5, 1.0, count)
    if kind == "family":
        family = np.linspace(rng.uniform(-0.5, 0.2), rng.uniform(0.5, 1.0), max(count, 2))
        family = family[:count] if rng.random() < 0.8 else family[::-1][:count]
        return np.asarray(family)
    if kind == "repeats":
        return rng.choice(rng.uniform(-0.5, 1.0, int(rng.integers(1, 5))), count)
    return rng.uniform(0.25, 1.0, count)
