"""This file is the Pareto tail: how heavy the largest importance weights are, and weights with that tail smoothed.

The largest weights are compared with a generalized Pareto distribution, whose shape k tells how many moments the
weights have: above .7, no number of draws makes an estimate trustworthy.

References:
    Vehtari et al. (2024), Pareto smoothed importance sampling. J. Mach. Learn. Res. 25(72), 1-58. arXiv:1507.02646
    Zhang & Stephens (2009), Technometrics 51, 316-325. https://doi.org/10.1198/tech.2009.08017
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

__all__ = ["effective_size", "fit", "smooth"]

Array = npt.NDArray[np.float64]

_FEWEST = 5
_PRIOR = 3.0
_WEIGHT, _CENTRE = 10.0, 0.5
"""The fitted shape is drawn to a half, as strongly as by ten more values."""


def fit(excess: Array) -> tuple[float, float]:
    """Fit a generalized Pareto distribution by the empirical Bayes estimate of Zhang and Stephens.

    Args:
        excess: Positive numbers in ascending order, shape (n,), n at least 5.

    Returns:
        Shape k, positive for a heavy tail, and scale.
    """
    n = len(excess)
    count = 30 + math.isqrt(n)
    candidates = 1.0 - np.sqrt(count / (np.arange(1, count + 1) - 0.5))
    candidates = candidates / (_PRIOR * excess[math.floor(n / 4 + 0.5) - 1]) + 1.0 / excess[-1]
    shapes = np.log1p(-candidates[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-candidates / shapes) - shapes - 1.0)
    best = float(np.exp(profile - logsumexp(profile)) @ candidates)
    k = float(np.log1p(-best * excess).mean())
    return k, -k / best


def smooth(log_weights: Array) -> tuple[Array, float]:
    """Smooth the largest weights, and tell how heavy their tail is.

    Args:
        log_weights: Logarithms of ratios, shape (n,); -inf for a weight of nothing.

    Returns:
        Logarithms of weights that sum to one, shape (n,), and k; infinite where the tail can't be fitted, -inf where
        it is flat.
    """
    shifted = log_weights - log_weights.max()
    n = len(shifted)
    if np.ptp(shifted) == 0.0:
        return np.full(n, -math.log(n)), -math.inf
    tail = min(n // 5, math.ceil(3.0 * math.sqrt(n)))
    order = np.argsort(shifted, kind="stable")
    cutoff = float(np.exp(shifted[order[-tail - 1]])) if 0 < tail < n else math.inf
    excess = np.exp(shifted[order[-tail:]]) - cutoff if tail else np.empty(0)
    k = -math.inf if tail and excess[-1] == 0.0 else math.inf
    if tail >= _FEWEST and excess[0] > 0.0 and excess[math.floor(tail / 4 + 0.5) - 1] > 0.0:
        k, scale = fit(excess)
        k = (k * tail + _WEIGHT * _CENTRE) / (tail + _WEIGHT)
        chances = (np.arange(1, tail + 1) - 0.5) / tail
        quantiles = scale * (-np.log1p(-chances) if abs(k) < 1e-9 else np.expm1(-k * np.log1p(-chances)) / k)
        smoothed = np.minimum(np.log(cutoff + quantiles), 0.0)
        shifted = shifted.copy()
        shifted[order[-tail:]] = smoothed
    return shifted - logsumexp(shifted), k


def effective_size(log_weights: Array) -> float:
    """Tell how many even draws weighted ones are worth.

    Args:
        log_weights: Logarithms of weights that sum to one, shape (n,).

    Returns:
        Between 1 and n.

    Example:
        >>> round(effective_size(np.log(np.full(8, 0.125))), 6)
        8.0
    """
    return float(np.exp(-logsumexp(2.0 * log_weights)))
