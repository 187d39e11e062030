"""This file is the ruler: a few round numbers on a part of a parameter's axis, as many as there is room for."""

from __future__ import annotations

import math

import numpy as np

from rig_plugin.widgets import density
from simulators.parameter import Parameter

__all__ = ["ticks"]

_WIDE = 8.0
_STEPS: tuple[tuple[int, ...], ...] = ((1, 2, 5), (1, 3), (1,))


def ticks(parameter: Parameter, span: tuple[float, float], most: int) -> list[tuple[float, str]]:
    """Choose round numbers: decades and their parts on a logarithmic axis that is wide, else even steps.

    Args:
        parameter: Whose axis.
        span: The part that is visible, as places from 0 (lower bound) to 1.
        most: Numbers at most.

    Returns:
        Places and what stands there.
    """
    low, high = (density.value(parameter, place) for place in span)
    is_wide = parameter.scale == "log" and high > _WIDE * low
    values = _decades(low, high, most) if is_wide else _even(low, high, most)
    places = density.position(parameter, np.array(values))
    return [(float(place), _plain(value)) for place, value in zip(places, values, strict=True)]


def _plain(value: float) -> str:
    """Write a round number without a power of ten, with a true minus sign."""
    text = f"{value:.6g}"
    return (f"{value:.9f}".rstrip("0") if "e" in text else text).replace("-", "−")


def _decades(low: float, high: float, most: int) -> list[float]:
    """Choose parts of decades, or decades so many apart that there are few enough."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in _STEPS:
        values = [part * 10.0**decade for decade in range(first, last + 1) for part in steps]
        values = [value for value in values if low <= value <= high]
        if len(values) <= most:
            return values
    decades = [decade for decade in range(first, last + 1) if low <= 10.0**decade <= high]
    return [10.0**decade for decade in decades[:: math.ceil(len(decades) / most)]]


def _even(low: float, high: float, most: int) -> list[float]:
    """Choose multiples of the smallest round step that gives few enough."""
    exponent = math.floor(math.log10((high - low) / max(most, 1))) - 1
    steps = (part * 10.0**power for power in range(exponent, exponent + 4) for part in (1, 2, 5))
    for step in steps:
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < most:
            return [k * step for k in range(first, last + 1)]
    return []
