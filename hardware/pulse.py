"""This file is the pulse: the small step, again and again, by which a membrane test asks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.refusal import Refusal
from simulators.stimulus import Clamp, Epoch, Stimulus

__all__ = ["CURRENT", "VOLTAGE", "Pulse", "PulseError"]

_LARGEST = {"voltage": 20.0, "current": 100.0}
_UNIT = {"voltage": "mV", "current": "pA"}


class PulseError(Refusal):
    """A pulse that no membrane test should play; the message names the number."""


@dataclass(frozen=True)
class Pulse:
    """A step from the holding and back, some times over.

    Args:
        clamp: "voltage" or "current".
        size: Of the step [mV or pA].
        before: Time at the holding before it [ms].
        duration: Of the step [ms].
        after: Time at the holding after it [ms].
        repeats: How often; what comes back is averaged.
        holding: Where it starts from [mV or pA].

    Raises:
        PulseError: If the step is none, or larger than a test should be, or a time or number is not positive.
    """

    clamp: Clamp
    size: float
    before: float
    duration: float
    after: float
    repeats: int = 4
    holding: float = 0.0

    def __post_init__(self) -> None:
        largest, unit = _LARGEST[self.clamp], _UNIT[self.clamp]
        if not 0.0 < abs(self.size) <= largest:
            raise PulseError(f"The pulse is {self.size:g} {unit}; one of at most {largest:g} {unit} was wanted.")
        times = (self.before, self.duration, self.after)
        if not all(math.isfinite(time) and time > 0.0 for time in times) or self.repeats < 1:
            raise PulseError(
                f"The pulse lasts {self.before:g} + {self.duration:g} + {self.after:g} ms, {self.repeats} times; "
                "positive times and one pulse at least were wanted."
            )
        if not math.isfinite(self.holding):
            raise PulseError(f"The pulse starts from {self.holding} {unit}; a finite holding was wanted.")

    @property
    def cycle(self) -> float:
        """Length of one pulse with what is before and after it [ms]."""
        return self.before + self.duration + self.after

    def stimulus(self) -> Stimulus:
        """Lay the pulses out.

        Returns:
            One stimulus, in which the first pulse is the step that is observed.
        """
        one = (
            Epoch(self.holding, self.before),
            Epoch(self.holding + self.size, self.duration),
            Epoch(self.holding, self.after),
        )
        return Stimulus(self.clamp, one * self.repeats)

    def averaged(self, trace: npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.float64]:
        """Average what came back over the pulses.

        Args:
            trace: Of the whole stimulus, shape (n,).
            rate: Sampling rate [kHz].

        Returns:
            One cycle, shape (round(cycle x rate),).

        Raises:
            PulseError: If the trace is shorter than the stimulus.
        """
        size = round(self.cycle * rate)
        starts = [round(k * self.cycle * rate) for k in range(self.repeats)]
        if len(trace) < starts[-1] + size:
            raise PulseError(
                f"The pulses came back with {len(trace)} samples; {starts[-1] + size} at {rate:g} kHz were wanted."
            )
        return np.asarray(np.mean([trace[start : start + size] for start in starts], axis=0), dtype=np.float64)


VOLTAGE = Pulse("voltage", -10.0, 5.0, 20.0, 35.0, holding=-70.0)
"""Of -10 mV from -70 mV: 300 pF behind 15 MOhm have forgotten one pulse before the next; four take .24 s."""

CURRENT = Pulse("current", -20.0, 30.0, 150.0, 270.0, repeats=3)
"""Of -20 pA from 0 pA: a membrane of 40 ms has forgotten one pulse before the next; three take 1.35 s."""
