"""This file is the criterion: a number of a membrane test or a sweep, and the bound that it is held against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hardware.decision import Decision, Event
from rig_plugin.membrane_tests import Tested
from simulators.stimulus import Clamp

__all__ = ["CRITERIA", "Criterion", "seal_of", "told"]


@dataclass(frozen=True)
class Criterion:
    """A named number with the side on which it is good.

    Args:
        key: In the script.
        name: As a sentence has it.
        unit: Of the number.
        clamp: In which a membrane test tells it.
        at_least: Whether the bound is the lowest that is good; else it is the highest.
        is_either_way: Whether only its size counts, and not its sign.
    """

    key: str
    name: str
    unit: str
    clamp: Clamp
    at_least: bool = False
    is_either_way: bool = False

    def holds(self, measured: float, bound: float) -> bool:
        """Tell whether a number is good.

        Args:
            measured: NaN where it is unknown, which is not good.
            bound: Where good ends.

        Returns:
            True where it is.
        """
        value = abs(measured) if self.is_either_way else measured
        return value >= bound if self.at_least else value <= bound

    def wanted(self, bound: float) -> str:
        """Say what is wanted, as a sentence has it."""
        way = " either way" if self.is_either_way else ""
        return f"{'at least' if self.at_least else 'at most'} {bound:g} {self.unit}{way}"

    def said(self, measured: float) -> str:
        """Say what was measured, as a sentence has it."""
        if math.isnan(measured):
            return f"{self.name} is unknown"
        return (
            f"{self.name} is {measured:.3g} {self.unit}"
            if math.isfinite(measured)
            else f"{self.name} is beyond measure"
        )


CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        criterion.key: criterion
        for criterion in (
            Criterion("seal_GOhm", "the seal", "GOhm", "voltage", at_least=True),
            Criterion("access_MOhm", "the access resistance", "MOhm", "voltage"),
            Criterion("holding_pA", "the holding current", "pA", "voltage", is_either_way=True),
            Criterion("rest_mV", "the rest", "mV", "current"),
            Criterion("drift_mV", "the change of the rest", "mV", "current", is_either_way=True),
        )
    }
)
"""By their keys."""


def told(
    criterion: Criterion, measured: float, bound: float, stage: int, kind: str, event: Event, ending: str = ""
) -> Decision:
    """Make the decision on a criterion.

    Args:
        criterion: Which.
        measured: NaN where it is unknown.
        bound: Where good ends.
        stage: Number of the stage.
        kind: Of the stage.
        event: What was decided.
        ending: What the sentence ends with.

    Returns:
        The decision, with its sentence.
    """
    wanted = criterion.wanted(bound)
    held = f"as wanted, {wanted}" if event == "met" else f"{wanted} was wanted"
    said = f"{criterion.said(measured)}, {held}{ending}."
    finite = measured if math.isfinite(measured) else math.nan
    return Decision(stage, kind, event, f"{said[0].upper()}{said[1:]}", criterion.key, finite, bound, criterion.unit)


def seal_of(tested: Tested) -> float:
    """Give what lies between pipette and ground; infinite where nothing flows but noise [GOhm]."""
    said = tested.membrane
    seal = (said.resistance if math.isnan(said.access) else said.total) / 1e3
    return seal if seal > 0.0 else math.inf
