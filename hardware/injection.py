"""This file is the injection: how a device that injects beside the rig stands, as the window shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Injection"]


@dataclass(frozen=True)
class Injection:
    """The newest that is known of such a device.

    Args:
        place: The device and its port, as a sentence names them.
        conductances: Those that are not zero, by name [nS].
        watchdog: Whether the device ends by itself when nobody is there.
        count: Of its reports so far; two injections with one count are the same.
        voltage: Of the membrane, as the device sees it [mV]; None before its first report.
        current: That it injects [pA].
        cycle: Length of its last cycle [us].
        fault: Why what it injects is not known, as a sentence with the remedy, or None.
    """

    place: str
    conductances: Mapping[str, float] = field(default_factory=dict)
    watchdog: bool = False
    count: int = 0
    voltage: float | None = None
    current: float | None = None
    cycle: float | None = None
    fault: str | None = None

    @property
    def injects(self) -> bool:
        """Whether it may put a current into the cell."""
        return bool(self.conductances) or self.fault is not None
