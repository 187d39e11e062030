"""This file is the loss: a stretch of a recording that is not there, and why."""

from __future__ import annotations

from collections.abc import Iterable
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

    @property
    def end(self) -> int:
        """Index of the sample after the last."""
        return self.first + self.count

    def without(self, others: Iterable[Gap]) -> list[Gap]:
        """Cut others out of this one.

        Args:
            others: In any order.

        Returns:
            What is left, in order.

        Example:
            >>> Gap(10, 10).without([Gap(0, 12), Gap(15, 1)])
            [Gap(first=12, count=3), Gap(first=16, count=4)]
        """
        left, position = [], self.first
        for other in sorted(others):
            if other.first > position:
                left.append(Gap(position, min(other.first, self.end) - position))
            position = max(position, other.end)
            if position >= self.end:
                return left
        left.append(Gap(position, self.end - position))
        return left


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
