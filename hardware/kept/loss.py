"""This file is the loss: a stretch of a recording that is not there, and why."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Gap", "Loss"]


@dataclass(frozen=True, order=True)
class Gap:
    """Samples in a row that a trace lacks; it holds NaN there, so that an index is always time x rate.

    Args:
        first: Index of the first.
        count: How many.
    """

    first: int
    count: int


@dataclass(frozen=True)
class Loss:
    """What is missing, as a user is told it.

    Args:
        where: For instance "sweep 3".
        reason: One sentence.
        first: Index of the first sample that is missing, or None where there is none at all.
        samples: How many are missing, or None where that can't be known.
    """

    where: str
    reason: str
    first: int | None = None
    samples: int | None = None

    def to_json(self) -> dict[str, str | int | None]:
        """Lay the loss out as a JSON object."""
        return {"where": self.where, "first_sample": self.first, "samples": self.samples, "reason": self.reason}
