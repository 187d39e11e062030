"""This file is the dynamic clamp: conductances as data, laid into a device that integrates them and read back."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np

from hardware.dialogue import Dialogue
from hardware.rig import RigError
from hardware.telegram import CONDUCTANCE, Clamp, Done
from simulators.gate_table import GateTable

__all__ = ["ClampError", "Conductance", "DynamicClamp", "lay"]

_HEAD = struct.Struct("<B3sIfff")
_GATES, _POINTS, _EXPONENT = 3, 256, 8


class ClampError(RigError):
    """A conductance that can't be clamped, or that the device does not keep as it was sent."""


@dataclass(frozen=True)
class Conductance:
    """What is added to a cell, or taken from it where the maximum is below zero.

    Args:
        name: As it is shown, for instance "g_M".
        gates: At most three; without any it is a leak. All share one grid of voltages.
        reversal: Reversal potential [mV].
        maximum: Maximal conductance, signed [nS].

    Raises:
        ClampError: If a number is not finite, there are too many gates, points or exponents, or grids differ.
    """

    name: str
    gates: tuple[GateTable, ...]
    reversal: float
    maximum: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "gates", tuple(self.gates))
        if not (math.isfinite(self.reversal) and math.isfinite(self.maximum)):
            raise ClampError(
                f"{self.name} is {self.maximum} nS and reverses at {self.reversal} mV, finite numbers were wanted."
            )
        grids = {(gate.first, gate.step, gate.steady.size) for gate in self.gates}
        exponents = [gate.exponent for gate in self.gates]
        if len(self.gates) > _GATES or len(grids) > 1 or max(exponents, default=1) > _EXPONENT:
            raise ClampError(
                f"{self.name} has {len(self.gates)} gates of exponents {exponents} on {len(grids)} grids, at most "
                f"{_GATES} gates of exponents to {_EXPONENT} on one grid were wanted."
            )
        if any(size > _POINTS for _, _, size in grids):
            raise ClampError(f"{self.name} has tables longer than {_POINTS} points: take a coarser grid.")

    def to_bytes(self) -> bytes:
        """Write all but the maximum as the device reads it.

        Returns:
            The bytes, numbers as little-endian float32.
        """
        grid = self.gates[0] if self.gates else None
        first, step, points = (grid.first, grid.step, grid.steady.size) if grid else (0.0, 1.0, 2)
        exponents = bytes(gate.exponent for gate in self.gates).ljust(_GATES, b"\0")
        tables = [np.concatenate([gate.steady, gate.tau]).astype("<f4").tobytes() for gate in self.gates]
        return _HEAD.pack(len(self.gates), exponents, points, self.reversal, first, step) + b"".join(tables)


@dataclass(frozen=True)
class DynamicClamp:
    """All that is clamped at once.

    Args:
        conductances: Which.
        clip: Largest magnitude of their current together [pA].

    Raises:
        ClampError: If the clip is not finite and positive.
    """

    conductances: tuple[Conductance, ...]
    clip: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "conductances", tuple(self.conductances))
        if not (math.isfinite(self.clip) and self.clip > 0):
            raise ClampError(f"The clip of the dynamic clamp is {self.clip} pA, a finite, positive one was wanted.")


def lay(
    dialogue: Dialogue, clamp: DynamicClamp, room: int, channel: int, voltage_a_count: float, current_a_count: float
) -> None:
    """Lay conductances into a device, to act whenever it plays.

    Each is read back and compared byte by byte before any is switched on.

    Args:
        dialogue: With the device.
        clamp: What is clamped; no conductance switches the clamp off.
        room: How many conductances the device has room for.
        channel: Of the voltage.
        voltage_a_count: Of that channel [mV].
        current_a_count: Of the output [pA].

    Raises:
        ClampError: If there are too many, or the device keeps something else than was sent.
        PortError: If the line is dead or takes nothing, or the device refuses.
    """
    if len(clamp.conductances) > room:
        raise ClampError(f"{len(clamp.conductances)} conductances were given, the device clamps {room} at once.")
    for k, conductance in enumerate(clamp.conductances):
        sent = conductance.to_bytes()
        dialogue.upload(CONDUCTANCE + k, sent)
        if dialogue.read_back(CONDUCTANCE + k, len(sent)) != sent:
            raise ClampError(f"The device does not keep {conductance.name} as it was sent: reset it and try again.")
    maxima = np.array([conductance.maximum for conductance in clamp.conductances], dtype="<f4").tobytes()
    dialogue.ask(Clamp(len(clamp.conductances), channel, voltage_a_count, current_a_count, clamp.clip, maxima), Done)
