"""This file is the sweep: one command with its response, and where both came from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulators.stimulus import Clamp, Stimulus

__all__ = ["CommandSource", "HoldingSource", "Junction", "Sweep"]

CommandSource = Literal["recorded channel", "header", "unknown"]
HoldingSource = Literal["measured", "amplifier", "header", "unknown"]
JunctionState = Literal["corrected", "uncorrected", "unknown"]


@dataclass(frozen=True)
class Junction:
    """What is known of the liquid junction potential.

    Args:
        state: "corrected" (the response is true voltage), "uncorrected" (by a known value) or "unknown".
        potential: What has to be subtracted from the response; only where the state is "uncorrected" [mV].

    References:
        Neher (1992), Methods Enzymol. 207, 123-131. https://doi.org/10.1016/0076-6879(92)07008-C
    """

    state: JunctionState = "unknown"
    potential: float | None = None

    def __post_init__(self) -> None:
        if (self.state == "uncorrected") != (self.potential is not None):
            raise ValueError(
                f"Junction potential is {self.potential} mV and the state '{self.state}'; "
                "a value goes with 'uncorrected', and only with it."
            )


@dataclass(frozen=True, eq=False)
class Sweep:
    """One answer of a cell; arrays are copied, then read-only, because a sweep crosses threads.

    Args:
        response: What was measured, as recorded, shape (n,): voltage [mV], or in voltage clamp current [pA].
        rate: Sampling rate [kHz].
        stimulus: What was put out, cropped to the response, or None where it is unknown.
        command: The command sample by sample, shape (n,) [pA or mV], or None where it is unknown.
        clamp: The clamp mode.
        start: When the first sample was taken (aware), or None where the file does not say.
        command_source: Where the command came from.
        holding_source: Where the holding current came from.
        junction: What is known of the junction potential.
        bridge: Series resistance still to be subtracted from the response [GOhm].

    Raises:
        ValueError: If shapes differ, samples are missing, or the rate or the start is unusable.
    """

    response: npt.NDArray[np.float64]
    rate: float
    stimulus: Stimulus | None = None
    command: npt.NDArray[np.float64] | None = None
    clamp: Clamp = "current"
    start: datetime | None = None
    command_source: CommandSource = "unknown"
    holding_source: HoldingSource = "unknown"
    junction: Junction = Junction()
    bridge: float = 0.0

    def __post_init__(self) -> None:
        response = np.array(self.response, dtype=np.float64)
        response.setflags(write=False)
        object.__setattr__(self, "response", response)
        if response.ndim != 1 or response.size == 0:
            raise ValueError(f"Response has shape {response.shape}, (n,) with n > 0 was wanted.")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"Sampling rate is {self.rate} kHz, a positive one was wanted.")
        if self.start is not None and self.start.tzinfo is None:
            raise ValueError(f"Start {self.start} has no time zone, an aware time was wanted.")
        if self.command is not None:
            command = np.array(self.command, dtype=np.float64)
            command.setflags(write=False)
            object.__setattr__(self, "command", command)
            if command.shape != response.shape:
                raise ValueError(f"Command has shape {command.shape}, the response's {response.shape} was wanted.")

    @property
    def corrected(self) -> npt.NDArray[np.float64]:
        """The response less the known junction potential and bridge error, shape (n,) [mV].

        In voltage clamp the response is a current, which has neither [pA].
        """
        corrected = self.response.copy()
        if self.clamp == "voltage":
            return corrected
        if self.junction.potential is not None:
            corrected -= self.junction.potential
        if self.bridge and self.command is not None:
            corrected -= self.bridge * self.command
        return corrected
