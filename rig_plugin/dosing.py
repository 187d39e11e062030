"""This file is the dosing: how a virtual drug stands at one moment, what was said of it before and what came of it.

Each is whole: who missed those before it knows all the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["PHASES", "Dosing", "Expected", "Infusion", "Span"]

PHASES = ("control before", "drug", "control after")


@dataclass(frozen=True)
class Span:
    """A median with its 90 % interval, NaN where nothing can be said.

    Args:
        low: 5 %.
        median: 50 %.
        high: 95 %.
    """

    low: float = math.nan
    median: float = math.nan
    high: float = math.nan

    def holds(self, value: float) -> bool:
        """Tell whether a number lies in the interval; one that is missing does not."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Infusion:
    """What the dynamic clamp injects.

    Args:
        own: Posterior median of the cell's own conductance [nS].
        maximum: What is injected, negative where it is taken away [nS].
        reversal: Reversal potential [mV].
        delay: From a voltage to the middle of the current that answers it [ms].
        cycle: How long each current is held [ms].
        clip: Largest magnitude of the current [pA].
        access: What the bridge leaves of the access resistance, by the posterior [MOhm].
    """

    own: float
    maximum: float
    reversal: float
    delay: float
    cycle: float
    clip: float
    access: Span


@dataclass(frozen=True)
class Expected:
    """One feature of one step: what is predicted of it, and what was measured. All numbers have one unit.

    Args:
        step: Amplitude of the step [pA].
        feature: Name.
        unit: Of all numbers here but the step.
        control: What was measured under control, NaN where it was missing.
        drug: What the posterior predicts under the drug.
        unchanged: What is expected where the drug does nothing.
        prior: What the prior predicts under the drug.
        measured: Under the drug; NaN where it was not yet, or is missing.
        is_inside: Whether it lies in 90 % of what the posterior predicted; None where nothing is measured.
    """

    step: float
    feature: str
    unit: str
    control: float
    drug: Span
    unchanged: Span
    prior: Span
    measured: float = math.nan
    is_inside: bool | None = None


@dataclass(frozen=True)
class Dosing:
    """How it stands.

    Args:
        conductance: Name of the parameter that the drug acts on.
        factor: What is added, in multiples of the cell's own; -0.8 takes four fifths away.
        count: Sweeps of each phase.
        done: Sweeps of each phase that are over.
        infusion: What is injected; None before the first control is over, or where no drug can be given.
        expected: Features whose predicted change is the largest, that first.
        among: How many features a change is predicted of.
        verdict: In a word, "withheld" where there is none; empty before.
        sentence: The verdict with its reason; empty before.
        is_strange: Whether the cell is no cell of the model, whatever the verdict.
    """

    conductance: str
    factor: float
    count: int
    done: tuple[int, int, int] = (0, 0, 0)
    infusion: Infusion | None = None
    expected: tuple[Expected, ...] = ()
    among: int = 0
    verdict: str = ""
    sentence: str = ""
    is_strange: bool = False

    @property
    def phase(self) -> int | None:
        """Number of the phase that is played, of `PHASES`; None where the last is over, or the drug was ended."""
        if self.verdict:
            return None
        return next((k for k, done in enumerate(self.done) if done < self.count), None)

    def to_json(self) -> dict[str, Any]:
        """Lay it out.

        Returns:
            A mapping that `json.dumps(..., allow_nan=False)` takes; a number that is missing is None.
        """
        told: dict[str, Any] = _told(asdict(self))
        return told

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Dosing:
        """Read one that `to_json` laid out.

        Args:
            told: As it was laid out.

        Returns:
            The dosing.
        """
        infusion = told["infusion"]
        spans = ("drug", "unchanged", "prior")
        rows = (
            {**each, **{name: _span(each[name]) for name in spans}, **_numbers(each, "control", "measured")}
            for each in told["expected"]
        )
        return cls(
            **{
                **told,
                "done": tuple(told["done"]),
                "infusion": infusion and Infusion(**{**infusion, "access": _span(infusion["access"])}),
                "expected": tuple(Expected(**row) for row in rows),
            }
        )


def _told(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    """Write what JSON has no number for as None, wherever it lies."""
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(told: Mapping[str, Any], *names: str) -> dict[str, float]:
    return {name: math.nan if told[name] is None else told[name] for name in names}


def _span(told: Mapping[str, Any]) -> Span:
    return Span(**_numbers(told, "low", "median", "high"))
