"""This file is the peer cuda: the eLife cell in our own equations, with noise, on a CUDA device.

What comes after the step is left out there, for no statistic looks at it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rig_plugin.peers.elife import DURATION, OFFSET, ONSET, batch
from simulators.device import name, summarize
from simulators.pospischil import DT

__all__ = ["STEPS", "SWEEPS", "prepare"]

SWEEPS = 1_000_000
"""Sweeps a call."""

STEPS = round(OFFSET / DT)
"""Steps of a sweep that are taken."""


def prepare(sweeps: int) -> Callable[[], npt.NDArray[np.int64]]:
    """Build a batch; its kernel is compiled at the first call.

    Args:
        sweeps: How many sweeps a call simulates.

    Returns:
        What simulates it, with all seven statistics, and gives the spikes of each sweep.

    Raises:
        simulators.device.DeviceError: If there is no device.
    """
    name()
    cells, reversals, levels = batch(sweeps)
    rng = np.random.default_rng(0)
    durations = (ONSET, OFFSET - ONSET, DURATION - OFFSET)
    return lambda: summarize(cells, reversals, durations, levels, rng)[:, 0].astype(np.int64)
