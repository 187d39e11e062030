"""This file is the domain: what a network was trained on, and whether a sweep lies inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from estimators.context import Context
from simulators.refusal import Refusal

__all__ = ["Domain", "DomainError"]

_UNITS = {
    "amplitude": "pA",
    "holding": "pA",
    "history_level": "pA",
    "duration": "ms",
    "baseline": "ms",
    "tail": "ms",
    "rate": "kHz",
}
_WORDS = {
    "amplitude": "step",
    "holding": "holding current",
    "history_level": "current before the baseline, above the holding,",
    "duration": "step",
    "baseline": "constant current before the step",
    "tail": "time kept after the step",
    "rate": "sampling rate",
}
_SLACK = 1e-3


class DomainError(Refusal):
    """A sweep lies outside what the network was trained on; the message says where."""


@dataclass(frozen=True)
class Domain:
    """Ranges of the context.

    Args:
        ranges: {column: (low, high)}.
    """

    ranges: Mapping[str, tuple[float, float]]

    def check(self, context: Context) -> None:
        """Refuse a sweep outside; a thousandth of a range is granted for rounding in file headers.

        Args:
            context: Of the sweep.

        Raises:
            DomainError: If a column leaves its range.
        """
        for column, (low, high) in self.ranges.items():
            value = getattr(context, column)
            slack = _SLACK * (high - low)
            if not low - slack <= value <= high + slack:
                unit = _UNITS[column]
                raise DomainError(
                    f"The {_WORDS[column]} is {value:.4g} {unit}, outside the {low:g} to {high:g} {unit} that the "
                    "network was trained on: choose another epoch or pretrain a network for it."
                )
