"""This file is the proposal: the sweep that would be played next, with what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.stimulus import Stimulus

__all__ = ["Candidate", "Proposed"]


@dataclass(frozen=True)
class Candidate:
    """A sweep that was weighed.

    Args:
        stimulus: What would be played.
        gain: How much it is expected to tell of the cell [bits].
        error: Standard error of that [bits].
    """

    stimulus: Stimulus
    gain: float
    error: float = 0.0


@dataclass(frozen=True)
class Proposed:
    """A sweep that is next.

    Args:
        stimulus: What would be played.
        gain: How much it is expected to tell of the cell, or None where nobody reckoned [bits].
        place: Its number in the family or the file, from 0, or None where it is in none.
        count: How many these are, or None where nobody knows.
        waits: Whether it is played only when somebody says so.
        candidates: What was weighed before it was chosen.
        number: Of the proposal in its session, from 0; one that is told again, since the gate was turned, keeps it.
    """

    stimulus: Stimulus
    gain: float | None = None
    place: int | None = None
    count: int | None = None
    waits: bool = False
    candidates: tuple[Candidate, ...] = ()
    number: int = 0
