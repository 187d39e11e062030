"""This file is the provenance: where a sweep comes from, and what is known of how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from hardware.amplifier import Reading
from hardware.gain import Gain
from simulators.stimulus import Stimulus
from simulators.sweep import CommandSource, HoldingSource, Junction, Sweep

__all__ = ["Provenance"]


@dataclass(frozen=True)
class Provenance:
    """Where the sweep being played comes from.

    Args:
        start: When its first sample was taken (aware), or None where that is unknown.
        command_source: Where the command came from.
        holding_source: Where the holding current came from.
        junction: What is known of the junction potential.
        bridge: Series resistance still to be subtracted [GOhm].
        amplifier: How the amplifier stood just before it, or None where there is none to ask.
        gains: What its channels were scaled by, by their names, as far as it is known.
    """

    start: datetime | None = None
    command_source: CommandSource = "unknown"
    holding_source: HoldingSource = "unknown"
    junction: Junction = field(default_factory=Junction)
    bridge: float = 0.0
    amplifier: Reading | None = None
    gains: Mapping[str, Gain] = field(default_factory=dict)

    def behind(self, reading: Reading | None) -> Provenance:
        """Say the same of a sweep behind an amplifier.

        Args:
            reading: How it stood before the sweep, or None.

        Returns:
            The provenance: where the amplifier tells its holding, and what its bridge leaves, they are the amplifier's.
        """
        if reading is None:
            return self
        residual = reading.residual.value
        return replace(
            self,
            holding_source=self.holding_source if reading.holding.value is None else "amplifier",
            bridge=self.bridge if residual is None else residual / 1e3,
            amplifier=reading,
        )

    def sweep(
        self,
        response: npt.NDArray[np.float64],
        rate: float,
        stimulus: Stimulus,
        command: npt.NDArray[np.float64] | None,
    ) -> Sweep:
        """Make the sweep that comes from here.

        Args:
            response: Shape (n,) [mV].
            rate: Sampling rate [kHz].
            stimulus: What was put out.
            command: Shape (n,) [pA], or None where it is unknown.

        Returns:
            The sweep, in the stimulus's clamp.
        """
        return Sweep(
            response=response,
            rate=rate,
            stimulus=stimulus,
            command=command,
            clamp=stimulus.clamp,
            start=self.start,
            command_source=self.command_source,
            holding_source=self.holding_source,
            junction=self.junction,
            bridge=self.bridge,
        )
