"""This file is the reenactment: all sweeps of one cell, simulated as they were made, for other cells.

The designs are the cell's own, in its order and at its times; theta walks, rigs and the error of the model are drawn as
in pretraining, and shared by the sweeps of a cell as they are there. A sweep that was made and not used stays a token
that says so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from estimators.context import CONTEXT
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.generation import simulate
from estimators.refinement import led_back
from estimators.sets import Sets
from estimators.spec import Spec

__all__ = ["reenact"]

Array = npt.NDArray[np.float64]

_START, _EXCLUDED = CONTEXT.index("start"), CONTEXT.index("excluded")
_ROWS = 1000


def reenact(
    spec: Spec,
    network: SweepSetEstimator,
    u: Array,
    context: Array,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Sets:
    """Simulate the sweeps of one cell with other thetas.

    Args:
        spec: Of the network: its process, nuisances and walk.
        network: Whose scaling measures the error of the model.
        u: Theta at the latest sweep, unconstrained, shape (m, p).
        context: Of the cell's sweeps in order, shape (n, c); what is played is taken from here, the holding too.
        rng: Source of randomness of rigs, noise and errors.
        generator: Source of randomness of the walks.

    Returns:
        m sets of n sweeps.
    """
    m, n = len(u), len(context)
    start = torch.as_tensor(context[:, _START], dtype=torch.float64)
    path = led_back(torch.as_tensor(u, dtype=torch.float64), start, spec.nuisances.walk, generator)
    flat = path.numpy().reshape(m * n, -1)
    theta = network.constrain(flat)
    played = np.tile(context, (m, 1))
    features = np.concatenate(
        [
            simulate(theta[rows], played[rows], spec.nuisances, rng, np.repeat(np.arange(cells), n), spec.names)
            for rows, cells in _chunks(m, n)
        ]
    )
    features[played[:, _EXCLUDED] > 0] = np.nan
    played[:, _EXCLUDED] = np.isnan(features).all(axis=1)
    sets = Sets(
        flat.astype(np.float32),
        features.astype(np.float32),
        played.astype(np.float32),
        np.arange(0, m * n + 1, n, dtype=np.int64),
    )
    return Distortion(spec.parameters, network.scaling)(sets, rng)


def _chunks(m: int, n: int) -> list[tuple[slice, int]]:
    """Cut m cells of n sweeps into parts of bounded memory: the rows of each, and how many cells these are."""
    size = max(1, _ROWS // n)
    return [(slice(k * n, min(k + size, m) * n), min(k + size, m) - k) for k in range(0, m, size)]
