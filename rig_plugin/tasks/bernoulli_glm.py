"""This file is the Bernoulli GLM: a spike or none in each of 100 bins, after white noise and a filter of nine.

What is seen are the sufficient statistics: how many spikes, and the noise summed over those bins that lie one to nine
before a spike.

References:
    Goncalves et al. (2020), eLife 9:e56261, generalized linear model. https://doi.org/10.7554/eLife.56261
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343, appendix T.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from estimators.prior import Prior
from rig_plugin.tasks.task import Task

__all__ = ["BERNOULLI_GLM", "design", "precision"]

_BINS, _TAPS = 100, 9
_SEED = 42
_OFFSET_PRECISION = 0.5


def design() -> npt.NDArray[np.float64]:
    """Make the design matrix: a constant, and the white noise of the bin itself and of the eight before it.

    Returns:
        Shape (100, 10). The noise is the published one, drawn in NumPy's first generator, whose stream never changes.
    """
    noise = np.random.RandomState(_SEED).randn(_BINS).astype(np.float32)
    lagged = [np.concatenate([np.zeros(lag), noise[: _BINS - lag]]) for lag in range(_TAPS)]
    return np.column_stack([np.ones(_BINS), *lagged])


def precision() -> npt.NDArray[np.float64]:
    """Make the prior's precision: a wide offset, and a filter that is smooth and fades.

    Returns:
        Shape (10, 10).
    """
    first = np.eye(_TAPS) - np.eye(_TAPS, k=-1)
    rough = first @ first + np.diag(np.sqrt(np.arange(_TAPS) / _TAPS))
    both = np.zeros((_TAPS + 1, _TAPS + 1))
    both[0, 0] = _OFFSET_PRECISION
    both[1:, 1:] = rough.T @ rough
    return both


def _simulate(theta: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    matrix = design()
    spikes = rng.random((len(theta), _BINS)) < expit(theta @ matrix.T)
    return spikes.astype(np.float64) @ matrix


BERNOULLI_GLM = Task("bernoulli_glm", Prior.normal(np.zeros(_TAPS + 1), np.linalg.inv(precision())), _simulate)
