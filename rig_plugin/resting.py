"""This file is the resting cell: which named rules of a good recording the pulse before a step finds broken."""

from __future__ import annotations

from hardware.membrane import Membrane
from rig_plugin.balance import Balance, balance
from rig_plugin.quality import DEAD
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rule import Alarm

__all__ = ["resting"]


def resting(tested: Membrane, rules: QualitySettings, left: Balance | None = None) -> tuple[Alarm, ...]:
    """Hold the pulse before a step against the rules for rest and bridge, which are those of the whole sweep.

    Args:
        tested: In current clamp, what bridge and junction potential are known to be taken off.
        rules: The limits.
        left: What the bridge leaves by this pulse and those before it; without it, by this pulse alone.

    Returns:
        Rules that it breaks, the graver first; none for a test in voltage clamp, which has rules of its own.
    """
    if tested.clamp != "current":
        return ()
    found = []
    rest, left = tested.potential, left or balance([tested.access])
    if rest > DEAD:
        said = f"The rest is {rest:.1f} mV, above {DEAD:g} mV: there is no cell, or a dead one."
        found.append(Alarm("rest_stop", "stop", said))
    elif rest > rules.highest_rest:
        said = f"The rest is {rest:.1f} mV, above {rules.highest_rest:g} mV: the cell may be dying."
        found.append(Alarm("rest_warn", "warn", said))
    if left is not None and left.alarm is not None:
        found.append(left.alarm)
    return tuple(found)
