"""This file is the track: in which unit a trace is stored, and where its scale comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hardware.entry import Value
from hardware.gain import Gain
from hardware.units import quantity, scale
from simulators.stimulus import Clamp

__all__ = ["RESERVED", "SI", "Track", "is_name"]

_VOLTAGE: Mapping[str, Value] = {"unit": "volts", "conversion": 1e-3}
_CURRENT: Mapping[str, Value] = {"unit": "amperes", "conversion": 1e-12}
SI: Mapping[Clamp, Mapping[str, Mapping[str, Value]]] = {
    "current": {"response": _VOLTAGE, "command": _CURRENT},
    "voltage": {"response": _CURRENT, "command": _VOLTAGE},
}
"""Of the traces of a sweep by its clamp: the unit of SI, and the factor that leads to it from mV or pA."""
RESERVED = frozenset({"response", "command", "output", "gaps", "features", "summary"})
"""What no further channel may be called, since something else has that name."""


def is_name(name: str) -> bool:
    """Say whether a file can keep a channel under a name.

    Args:
        name: Any text.

    Returns:
        Whether it is one.
    """
    return bool(name) and "/" not in name and "\0" not in name and name not in (".", "gaps")


@dataclass(frozen=True)
class Track:
    """One channel of a continuous recording, or a further one of a sweep.

    Args:
        unit: Of SI, "volts" or "amperes".
        conversion: From the samples to that unit.
        gain: Of the amplifier, as it was when recorded.
        gain_source: Where the gain is known from.
        gain_unit: Of the gain, for instance "mV/V".
    """

    unit: str = "volts"
    conversion: float = 1e-3
    gain: float = 1.0
    gain_source: str = "unknown"
    gain_unit: str = ""

    @classmethod
    def of(cls, gain: Gain) -> Track:
        """Make the track of a channel that is neither response nor command.

        Args:
            gain: What it was scaled by, for instance in "degC/V".

        Returns:
            Voltages and currents in SI by their conversion, all else in its own unit.
        """
        unit = gain.unit.split("/")[0]
        measured = quantity(unit)
        si = {"voltage": ("volts", 1e-3), "current": ("amperes", 1e-12)}
        stored, factor = (unit, 1.0) if measured is None else (si[measured][0], scale(unit) * si[measured][1])
        return cls(stored, factor, gain.value, gain.source, gain.unit)
