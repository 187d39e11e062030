"""This file is the admission: which stimuli may be played to this cell, and in plain words why not the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from estimators.candidate import Candidate, Setting, StepCandidate
from estimators.context import Context
from simulators.refusal import Refusal

__all__ = ["Tolerance", "ToleranceError", "ladder", "refusal"]

_GENTLE = 10.0
_TWICE = 2.0
_TRUSTED = 2
_ROUNDING = 0.1


class ToleranceError(Refusal):
    """What is said of the cell is impossible; the message says what was wanted."""


@dataclass(frozen=True)
class Tolerance:
    """What the cell has borne so far.

    Args:
        trusted: Sweeps that were trusted.
        largest: Largest step that was tolerated in one of them, without its sign [pA].
        holding: Current that it is held at now [pA].
        resistance: Input resistance from a membrane test, or None [MOhm].
        smallest: Step to begin with where there is none [pA].

    Raises:
        ToleranceError: If a number is not finite, negative, or the resistance or the smallest step not positive.
    """

    trusted: int = 0
    largest: float = 0.0
    holding: float = 0.0
    resistance: float | None = None
    smallest: float = 5.0

    def __post_init__(self) -> None:
        if self.trusted < 0 or not (math.isfinite(self.largest) and self.largest >= 0):
            raise ToleranceError(
                f"{self.trusted} trusted sweeps with a largest step of {self.largest} pA were given; numbers from 0 "
                "were wanted."
            )
        for name, unit in (("resistance", "MOhm"), ("smallest", "pA")):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ToleranceError(f"The {name} is {value} {unit}; a positive, finite one was wanted.")
        if not math.isfinite(self.holding):
            raise ToleranceError(f"The holding is {self.holding} pA; a finite one was wanted.")

    @classmethod
    def of(
        cls,
        contexts: Sequence[Context],
        *,
        holding: float | None = None,
        resistance: float | None = None,
        smallest: float = 5.0,
    ) -> Tolerance:
        """Read it off the sweeps so far; those that were excluded were not tolerated.

        Args:
            contexts: Of all sweeps, in order.
            holding: Current that the cell is held at now [pA]; without it that of the last sweep.
            resistance: As `Tolerance`.
            smallest: As `Tolerance`.

        Returns:
            The tolerance.
        """
        used = [context for context in contexts if not context.excluded]
        if holding is None:
            holding = contexts[-1].holding if contexts else 0.0
        largest = max((abs(context.amplitude) for context in used), default=0.0)
        return cls(len(used), largest, holding, resistance, smallest)

    @property
    def first(self) -> float:
        """First step: the one that is expected to hyperpolarize by 10 mV, else the smallest [pA]."""
        return -self.smallest if self.resistance is None else -1e3 * _GENTLE / self.resistance

    @property
    def climbs(self) -> bool:
        """Whether so few sweeps are trusted that only a ladder is offered."""
        return self.trusted < _TRUSTED

    @property
    def highest(self) -> float:
        """Farthest from the holding that a stimulus may go [pA]."""
        return _TWICE * self.largest if self.trusted and self.largest else abs(self.first)


def ladder(tolerance: Tolerance, duration: float, lowest: float, highest: float) -> tuple[StepCandidate, ...]:
    """Offer the rungs that a hardly known cell may be asked.

    Args:
        tolerance: With fewer than two trusted sweeps.
        duration: Of the steps [ms].
        lowest: Most hyperpolarizing step that the network and the rig allow [pA].
        highest: Most depolarizing one [pA].

    Returns:
        First the step that is meant; after it, where a sweep was trusted, gentler ones.
    """
    if tolerance.trusted and tolerance.largest:
        steps = [tolerance.highest, tolerance.largest, -tolerance.highest, -tolerance.largest]
    else:
        steps = [tolerance.first]
    rungs = [StepCandidate(min(max(each, lowest), highest), tolerance.holding, duration) for each in steps]
    return tuple(dict.fromkeys(rungs))


def refusal(candidate: Candidate, tolerance: Tolerance, setting: Setting, rungs: Sequence[Candidate]) -> str | None:
    """Tell what in the cell's history is against a stimulus.

    Args:
        candidate: What could be played.
        tolerance: What the cell has borne.
        setting: Of the sweep to come.
        rungs: Of the ladder, where only that is offered.

    Returns:
        A sentence, or None where nothing is.
    """
    levels = [epoch.level for epoch in candidate.stimulus(setting).epochs]
    reach = max(abs(level - tolerance.holding) for level in levels)
    if reach > tolerance.highest + _ROUNDING:
        if not tolerance.largest:
            return (
                f"It goes {reach:.4g} pA from the holding; the first step of an unknown cell is {tolerance.first:.4g} "
                "pA."
            )
        return (
            f"It goes {reach:.4g} pA from the holding; no more than {tolerance.highest:.4g} pA is offered, twice the "
            f"{tolerance.largest:.4g} pA that the cell has tolerated."
        )
    if tolerance.climbs and candidate not in rungs:
        return (
            f"{tolerance.trusted} of the {_TRUSTED} sweeps are trusted that a prediction needs: only the ladder's "
            f"{'rungs are' if len(rungs) > 1 else 'rung is'} offered, {', '.join(rung.words for rung in rungs)}."
        )
    return None
