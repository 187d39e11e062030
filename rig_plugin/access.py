"""This file is the access: what is wrong with the way into a cell, by the named rules of a rig file's [quality]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hardware.membrane import Membrane
from hardware.stage import stage_of
from rig_plugin.quality_settings import QualitySettings

__all__ = ["Alarm", "alarms"]


@dataclass(frozen=True)
class Alarm:
    """A rule that a test breaks.

    Args:
        rule: Its name, which is that of its key in [quality] without the unit.
        grade: "warn", or "stop" where nothing measured through this access is to be believed.
        said: A sentence with value, limit and remedy.
    """

    rule: str
    grade: Literal["warn", "stop"]
    said: str


def alarms(tested: Membrane, first: Membrane | None, rules: QualitySettings) -> tuple[Alarm, ...]:
    """Hold a test of a whole cell against the rules.

    Args:
        tested: The test.
        first: The first of this cell, or None where this is it.
        rules: The limits.

    Returns:
        Rules that it breaks, the graver first; none where there is no whole cell.
    """
    if stage_of(tested) not in ("whole cell", "lost"):
        return ()
    found = [*_of_access(tested, first, rules), *_of_holding(tested, rules)]
    return tuple(sorted(found, key=lambda alarm: alarm.grade != "stop"))


def _of_access(tested: Membrane, first: Membrane | None, rules: QualitySettings) -> list[Alarm]:
    access = tested.access
    # In current clamp the access is known as far as the bridge is, which is no rule's matter.
    if math.isnan(access) or tested.clamp != "voltage":
        return []
    found = []
    if access >= rules.access_stop:
        said = f"The access is {access:.0f} MOhm, {rules.access_stop:g} at most may be used: clear the pipette."
        found.append(Alarm("access_stop", "stop", said))
    elif access >= rules.access_warn:
        said = f"The access is {access:.0f} MOhm, above {rules.access_warn:g}: clear the pipette."
        found.append(Alarm("access_warn", "warn", said))
    share = access / tested.resistance
    if share > rules.access_share:
        said = f"The access is {share:.2f} of the input resistance, {rules.access_share:g} at most was wanted."
        found.append(Alarm("access_share", "warn", said))
    if first is not None and first.access > 0.0:
        change = access / first.access - 1.0
        if abs(change) > rules.access_change:
            said = (
                f"The access changed by {change:+.0%} since the first test, {rules.access_change:.0%} at most was "
                "wanted: what was measured before and after can't be compared."
            )
            found.append(Alarm("access_change", "stop", said))
    return found


def _of_holding(tested: Membrane, rules: QualitySettings) -> list[Alarm]:
    if tested.clamp != "voltage" or abs(tested.holding) <= rules.holding:
        return []
    said = (
        f"It takes {tested.holding:.0f} pA to hold the cell at {tested.potential:g} mV, at most {rules.holding:g} pA "
        "either way was wanted: the seal leaks, or the cell dies."
    )
    return [Alarm("holding", "stop", said)]
