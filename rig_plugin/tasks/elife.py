"""This file is the eLife task: eight parameters of a cortical cell from seven statistics of one sweep.

There is no reference posterior; what counts is the density that is given to the parameters of fresh simulations.

References:
    Goncalves et al. (2020), eLife 9:e56261, its single-compartment model, prior and statistics.
        https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior
from rig_plugin.peers.elife import CELL, DURATION, OFFSET, ONSET, batch
from rig_plugin.tasks.task import Task
from simulators.moments import summarize

__all__ = ["ELIFE", "NAMES"]

NAMES = ("g_Na", "g_K", "g_leak", "g_M", "tau_max", "V_T", "noise", "E_leak")
"""In the paper's order, which turns the signs of V_T and E_leak round."""

_LOW = (0.5, 1e-4, 1e-4, 1e-4, 50.0, -90.0, 1e-4, -100.0)
_HIGH = (80.0, 15.0, 0.6, 0.6, 3000.0, -40.0, 0.15, -35.0)


def _simulate(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    cells, reversals, levels = batch(len(theta))
    cells[:, [list(CELL).index(name) for name in NAMES]] = theta
    return summarize(cells, reversals, (ONSET, OFFSET - ONSET, DURATION - OFFSET), levels, rng)


ELIFE = Task("elife", Prior.uniform(_LOW, _HIGH, names=NAMES), _simulate)
