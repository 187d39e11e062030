"""This file is the gain: what a channel is multiplied by, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["ARBITRARY", "Gain"]

ARBITRARY = "arbitrary"
"""Source of a gain that nobody knows: such a response is no voltage, and nothing is inferred from it."""


@dataclass(frozen=True)
class Gain:
    """What a channel is multiplied by on its way between the device and mV or pA.

    Args:
        value: The factor.
        unit: Of the factor, for instance "mV/V"; 1 for a simulated cell.
        source: Where it is known from, for instance "telegraph", "rig file" or "simulated".
    """

    value: float
    unit: str
    source: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    @classmethod
    def of(cls, kept: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Self]:
        """Make the gains that a file keeps.

        Args:
            kept: By the channel's name, as `dataclasses.asdict` laid them out, or None.

        Returns:
            The gains by the channel's name; none where none were kept.
        """
        return {
            name: cls(float(gain["value"]), str(gain["unit"]), str(gain["source"]))
            for name, gain in (kept or {}).items()
        }
