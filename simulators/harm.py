"""This file is the harm: at which voltages a sweep is broken off for the cell's sake.

Whoever plays a sweep asks it block by block; whoever designs one asks beforehand how likely it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Harm", "Watch"]


@dataclass(frozen=True)
class Harm:
    """Bounds of what a cell should bear.

    Args:
        above: Voltage that must not be exceeded for long [mV].
        above_for: How long that is [ms].
        below: Voltage that must not be undercut for long [mV].
        below_for: How long that is [ms].
        beyond: Magnitude that no sample may exceed [mV].
        max_spikes: Most spikes in a sweep: upward crossings of `above`.

    Raises:
        ValueError: If the bounds are not finite and ordered, or a time or the count is not positive.
    """

    above: float = -10.0
    above_for: float = 50.0
    below: float = -120.0
    below_for: float = 5.0
    beyond: float = 150.0
    max_spikes: int = 300

    def __post_init__(self) -> None:
        bounds = (-self.beyond, self.below, self.above, self.beyond)
        if not all(map(math.isfinite, bounds)) or list(bounds) != sorted(bounds):
            raise ValueError(
                f"A sweep is broken off below {self.below} mV, above {self.above} mV and beyond {self.beyond} mV; "
                "finite bounds in this order were wanted."
            )
        if not (self.above_for > 0 and self.below_for > 0 and self.max_spikes >= 1):
            raise ValueError(
                f"A sweep is broken off after {self.above_for} ms above, {self.below_for} ms below or "
                f"{self.max_spikes} spikes; positive numbers were wanted."
            )


class Watch:
    """One sweep, followed block by block.

    Args:
        harm: The bounds.
        rate: Sampling rate [kHz].
    """

    def __init__(self, harm: Harm, rate: float) -> None:
        self._harm, self._rate = harm, rate
        self._high = self._low = self._spikes = 0
        self._was_high = True
        self.reason: str | None = None
        """Why the sweep is to be broken off, as a sentence; None where it need not be."""

    def push(self, voltage: npt.NDArray[np.float64]) -> str | None:
        """Look at the next samples.

        Args:
            voltage: Of the membrane, as far as it is known; NaN for what was lost [mV].

        Returns:
            The reason, from the block on in which it came about.
        """
        if self.reason is None and voltage.size:
            self.reason = self._judge(voltage)
        return self.reason

    def _judge(self, voltage: npt.NDArray[np.float64]) -> str | None:
        harm = self._harm
        high, low = voltage > harm.above, voltage < harm.below
        # A sweep that begins above has not spiked there.
        self._spikes += int((high & ~np.concatenate([[self._was_high], high[:-1]])).sum())
        self._was_high = bool(high[-1])
        longest_high, self._high = _runs(high, self._high)
        longest_low, self._low = _runs(low, self._low)
        farthest = float(np.abs(np.nan_to_num(voltage)).max())
        if farthest > harm.beyond:
            return f"The voltage reached {farthest:.0f} mV in magnitude, beyond {harm.beyond:g} mV"
        if longest_high >= harm.above_for * self._rate:
            return f"The voltage stayed above {harm.above:g} mV for {harm.above_for:g} ms"
        if longest_low >= harm.below_for * self._rate:
            return f"The voltage stayed below {harm.below:g} mV for {harm.below_for:g} ms"
        if self._spikes > harm.max_spikes:
            return f"The cell fired more than {harm.max_spikes} spikes"
        return None


def _runs(there: npt.NDArray[np.bool_], before: int) -> tuple[int, int]:
    """Count the longest run, with what was under way before, and the one that is under way at the end."""
    away = np.flatnonzero(~there)
    if not away.size:
        return before + there.size, before + there.size
    first, last = int(away[0]), there.size - 1 - int(away[-1])
    inside = int(np.diff(away).max(initial=1)) - 1
    return max(before + first, inside, last), last
