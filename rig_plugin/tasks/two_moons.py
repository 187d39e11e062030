"""This file is the two moons: a crescent of noise, moved so that two places of theta explain it equally well.

References:
    Greenberg et al. (2019), Automatic posterior transformation for likelihood-free inference, ICML, PMLR 97:2404.
        https://proceedings.mlr.press/v97/greenberg19a.html
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343, appendix T.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior
from rig_plugin.tasks.task import Task

__all__ = ["OFFSET", "RADIUS", "TWO_MOONS", "WIDTH"]

RADIUS, WIDTH = 0.1, 0.01
"""Mean and standard deviation of the crescent's radius."""

OFFSET = 0.25


def _simulate(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    angle = rng.uniform(-0.5 * np.pi, 0.5 * np.pi, len(theta))
    radius = rng.normal(RADIUS, WIDTH, len(theta))
    total, difference = theta[:, 0] + theta[:, 1], theta[:, 1] - theta[:, 0]
    return np.column_stack(
        [
            radius * np.cos(angle) + OFFSET - np.abs(total) / np.sqrt(2.0),
            radius * np.sin(angle) + difference / np.sqrt(2.0),
        ]
    )


TWO_MOONS = Task("two_moons", Prior.uniform([-1.0, -1.0], [1.0, 1.0]), _simulate)
