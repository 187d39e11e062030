"""This file is the amplifier: how it stands, who says so, and what follows for a sweep."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, Literal, TypeVar

from simulators.refusal import Refusal
from simulators.stimulus import Clamp

__all__ = ["Amplifier", "AmplifierError", "Mode", "Reading", "Setting", "Source", "changed", "unfit"]

Mode = Literal["current", "voltage", "zero"]
Source = Literal["telegraph", "commander", "rig file", "unknown"]
Value = TypeVar("Value", bound=str | float)

_CLAMPS: Mapping[Mode, str] = {"current": "current clamp", "voltage": "voltage clamp", "zero": "I = 0"}
_RELATIVE = 1e-6
# What an analog telegraph's noise may move without a knob having been touched.
_TOLERANCES = {"holding": 1.0, "bridge": 0.1, "neutralization": 0.5}


class AmplifierError(Refusal):
    """An amplifier can't be read, or says what can't be understood."""


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One thing that an amplifier is set to.

    Args:
        value: What it is, or None where nobody says.
        source: Who says so.

    Raises:
        AmplifierError: If a number is not finite, or a value and an unknown source come together.
    """

    value: Value | None = None
    source: Source = "unknown"

    def __post_init__(self) -> None:
        if isinstance(self.value, float | int) and not math.isfinite(self.value):
            raise AmplifierError(f"The amplifier is set to {self.value}, a finite number was wanted: read it again.")
        if (self.value is None) != (self.source == "unknown"):
            raise AmplifierError(f"A setting is {self.value!r} from '{self.source}': a value goes with who says it.")


@dataclass(frozen=True)
class Reading:
    """How an amplifier stands at one moment; what is in pA in current clamp is in mV in voltage clamp.

    Args:
        mode: Which clamp it is in; "zero" injects nothing, whatever the command.
        gain: From the cell to the output [mV/mV], in voltage clamp [mV/pA].
        corner: Of its low-pass [kHz].
        sensitivity: From the command input to the cell [pA/V], in voltage clamp [mV/V].
        bridge: Series resistance that it has balanced itself, 0 where that is off [MOhm].
        holding: What it injects itself, on top of the command [pA], in voltage clamp [mV].
        neutralization: Capacitance that it neutralizes [pF].
        residual: Series resistance that its bridge leaves, to be subtracted from the response [MOhm].
    """

    mode: Setting[Mode] = Setting()
    gain: Setting[float] = Setting()
    corner: Setting[float] = Setting()
    sensitivity: Setting[float] = Setting()
    bridge: Setting[float] = Setting()
    holding: Setting[float] = Setting()
    neutralization: Setting[float] = Setting()
    residual: Setting[float] = Setting()

    @classmethod
    def of(cls, kept: Mapping[str, Mapping[str, Any]] | None) -> Reading | None:
        """Make the reading that a file keeps.

        Args:
            kept: As `dataclasses.asdict` laid it out, or None.

        Returns:
            The reading, or None where none was kept; a setting that this program does not know is left out.
        """
        if kept is None:
            return None
        names = {field.name for field in fields(cls)}
        return cls(**{name: Setting(s["value"], s["source"]) for name, s in kept.items() if name in names})


class Amplifier(ABC):
    """Something that can be asked how it stands; a driver writes `_read`, and `open` and `close` where it must."""

    def open(self) -> None:
        """Take hold of whatever tells how it stands; a second time does nothing."""
        return

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        return

    def read(self) -> Reading:
        """Ask how it stands now.

        Returns:
            The reading.

        Raises:
            AmplifierError: If it does not answer, or says what can't be understood.
        """
        return self._read()

    @abstractmethod
    def _read(self) -> Reading:
        """Ask how it stands now, in mV, pA, kHz, MOhm and pF."""


def unfit(reading: Reading, clamp: Clamp) -> str | None:
    """Say why nothing may be put out as the amplifier stands.

    A command that is meant for voltage clamp, -70 mV, is -1.4 nA into a cell in current clamp: so an unknown mode is
    no better than a wrong one.

    Args:
        reading: How it stands.
        clamp: What the stimulus is meant for.

    Returns:
        A sentence with the remedy, or None where nothing speaks against it.
    """
    mode = reading.mode.value
    if mode == clamp:
        return None
    if mode is None:
        return (
            f"The amplifier's mode is unknown and the stimulus is for {clamp} clamp: nothing is put out until it is "
            "known; connect its telegraph, or say it as mode in [amplifier] of the rig file."
        )
    return (
        f"The amplifier is in {_CLAMPS[mode]} ({reading.mode.source}) and the stimulus is for {clamp} clamp: nothing "
        f"is put out; switch it to {clamp} clamp."
    )


def changed(before: Reading, after: Reading) -> str | None:
    """Say what was changed at the amplifier while a sweep was played.

    Args:
        before: How it stood before.
        after: How it stood after.

    Returns:
        A sentence with all that changed, for which the sweep can't be used, or None where all stayed.
    """
    found = []
    for field in fields(Reading):
        was: Setting[Any] = getattr(before, field.name)
        now: Setting[Any] = getattr(after, field.name)
        if not _same(was.value, now.value, _TOLERANCES.get(field.name, 0.0)):
            found.append(f"{field.name} from {_said(was.value)} to {_said(now.value)}")
    if not found:
        return None
    return f"The amplifier was changed during the sweep ({', '.join(found)}): record the sweep again."


def _same(was: str | float | None, now: str | float | None, tolerance: float) -> bool:
    """Compare two values; what was known and no longer is, or the other way round, has changed."""
    if isinstance(was, float | int) and isinstance(now, float | int):
        return math.isclose(was, now, rel_tol=_RELATIVE, abs_tol=tolerance)
    return was == now


def _said(value: str | float | None) -> str:
    """Write a value as a sentence has it."""
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else f"{value:g}"
