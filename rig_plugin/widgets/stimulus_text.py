"""This file is the stimulus in words and as a line: what was put out and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rig_plugin.widgets.number import significant
from simulators.stimulus import Stimulus

__all__ = ["describe", "planned"]


def describe(stimulus: Stimulus | None) -> str:
    """Say what a stimulus is.

    Args:
        stimulus: Or None where it is unknown.

    Returns:
        Height and length of the step, from which holding.

    Example:
        >>> from simulators.stimulus import step
        >>> describe(step(85.0, holding=-35.0))
        '+85 pA for 500 ms from −35 pA'
        >>> describe(step(85.0, holding=0.000113))
        '+85 pA for 500 ms from 0 pA'
    """
    if stimulus is None:
        return "stimulus unknown"
    unit = "pA" if stimulus.clamp == "current" else "mV"
    sign = "+" if stimulus.amplitude > 0 else ""
    return (
        f"{sign}{significant(stimulus.amplitude)} {unit} for {significant(stimulus.step_duration)} ms "
        f"from {significant(round(stimulus.holding, 1))} {unit}"
    )


def planned(stimulus: Mapping[str, Any] | None) -> tuple[list[float], list[float]] | None:
    """Lay out the next stimulus as a line.

    Args:
        stimulus: As a trial carries it, with "epochs" of "level" and "duration_ms"; or None.

    Returns:
        Times [ms] and levels, two for each epoch; None where there are no epochs.
    """
    epochs = stimulus.get("epochs") if stimulus else None
    if not epochs:
        return None
    times, levels, now = [], [], 0.0
    for epoch in epochs:
        times += [now, now + epoch["duration_ms"]]
        levels += [epoch["level"]] * 2
        now = times[-1]
    return times, levels
