"""This file is the eLife sweep: cells of the paper's model, recorded as a sweep of a real cell was.

Model, reversal potentials and noise are the paper's; so is that currents become densities by the cell's area, which at
1 uF/cm2 its capacitance stands for. The command is the sweep's own, with what came before its baseline. Each cell
rests at the holding current before it starts, where the paper starts at the first voltage that was recorded. There is
no electrode.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.cell import CELL
from estimators.context import Context
from estimators.generation import features_of, voltages
from estimators.nuisances import Rigs
from rig_plugin.peers.elife import E_K, E_NA
from rig_plugin.tasks.elife import NAMES
from rig_plugin.tasks.elife_statistics import statistics
from simulators.electrode import KNOBS
from simulators.wide_cell import E_H

__all__ = ["featured", "record", "summarized"]

_CHUNK = 512
_MEASURED = ("rate", "baseline", "duration", "tail", "amplitude")

Array = npt.NDArray[np.float64]


def record(theta: Array, capacitance: float, context: Context, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Record one sweep of each cell.

    Args:
        theta: Shape (b, 8), in the order of `rig_plugin.tasks.elife.NAMES`.
        capacitance: Of each [pF].
        context: How the sweep is made.
        rng: Source of the noise.

    Returns:
        Baseline, step and tail, shape (b, n) [mV].
    """
    cells = np.zeros((len(theta), len(CELL)))
    cells[:, [CELL.index(name) for name in NAMES]] = theta
    cells[:, CELL.index("C")], cells[:, CELL.index("rate_factor")] = capacitance, 1.0
    reversals = np.tile([E_NA, E_K, 0.0, E_H], (len(theta), 1))
    seen = Rigs(np.zeros((len(theta), len(KNOBS))), reversals)
    return voltages(cells, np.tile(context.row(), (len(theta), 1)), seen, rng)[0]


def summarized(theta: Array, capacitance: float, context: Context, rng: np.random.Generator) -> Array:
    """Record one sweep of each cell and keep the paper's statistics of it, a few hundred cells at a time.

    Args:
        theta: As `record`.
        capacitance: As `record`.
        context: As `record`.
        rng: As `record`.

    Returns:
        Shape (b, 7), NaN for what a cell that blew up or never moves lacks.
    """
    chunks = [theta[begin : begin + _CHUNK] for begin in range(0, len(theta), _CHUNK)]
    seen = (context.baseline, context.duration, context.rate)
    return np.concatenate([statistics(record(some, capacitance, context, rng), *seen) for some in chunks])


def featured(theta: Array, capacitance: float, context: Context, rng: np.random.Generator) -> Array:
    """Record one sweep of each cell and measure our features.

    Args:
        theta: As `record`.
        capacitance: As `record`.
        context: As `record`.
        rng: As `record`.

    Returns:
        Shape (b, f), in the order of `estimators.features.NAMES`, NaN where missing.
    """
    samples = record(theta, capacitance, context, rng)
    column = {name: np.full(len(theta), getattr(context, name)) for name in _MEASURED}
    return features_of(samples, np.full(len(theta), samples.shape[1]), column)
