"""This file is the outlets of an Axon binary file: its recorded channels and its commands, and which are the cell's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hardware.choice import chosen
from hardware.recording import Channel, RecordingError
from hardware.units import quantity

if TYPE_CHECKING:
    import pyabf  # type: ignore[import-untyped]

__all__ = ["Outlet", "channels_of", "commanding_output", "declared_clamp", "outlets", "voltage_channel"]

_Trace = npt.NDArray[np.float64]
_MULTICLAMP = 24
_VOLTAGE_CLAMP = 0


@dataclass(frozen=True)
class Outlet:
    """One trace of the file.

    Args:
        name: As in the file.
        unit: As in the file.
        dac: Number of the output whose command it is; None where it was recorded.
    """

    name: str
    unit: str
    dac: int | None = None


def outlets(abf: pyabf.ABF) -> list[Outlet]:
    """List what was recorded, then the commands in amperes, in the order in which an inspection numbers them."""
    recorded = [Outlet(str(n), str(u)) for n, u in zip(abf.adcNames, abf.adcUnits, strict=True)]
    # The library samples the commands of as many outputs as there are recorded channels.
    commands = zip(abf.dacNames[: abf.channelCount], abf.dacUnits[: abf.channelCount], strict=True)
    return recorded + [Outlet(str(n), str(u), k) for k, (n, u) in enumerate(commands) if quantity(str(u)) == "current"]


def channels_of(listed: Sequence[Outlet]) -> list[Channel]:
    """Give them as channels, before their parts are known."""
    return [Channel(outlet.name, outlet.unit) for outlet in listed]


def voltage_channel(
    path: Path, abf: pyabf.ABF, traces: list[list[_Trace]], listed: Sequence[Outlet], asked: str | None
) -> int:
    """Find the channel with the membrane potential.

    Args:
        path: The file, for the message.
        abf: What the library read.
        traces: Data as channel, sweep, samples [mV where it is a voltage].
        listed: Its outlets.
        asked: The channel that was asked for; else it is the first in volts that rests where a cell does.

    Returns:
        Its index.

    Raises:
        RecordingError: If there is no such channel.
    """
    voltages = [k for k, o in enumerate(listed) if o.dac is None and quantity(o.unit) == "voltage"]
    if not voltages:
        raise RecordingError(_without_voltage(path, abf, traces))
    if asked is not None:
        return chosen(asked, channels_of(listed), "voltage", path)
    resting = [k for k in voltages if -130 < np.median(traces[k][0]) < -20]
    return (resting or voltages)[0]


def commanding_output(abf: pyabf.ABF, vm: int) -> tuple[int | None, list[str]]:
    """Find the output that commands the cell: the one beside the membrane potential, else the first in amperes.

    Args:
        abf: What the library read.
        vm: Index of the membrane potential.

    Returns:
        Its number, or None with a sentence that says why there is none.
    """
    units = [str(u) for u in abf.dacUnits]
    if any(np.ravel(abf.userListEnable)):
        return None, ["The protocol uses a user list, which the header's epochs do not show: its command is unknown."]
    found = [k for k, unit in enumerate(units) if quantity(unit) == "current"]
    if not found:
        unit = units[vm] if vm < len(units) else "?"
        return None, [f"The header's command is declared in '{unit}', not in a unit of current, and is not used."]
    return (vm if vm in found else found[0]), []


def declared_clamp(path: Path, abf: pyabf.ABF, vm: int) -> str:
    """Tell how it is known that the cell was in current clamp.

    Args:
        path: The file, for the message.
        abf: What the library read.
        vm: Index of the membrane potential.

    Returns:
        A phrase.

    Raises:
        RecordingError: If the amplifier said that it was not: then the unit or the mode is wrong.
    """
    name, unit = str(abf.adcNames[vm]), str(abf.adcUnits[vm])
    by_unit = f"by its unit, '{name}' in {unit}"
    if abf.abfVersion["major"] == 1:
        told, row = abf._headerV1, int(abf._headerV1.nADCSamplingSeq[vm])  # noqa: SLF001 - the library has no other
    else:
        told, row = abf._adcSection, vm  # noqa: SLF001 - the library has no other
    if not told.nTelegraphEnable[row] or told.nTelegraphInstrument[row] != _MULTICLAMP:
        return by_unit
    if told.nTelegraphMode[row] == _VOLTAGE_CLAMP:
        raise RecordingError(
            f"{path} declares '{name}' in {unit}, but the amplifier telegraphed voltage clamp: one of both is wrong; "
            "a current-clamp recording was wanted."
        )
    return f"{by_unit}, and by the amplifier's telegraph"


def _without_voltage(path: Path, abf: pyabf.ABF, traces: list[list[_Trace]]) -> str:
    """Say what a file without a channel in volts seems to be."""
    seen = ", ".join(f"'{n}' [{u}]" for n, u in zip(abf.adcNames, abf.adcUnits, strict=True))
    commands = ", ".join(f"'{n}' [{u}]" for n, u in zip(abf.dacNames[:1], abf.dacUnits[:1], strict=True))
    if quantity(str(abf.dacUnits[0])) == "voltage":
        return (
            f"{path} is voltage clamp: it records current in {seen} under a voltage command {commands}; "
            "a current-clamp recording was wanted."
        )
    low, high = min(t.min() for t in traces[0]), max(t.max() for t in traces[0])
    return (
        f"{path} has no channel in volts: {seen} spans [{low:.4g}, {high:.4g}] under the command {commands}, "
        "so it is either not a membrane potential or one with a wrong unit and scale; "
        "correct the channel's unit and gain in the file."
    )
