"""This file is the time since the first sweep: by it a network knows how long its cell has been recorded."""

from __future__ import annotations

from datetime import datetime

__all__ = ["SinceFirst"]

_UNTOLD = 5.0


class SinceFirst:
    """Counts from the first sweep that tells when it began.

    Args:
        first: When that was, where it was before.
    """

    def __init__(self, first: datetime | None = None) -> None:
        self._first = first

    def at(self, start: datetime | None, index: int) -> float:
        """Tell when a sweep began.

        Args:
            start: Of the sweep, or None where a file does not say; it then had one each 5 s.
            index: Number of its trial.

        Returns:
            From the start of the first one, not less than 0 [s].
        """
        if start is None:
            return _UNTOLD * index
        if self._first is None:
            self._first = start
        return max(0.0, (start - self._first).total_seconds())
