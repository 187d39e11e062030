"""This file is the forepulse: the small pulse that a sweep may have before its step, by which every sweep is tested."""

from __future__ import annotations

import math

from hardware.membrane import Membrane, membrane
from hardware.pulse import Pulse
from simulators.stimulus import Epoch, Stimulus
from simulators.sweep import Sweep

__all__ = ["BEFORE", "membrane_before", "with_forepulse"]

BEFORE = 50.0
"""Time at the holding before the pulse [ms]."""

_LARGEST, _SHORTEST = 100.0, 20.0


def with_forepulse(stimulus: Stimulus, size: float, duration: float, recovery: float) -> Stimulus:
    """Put a pulse before a step of current.

    Args:
        stimulus: The step, with the holding before it.
        size: Of the pulse, above the holding [pA].
        duration: Of the pulse [ms].
        recovery: Time that the cell has at least from the pulse to the step [ms].

    Returns:
        The same step, with 50 ms of holding and the pulse ahead of what was before it.

    Raises:
        PulseError: If it is no pulse for a membrane test.

    Example:
        >>> from simulators.stimulus import step
        >>> longer = with_forepulse(step(100.0, onset=100.0, duration=500.0, tail=300.0), -20.0, 100.0, 150.0)
        >>> [(epoch.level, epoch.duration) for epoch in longer.epochs[:3]], longer.amplitude
        ([(0.0, 50.0), (-20.0, 100.0), (0.0, 150.0)], 100.0)
    """
    first, *rest = stimulus.epochs
    pulse = Pulse("current", size, BEFORE, duration, max(recovery, first.duration), 1, first.level)
    ahead = (
        Epoch(first.level, pulse.before),
        Epoch(first.level + size, pulse.duration),
        Epoch(first.level, pulse.after, first.doses),
    )
    return Stimulus(stimulus.clamp, (*ahead, *rest), stimulus.observed + 2)


def membrane_before(sweep: Sweep) -> Membrane | None:
    """Read the pulse before a sweep's step.

    Args:
        sweep: In current clamp.

    Returns:
        What it says of the membrane; what bridge and junction potential are known to be is taken off first. None where
            there is no such pulse, or samples of it are missing.
    """
    stimulus = sweep.stimulus
    if stimulus is None or stimulus.clamp != "current" or stimulus.observed < 3:
        return None
    before, pulse, after = stimulus.epochs[stimulus.observed - 3 : stimulus.observed]
    size = pulse.level - before.level
    is_one = before.level == after.level and 0.0 < abs(size) <= _LARGEST and pulse.duration >= _SHORTEST
    if not is_one or before.duration < _SHORTEST or after.duration < pulse.duration:
        return None
    start = sum(epoch.duration for epoch in stimulus.epochs[: stimulus.observed - 3])
    asked = Pulse("current", size, before.duration, pulse.duration, after.duration, 1, before.level)
    first = round(start * sweep.rate)
    response = sweep.corrected[first : first + math.ceil(asked.cycle * sweep.rate)]
    if len(response) < round(asked.cycle * sweep.rate):
        return None
    said = membrane(asked, response, sweep.rate)
    return None if math.isnan(said.potential) else said
