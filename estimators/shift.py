"""This file is the shift: a parameter that is surely another than it was, by how much, and since which sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter

__all__ = ["Shift", "onset", "shift_between"]

Array = npt.NDArray[np.float64]

_ENDS = (5.0, 50.0, 95.0)


@dataclass(frozen=True)
class Shift:
    """What became of one parameter; each triple is 5 %, median and 95 %.

    Args:
        parameter: Its name.
        unit: Of the numbers beside it.
        since: Number of the first sweep at which it was on its way, from 0.
        before: Its value before that sweep.
        now: Its value at the latest.
        change: The latter less the former.
        percent: The change in percent of what it was; None where zero lies within its prior.
        strength: How far the evidence goes, over how far it must go for an alarm.
    """

    parameter: str
    unit: str
    since: int
    before: tuple[float, float, float]
    now: tuple[float, float, float]
    change: tuple[float, float, float]
    percent: tuple[float, float, float] | None
    strength: float

    @property
    def sentence(self) -> str:
        """Say it as a person would.

        Example:
            >>> Shift("E_leak", "mV", 12, (-71.0, -70.0, -69.0), (-60.5, -60.0, -59.0), (8.8, 10.0, 11.6), None, 2.0
            ... ).sentence
            'E_leak changed from sweep 12 on: from -70 to -60 mV, by 10 mV (8.8 to 11.6).'
        """
        low, middle, high = self.change if self.percent is None else self.percent
        unit = self.unit if self.percent is None else "%"
        return (
            f"{self.parameter} changed from sweep {self.since} on: from {self.before[1]:.3g} to {self.now[1]:.3g} "
            f"{self.unit}, by {middle:.3g} {unit} ({low:.3g} to {high:.3g})."
        )

    def to_json(self) -> Mapping[str, Any]:
        """Lay it out as one JSON object."""
        named = {
            key: None if ends is None else dict(zip(("q05", "median", "q95"), ends, strict=True))
            for key, ends in (
                ("before", self.before),
                ("now", self.now),
                ("change", self.change),
                ("percent", self.percent),
            )
        }
        return {"parameter": self.parameter, "unit": self.unit, "since": self.since, **named, "strength": self.strength}


def shift_between(parameter: Parameter, before: Array, now: Array, since: int, strength: float) -> Shift:
    """Compare two posteriors of one parameter.

    Draws are paired at random, as if what is known of both moments had nothing in common: part of it has, so that the
    interval of the change is rather too wide than too narrow.

    Args:
        parameter: Which.
        before: Draws, shape (s,).
        now: As many.
        since: See `Shift`.
        strength: See `Shift`.

    Returns:
        The shift.
    """
    percent = _ends(100.0 * (now - before) / before) if parameter.low > 0.0 else None
    return Shift(
        parameter.name, parameter.unit, since, _ends(before), _ends(now), _ends(now - before), percent, strength
    )


def onset(middles: Array, widths: Array) -> int:
    """Find the first sweep at which a parameter was on its way, by least squares.

    Before it the course is level; from there on it is either level elsewhere, or a straight line that leaves the level.

    Args:
        middles: Of its posteriors sweep by sweep, shape (n,), n at least 2.
        widths: Their standard deviations, shape (n,).

    Returns:
        Its index, 1 at least.

    Example:
        >>> onset(np.array([0.0, 0.1, 0.0, 2.0, 2.1, 2.0]), np.full(6, 0.3))
        3
    """
    n, weights = len(middles), 1.0 / widths**2
    found = {}
    for begin in range(1, n):
        after = (np.arange(n) >= begin).astype(np.float64)
        for shape in (after, np.cumsum(after)):
            found[begin, bool(shape[-1] > 1.0)] = _misfit(middles, weights, shape)
    return min(found, key=lambda key: found[key])[0]


def _misfit(y: Array, weights: Array, shape: Array) -> float:
    """Give the weighted squares that a level and so much of a shape leave."""
    share = weights / weights.sum()
    x, y = shape - share @ shape, y - share @ y
    variance = float(weights @ x**2)
    slope = float(weights @ (x * y)) / variance if variance > 0.0 else 0.0
    return float(weights @ (y - slope * x) ** 2)


def _ends(values: Array) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, _ENDS)
    return float(low), float(middle), float(high)
