"""This file is the decision: one thing that a scripted experiment decided, with its reason, as it is told and kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["EVENTS", "Decision", "Event"]

Event = Literal[
    "taken over", "began", "measured", "met", "missed", "ended", "stopped", "finished", "chose", "late", "predicted"
]
EVENTS: tuple[Event, ...] = get_args(Event)


@dataclass(frozen=True)
class Decision:
    """A decision and its reason.

    Args:
        stage: Number of the stage in its script, from 0; -1 where it is of the script as a whole.
        kind: Of the stage, as the script calls it; "" for the script as a whole.
        event: "began"; "met" or "missed" for a criterion; "measured" for what a membrane test said; "ended" where the
            stage is over; "taken over" where a former recording has it; "stopped" where the experiment ends in it;
            "finished" where the script is through. "chose" for a stimulus that the posterior chose or suggests, "late"
            where it came to no choice in time. "predicted" for what is expected under a drug before it is given.
        said: The sentence, with the reason.
        criterion: Key of the criterion in the script, or "".
        measured: What was held against it, NaN where it is unknown [unit].
        bound: Where it lies, NaN where there is none [unit].
        unit: Of both, or "".
        sample: Samples that had come since the recording began; -1 where nothing was recorded.
        sweeps: Sweeps of the recording that had begun; -1 where nothing was recorded.
        time: When, as ISO text with its offset; "" before it is told.
    """

    stage: int
    kind: str
    event: Event
    said: str
    criterion: str = ""
    measured: float = math.nan
    bound: float = math.nan
    unit: str = ""
    sample: int = -1
    sweeps: int = -1
    time: str = ""

    @property
    def is_over(self) -> bool:
        """Whether by this the stage needs not to be played any more."""
        return self.event in ("ended", "taken over")

    def to_json(self) -> dict[str, Any]:
        """Lay it out as one JSON object.

        Returns:
            A mapping that `json.dumps(..., allow_nan=False)` takes; a number that is unknown is None.
        """
        told = dict(vars(self))
        return told | {name: _finite(told[name]) for name in ("measured", "bound")}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Decision:
        """Read one that `to_json` laid out.

        Args:
            told: As it was laid out.

        Returns:
            The decision.
        """
        return cls(**{**told, **{name: _number(told[name]) for name in ("measured", "bound")}})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
