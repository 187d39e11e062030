"""This file is the access: what is wrong with the way into a cell, by the named rules of a rig file's [quality]."""

from __future__ import annotations

import math

from hardware.membrane import Membrane
from hardware.stage import stage_of
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rule import Alarm

__all__ = ["access_alarms", "alarms", "holding_alarms", "seal_alarms"]


def alarms(
    tested: Membrane, first: Membrane | None, rules: QualitySettings, formed: float | None = None
) -> tuple[Alarm, ...]:
    """Hold a test of a whole cell against the rules.

    Args:
        tested: The test.
        first: The first of this cell, or None where this is it.
        rules: The limits.
        formed: Seal before break-in; None where nobody saw it [GOhm].

    Returns:
        Rules that it breaks, the graver first; none where there is no whole cell.
    """
    if stage_of(tested) not in ("whole cell", "lost"):
        return ()
    found = seal_alarms(rules.formed if formed is None else formed, rules)
    # In current clamp the access is known as far as the bridge is, which is no rule's matter.
    if tested.clamp == "voltage":
        before = math.nan if first is None else first.access
        found += access_alarms(tested.access, tested.resistance, before, rules)
        found += holding_alarms(tested.holding, rules, f" at {tested.potential:g} mV")
    return tuple(sorted(found, key=lambda alarm: alarm.grade != "stop"))


def seal_alarms(formed: float | None, rules: QualitySettings) -> tuple[Alarm, ...]:
    """Hold the seal against its rule.

    Args:
        formed: What it was before break-in; None where nobody says [GOhm].
        rules: The limits.

    Returns:
        The rule, where it is broken.
    """
    if formed is None or formed >= rules.seal:
        return ()
    said = f"The seal was {formed:.2g} GOhm before break-in, {rules.seal:g} at least was wanted: patch another cell."
    return rules.alarm("seal", said)


def access_alarms(access: float, resistance: float, before: float, rules: QualitySettings) -> tuple[Alarm, ...]:
    """Hold an access resistance against the rules.

    Args:
        access: NaN where it is unknown [MOhm].
        resistance: Of the membrane, NaN where it is unknown [MOhm].
        before: What the access was first, NaN where this is the first [MOhm].
        rules: The limits.

    Returns:
        Rules that it breaks.
    """
    found: tuple[Alarm, ...] = ()
    if access >= rules.access_stop:
        said = f"The access is {access:.0f} MOhm, {rules.access_stop:g} at most may be used: clear the pipette."
        found += rules.alarm("access_stop", said)
    elif access >= rules.access_warn:
        said = f"The access is {access:.0f} MOhm, above {rules.access_warn:g}: clear the pipette."
        found += rules.alarm("access_warn", said)
    if resistance > 0.0 and access > rules.access_share * resistance:
        share = access / resistance
        said = (
            f"The access is {share:.2f} of the input resistance, {rules.access_share:g} at most was wanted: clear the "
            "pipette."
        )
        found += rules.alarm("access_share", said)
    change = access / before - 1.0 if before > 0.0 else math.nan
    if abs(change) > rules.access_change:
        said = (
            f"The access changed by {change:+.0%} since the first test, {rules.access_change:.0%} at most was "
            "wanted: what was measured before and after can't be compared; clear the pipette, or begin anew."
        )
        found += rules.alarm("access_change", said)
    return found


def holding_alarms(holding: float, rules: QualitySettings, where: str = "") -> tuple[Alarm, ...]:
    """Hold the current that a cell needs against its rule.

    Args:
        holding: That is injected [pA].
        rules: The limits.
        where: At which voltage, where that is held.

    Returns:
        The rule, where it is broken.
    """
    if not abs(holding) > rules.holding:
        return ()
    said = (
        f"It takes {holding:.0f} pA to hold the cell{where}, at most {rules.holding:g} pA either way was wanted: the "
        "seal leaks, or the cell dies; patch another."
    )
    return rules.alarm("holding", said)
