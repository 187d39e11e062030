"""This file is the oddity: one feature of a sweep, and how far it lies from what was expected of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["RARE", "Check", "Ground", "Oddity", "Side", "worst_first"]

Side = Literal["above", "below", "missing", "there"]
Ground = Literal["step", "sweeps before"]

RARE = 1e-3
"""A feature as far out as this many are is called off; of some fifty, one in a sound sweep of twenty would be at most.

Of 120 sweeps of 24 simulated cells 2 % had one by "step". By "sweeps before" 12 % had one, since what is predicted from
a hundred draws has wider tails than the normal that its distance is read off: an aid for the eye, not a test."""


@dataclass(frozen=True)
class Check:
    """One of the checks that a score is made of.

    Args:
        name: "this sweep" (against sweeps of training), "sweeps before" (against what they predicted), or "session"
            (the wager over all sweeps).
        p: Its p-value, 0 to 1. Of the first two, one sound sweep in twenty is not above .05; that of the session is
            the inverse of the highest evidence, which in one sound cell of twenty ever comes to .05, however many
            sweeps there are.
    """

    name: str
    p: float


@dataclass(frozen=True)
class Oddity:
    """A feature that is off, or the farthest of those that are not.

    Args:
        feature: Its name in the catalogue.
        unit: As it is shown.
        value: As measured; NaN is missing.
        low: 5 % of what was expected, NaN where that can't be told.
        high: 95 % of it.
        p: Chance of lying as far out on either side, by "sweeps before" as if that were normal; of one that is missing
            or there, of being so.
        side: Where it lies, or that it was expected not to be missing, or not to be there.
        ground: What it was expected from: "step", which are simulated sweeps of such a step whose other features are
            like this one's, or "sweeps before".
        widths: Distance from the predicted median in predicted standard deviations, NaN where there are none.
        is_off: Whether it is more than the farthest of those that are as they should be.
    """

    feature: str
    unit: str
    value: float
    low: float
    high: float
    p: float
    side: Side
    ground: Ground
    widths: float = math.nan
    is_off: bool = True


def worst_first(found: tuple[Oddity, ...], most: int = 5) -> tuple[Oddity, ...]:
    """Choose what is to be shown of several checks: each feature once, with the graver finding.

    Args:
        found: Of all checks.
        most: How many are kept.

    Returns:
        Those that are off; where none is, the farthest.
    """
    ranked = sorted(found, key=lambda each: (not each.is_off, each.p))
    once = {each.feature: each for each in reversed(ranked)}
    kept = [each for each in ranked if once[each.feature] is each]
    off = [each for each in kept if each.is_off]
    return tuple(off[:most] or kept[:1])
