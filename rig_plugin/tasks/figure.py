"""This file is the figure: one number of a benchmark, beside what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Figure"]


@dataclass(frozen=True)
class Figure:
    """A number.

    Args:
        name: Snake case.
        value: The number; None where it could not be measured.
        unit: As it is shown.
        n: How many measurements it is made of.
        peer: Who it stands beside.
        peer_version: Of the peer, or why it was not measured.
        there: The peer's number, of which the ratio is made.
        aim: At most this is wanted, or at least this.
        better: Which of both.
    """

    name: str
    value: float | None
    unit: str
    n: int
    peer: str | None = None
    peer_version: str | None = None
    there: float | None = None
    aim: float | None = None
    better: Literal["less", "more"] = "less"

    def row(self) -> dict[str, Any]:
        """Lay it out as every benchmark does.

        Returns:
            A mapping; its ratio is how many times the peer's number is ours.

        Example:
            >>> Figure("train_s", 2.0, "s", 1, "sbi", "0.27.0", there=3.0, aim=3.0).row()["ratio"]
            1.5
        """
        met = None
        if self.aim is not None and self.value is not None:
            met = self.value <= self.aim if self.better == "less" else self.value >= self.aim
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "n": self.n,
            "peer": self.peer,
            "peer_version": self.peer_version,
            "ratio": self.there / self.value if self.there is not None and self.value else None,
            "aim": self.aim,
            "met": met,
        }
