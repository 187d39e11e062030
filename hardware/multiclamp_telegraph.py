"""This file is the telegraph of a MultiClamp: the packet that its Commander sends to whoever listens.

One layout serves the 700A (128 bytes) and the 700B (256 bytes), of which the beginning is the same.

References:
    Axon Instruments (1999-2008), MultiClamp Commander telegraph definitions (MCTelegraphs.hpp, API versions 5 to 13):
    the structure MC_TELEGRAPH_DATA, packed at 4 bytes, and the identifiers of modes, units and output signals.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass

from hardware.amplifier import AmplifierError, Mode, Reading, Setting
from simulators.stimulus import Clamp

__all__ = ["HeadstageId", "Telegram", "telegram"]

_MODES: Mapping[int, Mode] = {0: "voltage", 1: "current", 2: "zero"}
# The output that has the cell's answer, by hardware and clamp: every other one would be a wrong scale in silence.
_ANSWERS: Mapping[tuple[int, Clamp], int] = {
    (0, "voltage"): 1,
    (0, "current"): 2,
    (1, "voltage"): 0,
    (1, "current"): 20,
}
# From volts of output to mV or pA of the cell.
_PER_MILLIVOLT: Mapping[int, float] = {0: 1.0, 1: 1e3, 2: 1e6}
_PER_PICOAMP: Mapping[int, float] = {3: 1e-9, 4: 1e-6, 5: 1e-3, 6: 1.0, 7: 1e3}
_SHORT, _LONG = 128, 256
_LAST_SHORT_VERSION = 6


class _Packet(ctypes.LittleEndianStructure):
    _pack_ = 4
    _fields_ = (
        ("version", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("port", ctypes.c_uint32),
        ("bus", ctypes.c_uint32),
        ("channel", ctypes.c_uint32),
        ("mode", ctypes.c_uint32),
        ("signal", ctypes.c_uint32),
        ("alpha", ctypes.c_double),
        ("factor", ctypes.c_double),
        ("factor_unit", ctypes.c_uint32),
        ("corner", ctypes.c_double),
        ("capacitance", ctypes.c_double),
        ("sensitivity", ctypes.c_double),
        ("raw_signal", ctypes.c_uint32),
        ("raw_factor", ctypes.c_double),
        ("raw_factor_unit", ctypes.c_uint32),
        ("hardware", ctypes.c_uint32),
        ("raw_alpha", ctypes.c_double),
        ("raw_corner", ctypes.c_double),
        ("application", ctypes.c_char * 16),
        ("firmware", ctypes.c_char * 16),
        ("processor", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
    )


@dataclass(frozen=True)
class HeadstageId:
    """Which headstage: a 700A is known by port, bus and channel, a 700B by serial number and channel.

    Args:
        channel: Of the amplifier, from 1.
        serial: Number of a 700B, or None for a 700A.
        port: COM port of a 700A.
        bus: AxoBus of a 700A.

    Raises:
        AmplifierError: If a number does not fit where the messages carry it.
    """

    channel: int = 1
    serial: int | None = None
    port: int = 1
    bus: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.channel <= 15 and 0 <= (self.serial or 0) < 1 << 28):
            raise AmplifierError(
                f"The MultiClamp's channel is {self.channel} and its serial number {self.serial}: a channel from 1 and "
                "the number that the Commander shows were wanted."
            )
        if not (0 <= self.port <= 255 and 0 <= self.bus <= 255):
            raise AmplifierError(f"The MultiClamp's port is {self.port} and its bus {self.bus}, 0 to 255 were wanted.")

    @property
    def packed(self) -> int:
        """As one number of a window message."""
        if self.serial is not None:
            return self.serial | self.channel << 28
        return self.port | self.bus << 8 | self.channel << 16

    def __str__(self) -> str:
        if self.serial is not None:
            return f"the MultiClamp 700B number {self.serial}, channel {self.channel}"
        return f"the MultiClamp 700A at port {self.port}, bus {self.bus}, channel {self.channel}"


@dataclass(frozen=True)
class Telegram:
    """What one packet says.

    Args:
        headstage: Of which headstage.
        reading: How it stands; bridge, holding and neutralization are not told here.
    """

    headstage: HeadstageId
    reading: Reading


def telegram(data: bytes) -> Telegram:
    """Read a packet.

    Args:
        data: As it came.

    Returns:
        What it says.

    Raises:
        AmplifierError: If it is too short, names what is not known, or its output is not the cell's answer.
    """
    if len(data) < _SHORT:
        raise AmplifierError(
            f"The MultiClamp Commander sent {len(data)} bytes, at least {_SHORT} were wanted: update the Commander."
        )
    packet = _Packet.from_buffer_copy(data[:_LONG].ljust(_LONG, b"\0"))
    wanted = _SHORT if packet.version <= _LAST_SHORT_VERSION else _LONG
    if packet.size != wanted or len(data) < wanted:
        raise AmplifierError(
            f"The MultiClamp Commander sent {len(data)} bytes and says {packet.size} (version {packet.version}), "
            f"{wanted} were wanted: this version is not known, enter the settings by hand."
        )
    if packet.mode not in _MODES or packet.hardware not in (0, 1):
        raise AmplifierError(
            f"The MultiClamp Commander says mode {packet.mode} of hardware {packet.hardware}; modes 0 to 2 of 0 (700A) "
            "or 1 (700B) were wanted: enter the settings by hand."
        )
    mode = _MODES[packet.mode]
    scale = 1e3 if mode == "voltage" else 1e12
    return Telegram(
        _headstage(packet),
        Reading(
            mode=Setting(mode, "telegraph"),
            gain=Setting(_gain(packet, "voltage" if mode == "voltage" else "current"), "telegraph"),
            corner=Setting(packet.corner / 1e3, "telegraph"),
            sensitivity=Setting(packet.sensitivity * scale, "telegraph"),
        ),
    )


def _headstage(packet: _Packet) -> HeadstageId:
    """Say of which headstage a packet tells; the demo has no number."""
    if packet.hardware == 0:
        return HeadstageId(packet.channel, None, packet.port, packet.bus)
    serial: bytes = packet.serial
    return HeadstageId(packet.channel, int(serial) if serial.strip().isdigit() else 0)


def _gain(packet: _Packet, clamp: Clamp) -> float:
    """Give the gain from the cell to the scaled output [mV/mV, or mV/pA in voltage clamp]."""
    signal: int = packet.signal
    if signal != _ANSWERS[packet.hardware, clamp]:
        raise AmplifierError(
            f"The MultiClamp's primary output has signal {signal} in {clamp} clamp, the membrane "
            f"{'current' if clamp == 'voltage' else 'potential'} ({_ANSWERS[packet.hardware, clamp]}) was wanted: "
            "choose it in the Commander."
        )
    units = _PER_PICOAMP if clamp == "voltage" else _PER_MILLIVOLT
    unit: int = packet.factor_unit
    if unit not in units:
        raise AmplifierError(
            f"The MultiClamp's output has the unit {unit} in {clamp} clamp, one of {', '.join(map(str, units))} was "
            "wanted: enter the settings by hand."
        )
    gain = float(packet.alpha * packet.factor * units[unit])
    if not (math.isfinite(gain) and gain > 0):
        raise AmplifierError(f"The MultiClamp's gain is {gain:g}, a positive one was wanted: set it in the Commander.")
    return gain
