"""This file is the foretelling: how far what a network expects of sweeps is from what they were.

References:
    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359-378, for the score.
    https://doi.org/10.1198/016214506000001437
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.features import NAMES
from estimators.generation import simulate
from estimators.yardstick import Yardstick
from rig_plugin.tasks.crps import crps
from rig_plugin.tasks.half import ASKED

__all__ = ["foretell"]

_COLUMNS = [NAMES.index(name) for name in ASKED]
_AMPLITUDE, _START = CONTEXT.index("amplitude"), CONTEXT.index("start")
_FEWEST = 0.05
_MISSED = 1.0
"""What a quantity costs that hardly any draw has: one spread of it over the training sweeps."""

Array = npt.NDArray[np.float64]


def foretell(
    judge: Checkpoint,
    rows: Array,
    contexts: Sequence[Context],
    asked: Sequence[Context],
    truth: Array,
    rng: np.random.Generator,
    draws: int = 96,
) -> Array:
    """Score what the posterior of some sweeps of a cell says of others, the error of the model included.

    Args:
        judge: The network.
        rows: Features of the sweeps that are known, shape (n, f), NaN where missing.
        contexts: Their circumstances.
        asked: Circumstances of the others, m of them.
        truth: Their features, shape (m, f), NaN where missing.
        rng: Source of randomness.
        draws: Of theta.

    Returns:
        CRPS of each of `rig_plugin.tasks.half.ASKED` in spreads over the training sweeps, shape (m, q); NaN where the
            sweep has none.
    """
    table = np.stack([context.row() for context in contexts])
    table[:, _START] -= table[0, _START]
    theta = judge.network.draw(rows, table, draws, torch.Generator().manual_seed(int(rng.integers(2**31))))
    wanted = np.stack([context.row() for context in asked])
    of_draw = np.repeat(np.arange(draws), len(asked))
    told = np.tile(wanted, (draws, 1))
    spec, scaling = judge.spec, judge.network.scaling
    features = simulate(theta[of_draw], told, spec.nuisances, rng, of_draw, spec.names)
    reach = max(float(np.abs(wanted[:, _AMPLITUDE]).max()), 1.0)
    errors = Distortion(spec.parameters, scaling).errors(theta, rng)
    features = errors.add(features, told[:, _AMPLITUDE] / reach, of_draw, rng)
    yardstick = Yardstick(scaling)
    drawn = yardstick.along(features)[:, _COLUMNS].reshape(draws, len(asked), -1)
    measured = yardstick.along(truth)[:, _COLUMNS]
    scores = np.full(measured.shape, np.nan)
    for sweep, column in np.argwhere(np.isfinite(measured)):
        there = drawn[np.isfinite(drawn[:, sweep, column]), sweep, column]
        if len(there) < _FEWEST * draws:
            scores[sweep, column] = _MISSED
            continue
        weights = np.full(len(there), 1.0 / len(there))
        scores[sweep, column] = crps(there[:, None], weights, measured[sweep, column : column + 1])[0]
    return scores
