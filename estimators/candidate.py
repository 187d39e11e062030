"""This file is the candidate: a stimulus that could come next, and what it would cost the cell's time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from estimators.context import Context
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus, step

__all__ = ["Candidate", "CandidateError", "Setting", "StepCandidate"]

_GRID = 0.2
_CURRENT = 0.1
_ALIKE = 0.15


class CandidateError(Refusal):
    """What a candidate or its setting is made of can't be played; the message says what was wanted."""


@dataclass(frozen=True)
class Setting:
    """What the session gives every sweep, whichever stimulus is chosen.

    Args:
        baseline: Constant current before the step [ms].
        tail: Constant current after it [ms].
        rate: Sampling rate [kHz].
        start: Start of the sweep to come, from that of the first in the set [s].
        rest: Shortest time that the cell is left alone after a sweep [s].
        interval: Shortest time from one sweep's start to the next's [s].
        holding_known: Whether the holding current of the sweep to come will be known.
        history_level: Of a pulse before the baseline, above the holding [pA].
        history_duration: Of that pulse, 0 for none [ms].
        history_gap: From its end to the step [ms].

    Raises:
        CandidateError: If a number is not finite, a time is negative, or the rate is not positive.
    """

    baseline: float = 200.0
    tail: float = 300.0
    rate: float = 20.0
    start: float = 0.0
    rest: float = 1.0
    interval: float = 0.0
    holding_known: bool = True
    history_level: float = 0.0
    history_duration: float = 0.0
    history_gap: float = 0.0

    def __post_init__(self) -> None:
        for name in ("baseline", "tail", "rate", "start", "rest", "interval"):
            value = getattr(self, name)
            lowest = "positive" if name in ("baseline", "tail", "rate") else "not negative"
            if not math.isfinite(value) or value < 0 or (lowest == "positive" and value == 0):
                raise CandidateError(f"The {name} of the sweep to come is {value}; a finite, {lowest} one was wanted.")

    def paced(self, length: float) -> float:
        """Give what a stimulus costs: its own length and the rest after it, and never less than the interval [s]."""
        return max(self.interval, length / 1e3 + self.rest)


class Candidate(Protocol):
    """Whatever could be played next: a step, or another waveform that a network was trained on."""

    @property
    def words(self) -> str:
        """What it is, with units, as a sentence has it."""

    @property
    def amplitude(self) -> float:
        """Farthest from the holding that it goes, with its sign [pA]."""

    def context(self, setting: Setting) -> Context:
        """Say how its sweep would be made, as the network is told it."""

    def stimulus(self, setting: Setting) -> Stimulus:
        """Give what the rig would play."""

    def seconds(self, setting: Setting) -> float:
        """Give what it costs, the rest after it included [s]."""

    def covers(self, other: Candidate) -> bool:
        """Tell whether a cell that bears this one bears the other."""

    def resembles(self, other: Candidate) -> bool:
        """Tell whether who does not want the one will not want the other."""


@dataclass(frozen=True)
class StepCandidate:
    """A current step.

    Amplitude and holding are rounded to 0.1 pA, the duration to 0.2 ms: whole samples at every usual rate.

    Args:
        amplitude: Height above the holding [pA].
        holding: Current before and after it [pA].
        duration: Length [ms].

    Raises:
        CandidateError: If a number is not finite or the duration not positive.

    Example:
        >>> StepCandidate(50.04, duration=500.09).words
        'a step of 50 pA for 500 ms'
    """

    amplitude: float
    holding: float = 0.0
    duration: float = 500.0

    def __post_init__(self) -> None:
        numbers = (self.amplitude, self.holding, self.duration)
        if not all(map(math.isfinite, numbers)) or self.duration < _GRID:
            raise CandidateError(
                f"A step of {self.amplitude} pA for {self.duration} ms from {self.holding} pA can't be played; finite "
                f"numbers and {_GRID} ms or more were wanted."
            )
        for name, grid in (("amplitude", _CURRENT), ("holding", _CURRENT), ("duration", _GRID)):
            object.__setattr__(self, name, round(grid * round(getattr(self, name) / grid), 6) + 0.0)

    @property
    def words(self) -> str:
        """What it is, with units, as a sentence has it."""
        held = f" from a holding of {self.holding:g} pA" if self.holding else ""
        return f"a step of {self.amplitude:g} pA for {self.duration:g} ms{held}"

    def context(self, setting: Setting) -> Context:
        """Say how its sweep would be made, the holding as it truly is."""
        return Context(
            self.amplitude,
            self.holding,
            float(setting.holding_known),
            self.duration,
            setting.baseline,
            setting.tail,
            setting.rate,
            history_level=setting.history_level,
            history_duration=setting.history_duration,
            history_gap=setting.history_gap,
            start=setting.start,
        )

    def stimulus(self, setting: Setting) -> Stimulus:
        """Give what the rig would play."""
        return step(
            self.amplitude, holding=self.holding, onset=setting.baseline, duration=self.duration, tail=setting.tail
        )

    def seconds(self, setting: Setting) -> float:
        """Give what it costs, the rest after it included [s]."""
        return setting.paced(self.stimulus(setting).duration)

    def covers(self, other: Candidate) -> bool:
        """Tell whether a cell that bears this one bears the other: smaller, not longer, the same way and holding."""
        return (
            isinstance(other, StepCandidate)
            and self.holding == other.holding
            and self.duration >= other.duration
            and self.amplitude * other.amplitude >= 0
            and abs(self.amplitude) >= abs(other.amplitude)
        )

    def resembles(self, other: Candidate) -> bool:
        """Tell whether who does not want the one will not want the other: the same way and holding, and much alike.

        Example:
            >>> StepCandidate(50.0).resembles(StepCandidate(55.0)), StepCandidate(50.0).resembles(StepCandidate(-50.0))
            (True, False)
        """
        return (
            isinstance(other, StepCandidate)
            and self.holding == other.holding
            and abs(self.amplitude - other.amplitude) <= _ALIKE * max(abs(self.amplitude), abs(other.amplitude))
            and abs(math.log(self.duration / other.duration)) <= 2.0 * _ALIKE
        )
