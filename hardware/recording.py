"""This file is the recording: what a file of sweeps says, in our units, whatever its format."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulators.refusal import Refusal
from simulators.stimulus import Clamp, Stimulus
from simulators.sweep import CommandSource, HoldingSource, Junction

__all__ = ["Channel", "RecordedSweep", "Recording", "RecordingError", "Role"]

Role = Literal["response", "current", "command", "other"]


class RecordingError(Refusal):
    """A file that can't be read as a recording of a cell in current clamp: one sentence, with the remedy."""


@dataclass(frozen=True)
class Channel:
    """One trace of the file, as the file declares it.

    Args:
        name: As in the file.
        unit: As in the file, for instance "nA" or "volts".
        role: "response" (the membrane potential that is read), "current" (the recorded current that is used as
            the command), "command" (a command of the header or a stored one) or "other".
    """

    name: str
    unit: str
    role: Role = "other"


@dataclass(frozen=True, eq=False)
class RecordedSweep:
    """One sweep of a file at its full length; arrays are copied, then read-only.

    Args:
        index: Number in the file, from 0.
        response: Membrane potential as recorded, shape (n,) [mV].
        rate: Sampling rate [kHz].
        command: Injected current, shape (n,) [pA], or None where the file does not tell it.
        start: When the first sample was taken (aware), or None where the file does not say.
        clamp: The clamp mode.
        command_source: Where the command came from.
        holding_source: Where the holding current came from.
        protocol: Name of the protocol; only sweeps of one protocol make a family.
        stimulus: What was played, where the file keeps it with its observed step; else it is looked for.
        junction: What the file knows of the junction potential.
        bridge: Series resistance still to be subtracted, as the file knows it [GOhm].
        problem: Why the sweep can't be used, as a sentence, or None.

    Raises:
        ValueError: If shapes differ, samples are missing, or the rate is unusable.
    """

    index: int
    response: npt.NDArray[np.float64]
    rate: float
    command: npt.NDArray[np.float64] | None = None
    start: datetime | None = None
    clamp: Clamp = "current"
    command_source: CommandSource = "unknown"
    holding_source: HoldingSource = "unknown"
    protocol: str = ""
    stimulus: Stimulus | None = None
    junction: Junction = field(default_factory=Junction)
    bridge: float = 0.0
    problem: str | None = None

    def __post_init__(self) -> None:
        for name in ("response", "command"):
            trace = getattr(self, name)
            if trace is not None:
                trace = np.array(trace, dtype=np.float64)
                trace.setflags(write=False)
                object.__setattr__(self, name, trace)
        if self.response.ndim != 1 or self.response.size == 0:
            raise ValueError(f"Response has shape {self.response.shape}, (n,) with n > 0 was wanted.")
        if self.command is not None and self.command.shape != self.response.shape:
            raise ValueError(f"Command has shape {self.command.shape}, {self.response.shape} was wanted.")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"Sampling rate is {self.rate} kHz, a positive one was wanted.")

    @property
    def duration(self) -> float:
        """Length of the sweep [ms]."""
        return self.response.size / self.rate


@dataclass(frozen=True, eq=False)
class Recording:
    """What one file holds.

    Args:
        path: Where it lies.
        format: For instance "ABF2" or "NWB 2.2.5".
        sweeps: In the order in which they were recorded.
        channels: What the file declares.
        problems: What a user should know before trusting it, as sentences.
        clamp_source: How the clamp mode is known, as a phrase.
    """

    path: Path
    format: str
    sweeps: tuple[RecordedSweep, ...]
    channels: tuple[Channel, ...]
    problems: tuple[str, ...] = ()
    clamp_source: str = "as it was recorded"
