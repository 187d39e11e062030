"""This file is our own trainer as the benchmarks call it: one configuration for all tasks, that of its defaults."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.ensemble import Estimator
from estimators.fitting import fit
from estimators.prior import Prior
from rig_plugin.tasks.trained import Trained

__all__ = ["train", "train_distilled", "train_single", "trained"]

Numbers = npt.NDArray[np.float64]


def train(theta: Numbers, x: Numbers, prior: Prior, seed: int) -> Trained:
    """Train an ensemble in one round; the kind of network is chosen by held-out density alone.

    Args:
        theta: Shape (n, p).
        x: Shape (n, d).
        prior: Of theta.
        seed: Of everything random.

    Returns:
        The posterior.
    """
    return trained(fit(theta, x, prior, seed=seed))


def train_single(theta: Numbers, x: Numbers, prior: Prior, seed: int) -> Trained:
    """Train one network; arguments and choice as for `train`."""
    return trained(fit(theta, x, prior, ensemble=1, seed=seed))


def train_distilled(theta: Numbers, x: Numbers, prior: Prior, seed: int) -> Trained:
    """Train an ensemble and one network that stands for it; arguments and choice as for `train`."""
    return trained(fit(theta, x, prior, distil=True, seed=seed))


def trained(estimator: Estimator) -> Trained:
    """Wrap an estimator.

    Args:
        estimator: Fitted to x of shape (n, d).

    Returns:
        The posterior.
    """

    # A distribution of one observation and of many is the same call.
    def draw(observed: Numbers, n: int) -> Numbers:
        drawn: Numbers = estimator(observed).sample((n,)).numpy()
        return drawn

    def log_prob(at: Numbers, observed: Numbers) -> Numbers:
        density: Numbers = estimator.log_prob(at, observed).numpy()
        return density

    return Trained(draw, draw, log_prob)
