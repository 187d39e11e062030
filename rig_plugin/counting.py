"""This file is the counting: how many spikes a recorded step holds, by the same rule as the features."""

from __future__ import annotations

import math

from estimators.follower import Follower
from hardware.passage import History
from rig_plugin.crop import crop
from simulators.sweep import Sweep

__all__ = ["count"]


def count(sweep: Sweep, history: History | None = None) -> int | None:
    """Count the spikes in the step of a sweep.

    Args:
        sweep: With its stimulus.
        history: The epoch before it, where there is one.

    Returns:
        How many, or None where the voltage can't be one.
    """
    if sweep.stimulus is None:
        return None
    part = crop(sweep.stimulus, history)
    follower = Follower(part.stimulus, sweep.rate)
    follower.push(sweep.corrected[round(part.skip * sweep.rate) :])
    found = follower.features()["spike_count"]
    return int(found) if math.isfinite(found) else None
