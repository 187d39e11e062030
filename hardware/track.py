"""This file is the track: in which unit a trace is stored, and where its scale comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hardware.entry import Value
from simulators.stimulus import Clamp

__all__ = ["SI", "Track"]

_VOLTAGE: Mapping[str, Value] = {"unit": "volts", "conversion": 1e-3}
_CURRENT: Mapping[str, Value] = {"unit": "amperes", "conversion": 1e-12}
SI: Mapping[Clamp, Mapping[str, Mapping[str, Value]]] = {
    "current": {"response": _VOLTAGE, "command": _CURRENT},
    "voltage": {"response": _CURRENT, "command": _VOLTAGE},
}
"""Of the traces of a sweep by its clamp: the unit of SI, and the factor that leads to it from mV or pA."""


@dataclass(frozen=True)
class Track:
    """One channel of a continuous recording.

    Args:
        unit: Of SI, "volts" or "amperes".
        conversion: From the samples to that unit.
        gain: Of the amplifier, as it was when recorded.
        gain_source: Where the gain is known from.
    """

    unit: str = "volts"
    conversion: float = 1e-3
    gain: float = 1.0
    gain_source: str = "unknown"
