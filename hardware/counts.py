"""This file is the counts: between mV and pA and what the converters of a device count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.rig import RigError
from simulators.stimulus import Stimulus

__all__ = ["EPOCHS", "TABLE", "Channel", "Output"]

EPOCHS, TABLE = 0, 1
"""Kinds of an uploaded stimulus."""

_LEAST, _MOST = -32768, 32767
_EPOCH = np.dtype([("level", "<i2"), ("count", "<u4")])


@dataclass(frozen=True)
class Channel:
    """One input of the device.

    Args:
        index: From 0.
        scale: What a count is without amplification [mV or pA].
        factor: By which the device amplifies before it digitizes.
    """

    index: int
    scale: float
    factor: int = 1

    @property
    def count(self) -> float:
        """What a count is [mV or pA]."""
        return self.scale / self.factor


@dataclass(frozen=True)
class Output:
    """The output of the device, of 16 bits.

    Args:
        scale: What a count is [pA].
    """

    scale: float

    def counts(self, levels: npt.NDArray[np.float64]) -> list[int]:
        """Turn levels into counts.

        Args:
            levels: Shape (n,) [pA].

        Returns:
            The nearest counts.

        Raises:
            RigError: If the output does not reach one of them.
        """
        counts = np.rint(levels / self.scale)
        if counts.min() < _LEAST or counts.max() > _MOST:
            low, high = sorted((_LEAST * self.scale, _MOST * self.scale))
            raise RigError(
                f"The command spans [{levels.min():g}, {levels.max():g}] pA, the output reaches [{low:g}, {high:g}] "
                "pA: lower the step, or set a larger command sensitivity."
            )
        return [int(count) for count in counts]

    def encoded(self, stimulus: Stimulus, rate: float) -> tuple[int, bytes]:
        """Write a stimulus for the device, sample for sample as `Stimulus.command` has it.

        Args:
            stimulus: In current clamp.
            rate: Sampling rate [kHz].

        Returns:
            `EPOCHS` or `TABLE`, whichever is shorter, and its bytes.

        Raises:
            RigError: If the output does not reach a level.
        """
        levels = self.counts(np.array([epoch.level for epoch in stimulus.epochs]))
        ends = np.rint(np.cumsum([epoch.duration for epoch in stimulus.epochs]) * rate).astype(int)
        lasting = [pair for pair in zip(levels, np.diff(ends, prepend=0), strict=True) if pair[1]]
        epochs = np.array(lasting, dtype=_EPOCH)
        if epochs.nbytes <= 2 * int(ends[-1]):
            return EPOCHS, epochs.tobytes()
        return TABLE, np.repeat(epochs["level"], epochs["count"]).tobytes()
