"""This file is the entry: one thing that is to be recorded, as it waits for its turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from hardware.decision import Decision

__all__ = ["Begun", "Ended", "Entry", "Mark", "Samples", "Value"]

Value = str | float | bool


@dataclass(frozen=True)
class Begun:
    """A sweep, a membrane test or a continuous stretch begins.

    Args:
        folder: Where it lies in the file.
        about: What is known of it.
        tracks: What is known of each trace that may come, by name.
    """

    folder: Literal["sweeps", "tests", "continuous"]
    about: Mapping[str, Value]
    tracks: Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of all its traces, one for each moment.

    Args:
        traces: Equal lengths, shape (n,) each; none where all was lost.
        lost: Samples that are missing before the first of these.
    """

    traces: Mapping[str, npt.NDArray[np.float64]]
    lost: int = 0

    @property
    def count(self) -> int:
        """Samples of each trace."""
        return next((trace.size for trace in self.traces.values()), 0)

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return sum(trace.nbytes for trace in self.traces.values())

    def after(self, lost: int) -> Samples:
        """Say that more is missing before it.

        Args:
            lost: How many samples more.

        Returns:
            The same samples.
        """
        return replace(self, lost=self.lost + lost) if lost else self


@dataclass(frozen=True)
class Ended:
    """The sweep or stretch is whole, and this was made of it.

    Args:
        features: Value of each, NaN where it is missing.
        summary: JSON of the trial, or None.
    """

    features: Mapping[str, float] = field(default_factory=dict)
    summary: str | None = None


@dataclass(frozen=True)
class Mark:
    """A moment worth finding again.

    Args:
        sample: Samples that had come since the recording began.
        sweep: Number of the sweep, -1 for none.
        time: When, as ISO text.
        text: What for.
    """

    sample: int
    sweep: int
    time: str
    text: str


Entry = Begun | Samples | Ended | Mark | Decision
