"""This file is the imperfection: one thing that is wrong with a rig, in steps from what training knew to far beyond."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estimators.nuisances import OFF, Nuisances
from estimators.spec import Spec

__all__ = ["HOLDING", "INFERRED", "Level", "levels"]

INFERRED = ("bridge", "offset")
"""Imperfections that the network estimates with the rest."""

HOLDING = "holding"
"""The imperfection that is not in the samples but in what is told of them."""

_SHARES = (0.0, 0.25, 0.5, 1.25, 2.0)
"""Of what is inferred: distance from the middle of its bounds, over that of the bounds themselves."""

_UNITS = {
    "corner": "kHz",
    "white": "mV rms",
    "hum": "mV",
    "drift": "mV per s",
    "capacitance": "pF",
    "flicker": "mV rms",
    "junction": "mV",
    "adc_step": "mV",
    "adc_range": "mV",
}

_FALLING = ("corner", "adc_range")
"""What is the worse the smaller it is."""

_FACTORS = {"corner": (0.7, 0.5), "white": (3.0, 10.0), "hum": (2.5, 10.0), "drift": (3.0, 10.0)}
_FACTOR = (2.0, 5.0)
_SMALLER = (0.6, 0.4)
"""How far beyond the range of the spec its levels lie: in its largest value, or its smallest where that is worse."""

_TOLD: dict[str, float | None] = {"known": 1.0, "unknown": None, "half of it told": 0.5, "none of it told": 0.0}
_SAID = ("known", "unknown")
"""What is told of a holding current, and what of that training knew."""

_ABSENT = {
    "capacitance": (1.0, 3.0, 10.0),
    "flicker": (0.1, 0.3, 1.0),
    "junction": (5.0, 10.0, 14.0),
    "adc_step": (0.1, 0.5, 2.0),
    "adc_range": (100.0, 60.0, 40.0),
}
"""Levels of what a spec leaves out, so that all of them lie beyond it; 14 mV is what the five Allen cells carry."""


@dataclass(frozen=True)
class Level:
    """One strength of one imperfection.

    Args:
        imperfection: Its name; "none" is the process as the network knows it.
        told: How strong it is, with the unit.
        inside: Whether training knew it.
        nuisances: That the rig is drawn from.
        pinned: A parameter that all cells have the same value of, and the value; or None.
        holding: Share of the holding current that is told; None where it is told to be unknown, NaN as the design has
            it [1].
    """

    imperfection: str
    told: str
    inside: bool
    nuisances: Nuisances
    pinned: tuple[str, float] | None = None
    holding: float | None = float("nan")

    @property
    def name(self) -> str:
        """The imperfection, how strong it is and whether training knew it."""
        return f"{self.imperfection}/{self.told}/{'inside' if self.inside else 'beyond'}"


def levels(spec: Spec) -> Iterator[Level]:
    """List the imperfections of a rig, each from what a network was trained on to far beyond.

    Args:
        spec: The network's.

    Yields:
        The process as it is, then each imperfection, the mildest level first.
    """
    usual = spec.nuisances
    yield Level("none", "as trained", True, usual)
    for parameter in spec.parameters:
        if parameter.name in INFERRED:
            middle, reach = (parameter.low + parameter.high) / 2.0, (parameter.high - parameter.low) / 2.0
            for share in _SHARES:
                value = middle + share * reach
                pinned = (parameter.name, value)
                yield Level(parameter.name, f"{value:g} {parameter.unit}", share <= 1.0, usual, pinned)
    for name, unit in _UNITS.items():
        within, beyond = _steps(name, getattr(usual, name))
        for value in (*within, *beyond):
            pair: Any = value if name == "drift" else (value, value)
            told = "off" if value == 0.0 else f"{value:g} {unit}"
            yield Level(name, told, value in within, replace(usual, **{name: pair}))
    for told, known in _TOLD.items():
        yield Level(HOLDING, told, told in _SAID, usual, holding=known)


def _steps(name: str, bounds: tuple[float, float] | float) -> tuple[list[float], list[float]]:
    """Choose levels inside a range and beyond it, rounded to two digits where they lie between or beyond."""
    if bounds == OFF:
        return [0.0], list(_ABSENT[name])
    low, high = (0.0, bounds) if isinstance(bounds, float) else bounds
    middle = float(np.sqrt(low * high)) if low > 0.0 else 0.5 * (low + high)
    falling = name in _FALLING
    within = [high, _round(middle), low] if falling else [low, _round(middle), high]
    factors = _FACTORS.get(name, _SMALLER if falling else _FACTOR)
    return within, [_round(within[-1] * factor) for factor in factors]


def _round(value: float) -> float:
    return float(f"{value:.2g}")
