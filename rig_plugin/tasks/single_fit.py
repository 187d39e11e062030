"""This file is the single fit: the posterior of one sweep, by a network that was trained for this sweep and no other.

It is what a laboratory does with the eLife paper's code and one cell: theta from the paper's uniform prior, simulated
under the sweep's own protocol, the seven statistics, a network, and that network conditioned on what was measured.
What the posterior says of other sweeps is then simulated and nothing else.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from estimators.features import NAMES
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.elife import ELIFE
from rig_plugin.tasks.elife_sweep import featured, summarized
from rig_plugin.tasks.fitted_sweep import FittedSweep
from rig_plugin.tasks.trained import Train

__all__ = ["SingleFit", "fit", "foretold", "reproduced", "rheobases"]

_COUNT = NAMES.index("spike_count")
_DIGITS = 6

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SingleFit:
    """A posterior of one sweep.

    Args:
        asked: The sweep.
        simulations: How many were drawn to train on.
        used: How many of them had all statistics.
        seed: Of simulations and training.
        version: Of who trained.
        theta: Draws, shape (d, 8), to six digits.
        train_cpu_s: Processor time of the training.
    """

    asked: FittedSweep
    simulations: int
    used: int
    seed: int
    version: str
    theta: Array
    train_cpu_s: float


def fit(asked: FittedSweep, simulations: int, draws: int, seed: int, version: str, train: Train) -> SingleFit:
    """Simulate, train, and draw.

    Args:
        asked: The sweep.
        simulations: How many.
        draws: Of the posterior.
        seed: Of simulations and training.
        version: Of who trains.
        train: Who does.

    Returns:
        The posterior.
    """
    theta = ELIFE.prior.sample(simulations, torch.Generator().manual_seed(seed)).numpy()
    x = summarized(theta, asked.capacitance, asked.context, np.random.default_rng(seed))
    whole = np.isfinite(x).all(axis=1)
    begun = time.process_time()
    trained = train(theta[whole], x[whole], ELIFE.prior, seed)
    taken = time.process_time() - begun
    drawn = trained.draw(asked.observed, draws)
    rounded = np.array([[float(f"{value:.{_DIGITS}g}") for value in row] for row in drawn])
    return SingleFit(asked, simulations, int(whole.sum()), seed, version, rounded, taken)


def foretold(fitted: SingleFit, family: Cell) -> list[Array]:
    """Simulate the draws under every sweep of the family.

    Args:
        fitted: The posterior.
        family: The recording that it is of.

    Returns:
        Features of each sweep, shape (d, f), NaN where missing; the same numbers for the same draws.
    """
    rng = np.random.default_rng([fitted.seed, fitted.asked.half, 13])
    return [featured(fitted.theta, fitted.asked.capacitance, context, rng) for context in family.contexts]


def reproduced(fitted: SingleFit) -> npt.NDArray[np.bool_]:
    """Tell which statistics of the fitted sweep the central nine tenths of its own posterior's simulations hold.

    Args:
        fitted: The posterior.

    Returns:
        Shape (7,): where none is held, the fit failed, or the model can't make such a sweep.
    """
    rng = np.random.default_rng([fitted.seed, fitted.asked.half, 17])
    again = summarized(fitted.theta, fitted.asked.capacitance, fitted.asked.context, rng)
    low, high = np.quantile(again[np.isfinite(again).all(axis=1)], [0.05, 0.95], axis=0)
    return np.asarray((low <= fitted.asked.observed) & (fitted.asked.observed <= high))


def rheobases(told: list[Array], currents: Array) -> Array:
    """Give the lowest current at which each draw fires.

    Args:
        told: Features of each sweep, from `foretold`.
        currents: Of the sweeps [pA].

    Returns:
        Shape (d,) [pA], infinite where none of them makes it fire.
    """
    fires = np.stack([features[:, _COUNT] > 0.0 for features in told])
    return np.asarray(np.where(fires, currents[:, None], np.inf).min(axis=0))
