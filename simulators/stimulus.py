"""This file is the stimulus: what goes into a cell, as frozen data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Clamp", "Dose", "Epoch", "Stimulus", "step"]

Clamp = Literal["current", "voltage"]


@dataclass(frozen=True)
class Dose:
    """A virtual drug: one conductance scaled, or more of it added, for as long as an epoch lasts.

    Args:
        conductance: Name of the cell's parameter.
        factor: What is left of the cell's own, 0 for a full block.
        added: What comes on top, in the parameter's unit; a dynamic clamp may also take away.

    Raises:
        ValueError: If the factor is negative or either number is not finite.
    """

    conductance: str
    factor: float = 1.0
    added: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor >= 0):
            raise ValueError(f"Factor on {self.conductance} is {self.factor}, a number from 0 was wanted.")
        if not math.isfinite(self.added):
            raise ValueError(f"Added {self.conductance} is {self.added}, a finite number was wanted.")


@dataclass(frozen=True)
class Epoch:
    """A stretch of constant command.

    Args:
        level: Command in the clamp's unit, absolute: the holding is already in it [pA or mV].
        duration: Length [ms].
        doses: Virtual drugs that act meanwhile.

    Raises:
        ValueError: If the level is not finite, the duration is not positive, or two doses name one conductance.
    """

    level: float
    duration: float
    doses: tuple[Dose, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.level):
            raise ValueError(f"Epoch level is {self.level}, a finite number was wanted.")
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise ValueError(f"Epoch duration is {self.duration} ms, a positive one was wanted.")
        object.__setattr__(self, "doses", tuple(self.doses))
        names = [dose.conductance for dose in self.doses]
        if len(set(names)) < len(names):
            raise ValueError(f"Doses of one epoch name {', '.join(names)}; each conductance once was wanted.")


@dataclass(frozen=True)
class Stimulus:
    """Epochs in a clamp mode, of which one is the step that is observed.

    Levels are absolute, so the epoch before the step *is* the holding: a recording that rests on a prepulse
    and one that rests on a holding current are the same thing to the cell.

    Args:
        clamp: "current" [pA] or "voltage" [mV].
        epochs: Stretches of constant command, in order.
        observed: Index of the epoch that is the step; at least one epoch precedes it.

    Raises:
        ValueError: If there are no epochs, or no epoch precedes the observed one.

    Example:
        >>> stimulus = step(100.0, onset=100.0, duration=500.0, tail=300.0)
        >>> stimulus.duration, stimulus.onset, stimulus.amplitude
        (900.0, 100.0, 100.0)
        >>> stimulus.command(10.0).shape
        (9000,)
    """

    clamp: Clamp
    epochs: tuple[Epoch, ...]
    observed: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "epochs", tuple(self.epochs))
        if not 1 <= self.observed < len(self.epochs):
            raise ValueError(
                f"Epoch {self.observed} of {len(self.epochs)} is to be observed; "
                "a step with at least one epoch before it was wanted."
            )

    @property
    def duration(self) -> float:
        """Length of the whole stimulus [ms]."""
        return sum(epoch.duration for epoch in self.epochs)

    @property
    def onset(self) -> float:
        """Start of the observed step [ms]."""
        return sum(epoch.duration for epoch in self.epochs[: self.observed])

    @property
    def step_duration(self) -> float:
        """Length of the observed step [ms]."""
        return self.epochs[self.observed].duration

    @property
    def holding(self) -> float:
        """Command just before the step [pA or mV]."""
        return self.epochs[self.observed - 1].level

    @property
    def amplitude(self) -> float:
        """Height of the step above the holding [pA or mV]."""
        return self.epochs[self.observed].level - self.holding

    @property
    def baseline(self) -> float:
        """Length of constant command just before the step [ms]."""
        return self.epochs[self.observed - 1].duration

    @property
    def tail(self) -> float:
        """Length of constant command just after the step, 0 where nothing follows [ms]."""
        after = self.epochs[self.observed + 1 : self.observed + 2]
        return after[0].duration if after else 0.0

    @property
    def is_dosed(self) -> bool:
        """Whether a virtual drug acts during any of it, so that it is another cell that answers."""
        return any(epoch.doses for epoch in self.epochs)

    def dosed(self, doses: Sequence[Dose]) -> Stimulus:
        """Let virtual drugs act from its start to its end.

        Args:
            doses: Which; they take the place of those that it has.

        Returns:
            The stimulus with them.
        """
        return replace(self, epochs=tuple(replace(epoch, doses=tuple(doses)) for epoch in self.epochs))

    def raised(self, by: float) -> Stimulus:
        """Add a constant to every level.

        Args:
            by: What an amplifier injects on top, in the clamp's unit.

        Returns:
            The stimulus; itself where there is nothing to add.
        """
        if not by:
            return self
        return replace(self, epochs=tuple(replace(epoch, level=epoch.level + by) for epoch in self.epochs))

    def samples(self, rate: float) -> int:
        """Count the samples of `command` without making them: what a file says may be any length.

        Args:
            rate: Sampling rate [kHz].

        Returns:
            How many.

        Raises:
            OverflowError: If there are infinitely many.
        """
        return int(np.rint(np.cumsum([epoch.duration for epoch in self.epochs])[-1] * rate))

    def command(self, rate: float) -> npt.NDArray[np.float64]:
        """Sample the stimulus.

        Boundaries are rounded from the cumulated time, so that epochs never drift by accumulated rounding.

        Args:
            rate: Sampling rate [kHz].

        Returns:
            Command, shape (n,), in the clamp's unit.

        Raises:
            ValueError: If the rate is not positive.
        """
        if not (math.isfinite(rate) and rate > 0):
            raise ValueError(f"Sampling rate is {rate} kHz, a positive one was wanted.")
        ends = np.rint(np.cumsum([epoch.duration for epoch in self.epochs]) * rate).astype(int)
        counts = np.diff(ends, prepend=0)
        return np.repeat(np.array([epoch.level for epoch in self.epochs], dtype=np.float64), counts)


def step(
    amplitude: float,
    *,
    holding: float = 0.0,
    onset: float = 200.0,
    duration: float = 500.0,
    tail: float = 300.0,
) -> Stimulus:
    """Make the stimulus that a cell is asked most: one current step from a holding current.

    Args:
        amplitude: Height of the step above the holding [pA].
        holding: Current before and after the step [pA].
        onset: Start of the step [ms].
        duration: Length of the step [ms].
        tail: Time kept after the step [ms].

    Returns:
        The stimulus, in current clamp.
    """
    return Stimulus(
        "current",
        (Epoch(holding, onset), Epoch(holding + amplitude, duration), Epoch(holding, tail)),
    )
