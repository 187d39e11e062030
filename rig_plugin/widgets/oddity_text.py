"""This file is an oddity in words: the value, where it was expected, and by how much it is off."""

from __future__ import annotations

import math

from estimators.oddity import Oddity
from rig_plugin.widgets.number import MISSING, fixed, places, with_unit

__all__ = ["chance", "expected", "how_far", "measured", "sentence"]

_MOST = 3
_FARTHEST = 8.0
_GROUND = {
    "step": "simulated sweeps of such a step whose other features are like this sweep's",
    "sweeps before": "what the sweeps before this one predicted",
}


def chance(p: float) -> str:
    """Write a p-value.

    Args:
        p: 0 to 1, or NaN.

    Returns:
        Two decimals, three below a tenth.

    Example:
        >>> chance(0.4213), chance(0.0213), chance(0.0002), chance(0.0)
        ('0.42', '0.021', '<0.001', '0')
    """
    if not math.isfinite(p) or p == 0.0:
        return MISSING if p != 0.0 else "0"
    return "<0.001" if p < 0.001 else fixed(p, 2 if p >= 0.0995 else 3)


def measured(odd: Oddity) -> str:
    """Write the value with its unit, or that it is missing."""
    return with_unit(fixed(odd.value, _decimals(odd)), odd.unit) if math.isfinite(odd.value) else "missing"


def expected(odd: Oddity) -> str:
    """Write from where to where it was expected, without the unit."""
    if not (math.isfinite(odd.low) and math.isfinite(odd.high)):
        return MISSING
    low, high = (fixed(end, _decimals(odd)) for end in (odd.low, odd.high))
    return low if low == high else f"{low}…{high}"


def how_far(odd: Oddity) -> str:
    """Say by how much it is off, in a few letters.

    Args:
        odd: The feature.

    Returns:
        The share that it lies above or below, or predicted standard deviations (SD); of a feature that is missing or
        there against expectation, how many are so.
    """
    if odd.side in ("missing", "there"):
        return f"{_percent(odd.p)} {'lack' if odd.side == 'missing' else 'have'} it"
    if math.isfinite(odd.widths):
        most = "≥" if odd.widths >= _FARTHEST else ""
        return f"{most}{fixed(odd.widths, 1 if odd.widths < _FARTHEST else 0)} SD {odd.side}"
    return f"{odd.side} {_nearly_all(0.5 * odd.p)}"


def sentence(odd: Oddity) -> str:
    """Say all of it.

    Args:
        odd: The feature.

    Returns:
        One sentence, with what it was held against.
    """
    name, ground = odd.feature.replace("_", " "), _GROUND[odd.ground]
    range_of = f"; 5 to 95 % of them are {with_unit(expected(odd), odd.unit)}" if math.isfinite(odd.low) else ""
    if odd.side == "missing":
        return f"{name} is missing, as in {_percent(odd.p)} of {ground}{range_of}."
    said = f"{name} is {measured(odd)}"
    if odd.side == "there":
        return f"{said}; {_percent(odd.p)} of {ground} have it at all."
    if math.isfinite(odd.widths):
        where = f"5 to 95 %: {with_unit(expected(odd), odd.unit)}"
        return f"{said}, {how_far(odd)} {ground} ({where}; SD: half of the predicted 68 %)."
    return f"{said}, {odd.side} {_nearly_all(0.5 * odd.p)} of {ground}{range_of}."


def _decimals(odd: Oddity) -> int:
    known = [number for number in (odd.value, odd.low, odd.high) if math.isfinite(number)]
    if all(float(number).is_integer() for number in known):
        return 0
    return min(places(odd.low, odd.high), _MOST)


def _nearly_all(rest: float) -> str:
    """Write the share that is not a small one."""
    if rest < 1e-4:
        return ">99.99 %"
    decimals = max(0, min(2, -math.floor(math.log10(100.0 * rest))))
    return f"{fixed(100.0 * (1.0 - rest), decimals)} %"


def _percent(share: float) -> str:
    return "<0.01 %" if share < 1e-4 else f"{100.0 * share:.2g} %"
