"""This file is the Lotka-Volterra: prey and predators, counted on ten days with an error of a tenth.

It is solved in logarithms of both, which never reach zero and change by bounded rates where the numbers themselves
run over thirty powers of ten.

References:
    Lotka (1920), PNAS 6:410. https://doi.org/10.1073/pnas.6.7.410
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343, appendix T.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior
from rig_plugin.tasks.runge_kutta import solve
from rig_plugin.tasks.task import Task

__all__ = ["DAYS", "LOTKA_VOLTERRA", "populations"]

DAYS = 2.1 * np.arange(10)
"""When they are counted."""

_START = (30.0, 1.0)
_STEPS = 210
_LEAST, _MOST = 1e-10, 1e4
_ERROR = 0.1


def populations(theta: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Follow prey and predators.

    Args:
        theta: Growth of the prey, its loss to a predator, death of the predators and their gain from a prey,
            shape (n, 4) [1/day].

    Returns:
        Logarithms, shape (n, 20): the prey on `DAYS`, then the predators.
    """
    growth, loss, death, gain = theta.T

    def slope(state: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        prey, predators = np.exp(state)
        return np.stack([growth - loss * predators, gain * prey - death])

    start = np.tile(np.log(_START)[:, None], len(theta))
    states = solve(slope, start, DAYS[1], len(DAYS), _STEPS)
    return states.transpose(2, 1, 0).reshape(len(theta), 2 * len(DAYS))


def _simulate(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    located = np.clip(populations(theta), np.log(_LEAST), np.log(_MOST))
    return np.exp(located + _ERROR * rng.standard_normal(located.shape))


LOTKA_VOLTERRA = Task("lotka_volterra", Prior.log_normal([-0.125, -3.0, -0.125, -3.0], 0.5**2 * np.eye(4)), _simulate)
