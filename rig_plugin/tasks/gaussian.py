"""This file is the Gaussian tasks: a mean seen through noise, under a normal or a uniform prior, or as a mixture.

References:
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343, appendix T.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior
from rig_plugin.tasks.task import Task

__all__ = ["LINEAR", "LINEAR_UNIFORM", "MIXTURE", "SCALES", "VARIANCE"]

VARIANCE = 0.1
"""Of the noise, and of the normal prior: a variance in the published program, though its text reads otherwise."""

SCALES = (1.0, 0.1)
"""Standard deviations of the mixture's two halves. One half is drawn for the whole of x, as from version 1.1 on."""

_SIZE = 10


def _noisy(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    x: npt.NDArray[np.float64] = theta + np.sqrt(VARIANCE) * rng.standard_normal(theta.shape)
    return x


def _mixed(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    scale = np.array(SCALES)[rng.integers(0, len(SCALES), len(theta))]
    x: npt.NDArray[np.float64] = theta + scale[:, None] * rng.standard_normal(theta.shape)
    return x


LINEAR = Task("gaussian_linear", Prior.normal(np.zeros(_SIZE), VARIANCE * np.eye(_SIZE)), _noisy)
LINEAR_UNIFORM = Task("gaussian_linear_uniform", Prior.uniform([-1.0] * _SIZE, [1.0] * _SIZE), _noisy)
MIXTURE = Task("gaussian_mixture", Prior.uniform([-10.0, -10.0], [10.0, 10.0]), _mixed)
