"""This file is the SLCP: four points of a plane whose likelihood is simple and whose posterior has four corners.

The distractors are 92 numbers that know nothing of theta, mixed among the eight that do: a mixture of twenty
Student-t distributions with two degrees of freedom.

References:
    Papamakarios et al. (2019), Sequential neural likelihood, AISTATS, PMLR 89:837.
        https://proceedings.mlr.press/v89/papamakarios19a.html
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343, appendix T.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from estimators.prior import Prior
from rig_plugin.tasks.task import Task

__all__ = ["SLCP", "SLCP_DISTRACTORS", "distractors"]

_POINTS = 4
_JITTER = 1e-6
_SEED = 42
_PARTS, _SIZE = 20, 92
_FREEDOM = 2.0

Numbers = npt.NDArray[np.float64]


def _simulate(theta: Numbers, rng: np.random.Generator) -> Numbers:
    first, second = theta[:, 2] ** 2, theta[:, 3] ** 2
    shared = np.tanh(theta[:, 4]) * first * second
    # The factor of the points' covariance, whose variances have a millionth more so that it always exists.
    a = np.sqrt(first**2 + _JITTER)
    b = shared / a
    c = np.sqrt(np.maximum(second**2 + _JITTER - b**2, 0.0))
    noise = rng.standard_normal((len(theta), _POINTS, 2))
    x = theta[:, None, 0] + a[:, None] * noise[..., 0]
    y = theta[:, None, 1] + b[:, None] * noise[..., 0] + c[:, None] * noise[..., 1]
    return np.stack([x, y], axis=-1).reshape(len(theta), 2 * _POINTS)


@functools.cache
def distractors() -> tuple[Numbers, Numbers, npt.NDArray[np.int64]]:
    """Make the distractors' distribution, and where they go.

    Returns:
        Centres, shape (20, 92); factors of the scales, shape (20, 92, 92); which of the eight numbers and then 92
            distractors stands in each place, shape (100,). They are the published ones, drawn in NumPy's first
            generator, whose stream never changes.
    """
    rng = np.random.RandomState(_SEED)
    centres = np.array([15.0 * rng.normal(size=_SIZE) for _ in range(_PARTS)])
    factors = [np.tril(rng.normal(size=(_SIZE, _SIZE))) + np.diag(np.exp(rng.normal(size=_SIZE))) for _ in centres]
    return centres, 3.0 * np.array(factors), rng.permutation(2 * _POINTS + _SIZE).astype(np.int64)


def _distract(theta: Numbers, rng: np.random.Generator) -> Numbers:
    centres, factors, order = distractors()
    n = len(theta)
    which = rng.integers(0, _PARTS, n)
    # One divisor for all 92: a Student-t vector, not 92 Student-t numbers.
    spread = rng.standard_normal((n, _SIZE)) / np.sqrt(rng.chisquare(_FREEDOM, n) / _FREEDOM)[:, None]
    noise = centres[which]
    for part in range(_PARTS):
        drawn = which == part
        noise[drawn] += spread[drawn] @ factors[part].T
    return np.concatenate([_simulate(theta, rng), noise], axis=1)[:, order]


_PRIOR = Prior.uniform([-3.0] * 5, [3.0] * 5)
SLCP = Task("slcp", _PRIOR, _simulate)
SLCP_DISTRACTORS = Task("slcp_distractors", _PRIOR, _distract)
