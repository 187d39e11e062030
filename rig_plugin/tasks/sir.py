"""This file is the SIR: an epidemic among a million, of whom a thousand are tested on ten days.

It is solved in logarithms of the shares: these stay smooth while the infected grow from one to hundreds of thousands.

References:
    Kermack and McKendrick (1927), Proc. R. Soc. A 115:700. https://doi.org/10.1098/rspa.1927.0118
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343, appendix T.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior
from rig_plugin.tasks.runge_kutta import solve
from rig_plugin.tasks.task import Task

__all__ = ["DAYS", "SIR", "infected"]

DAYS = 17.0 * np.arange(10)
"""When people are tested."""

_PEOPLE = 1e6
_TESTED = 1000
_STEPS = 68


def infected(theta: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Follow the share of infected people.

    Args:
        theta: Contact rate and recovery rate, shape (n, 2) [1/day].

    Returns:
        Shape (n, 10), on `DAYS`.
    """
    contact, recovery = theta.T

    def slope(state: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        susceptible, ill = contact * np.exp(state)
        return np.stack([-ill, susceptible - recovery])

    start = np.log([(_PEOPLE - 1.0) / _PEOPLE, 1.0 / _PEOPLE])
    states = solve(slope, np.tile(start[:, None], len(theta)), DAYS[1], len(DAYS), _STEPS)
    return np.exp(states[:, 1].T)


def _simulate(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return rng.binomial(_TESTED, np.clip(infected(theta), 0.0, 1.0)).astype(np.float64)


SIR = Task("sir", Prior.log_normal(np.log([0.4, 0.125]), np.diag(np.square([0.5, 0.2]))), _simulate)
