"""This file is the limits: what may be put into a cell at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.stimulus import Stimulus

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Bounds of the command, in physical units; whoever plays or designs a stimulus asks them first.

    Args:
        low: Smallest command in current clamp [pA].
        high: Largest command in current clamp [pA].
        duration: Longest stimulus [ms].
        voltage: Largest magnitude of a command in voltage clamp [mV].

    Raises:
        ValueError: If the bounds are not finite and ordered, or the voltage is not positive.
    """

    low: float = -1000.0
    high: float = 1000.0
    duration: float = 60_000.0
    voltage: float = 200.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"Limits are [{self.low}, {self.high}] pA; finite, ordered ones were wanted.")
        if not (math.isfinite(self.voltage) and self.voltage > 0):
            raise ValueError(f"Limit of the voltage is {self.voltage} mV, a finite, positive one was wanted.")

    def check(self, stimulus: Stimulus) -> None:
        """Refuse a stimulus that leaves the limits.

        Args:
            stimulus: What is about to be put out.

        Raises:
            ValueError: If any level or the duration lies outside.
        """
        levels = [epoch.level for epoch in stimulus.epochs]
        low, high, unit = self.low, self.high, "pA"
        if stimulus.clamp == "voltage":
            low, high, unit = -self.voltage, self.voltage, "mV"
        if min(levels) < low or max(levels) > high:
            raise ValueError(
                f"Command spans [{min(levels):g}, {max(levels):g}] {unit}, outside the limits "
                f"[{low:g}, {high:g}] {unit}: lower the step or raise the limits."
            )
        if stimulus.duration > self.duration:
            raise ValueError(
                f"Stimulus lasts {stimulus.duration:g} ms, longer than the limit of {self.duration:g} ms: "
                "shorten it or raise the limit."
            )
