"""This file is the choice: which of a file's channels is the voltage and which the current, where a user says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardware.recording import Channel, RecordingError
from hardware.units import Quantity, quantity

__all__ = ["Choice", "chosen"]

_UNITS: dict[Quantity, str] = {"voltage": "volts", "current": "amperes"}


@dataclass(frozen=True)
class Choice:
    """The channels that were asked for, by number or name as an inspection lists them.

    Args:
        channel: That of the membrane potential; None lets the reader choose.
        current_channel: That of the injected current; None lets the reader choose.
    """

    channel: str | None = None
    current_channel: str | None = None


def chosen(asked: str, channels: Sequence[Channel], wanted: Quantity, path: Path) -> int:
    """Find the channel that was asked for.

    Args:
        asked: Its number, from 0, or its name.
        channels: Those of the file.
        wanted: What it has to measure.
        path: The file, for the message.

    Returns:
        Its index.

    Raises:
        RecordingError: If it is not there, several have the name, or it measures something else.

    Example:
        >>> chosen("Vm", (Channel("Im", "pA"), Channel("Vm", "mV")), "voltage", Path("cell.abf"))
        1
    """
    there = ", ".join(f"{k}: '{c.name}' [{c.unit}]" for k, c in enumerate(channels))
    if asked.isascii() and asked.isdigit():
        found = [k for k in range(len(channels)) if str(k) == asked]
    else:
        found = [k for k, c in enumerate(channels) if c.name == asked]
        found = found or [k for k, c in enumerate(channels) if c.name.casefold() == asked.casefold()]
    if not found:
        raise RecordingError(f"Channel '{asked}' was asked for, {path} has {there}: give one of these.")
    if len(found) > 1:
        raise RecordingError(f"Channel '{asked}' is the name of {len(found)} in {path} ({there}): give its number.")
    (k,) = found
    if quantity(channels[k].unit) != wanted:
        raise RecordingError(
            f"Channel {k} of {path}, '{channels[k].name}', is declared in '{channels[k].unit}', one in "
            f"{_UNITS[wanted]} was wanted for the {wanted}: it has {there}."
        )
    return k
