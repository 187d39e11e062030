"""This file is the strangers: sweeps that no cell of the model can have made, of other models and of another clamp.

References:
    Axopatch 200B manual, Molecular Devices (2012): 20 mV/V and 400 pA/V of command, and 50 mV/nA against 1 mV/mV of
    output at a gain of 1, tell what a recording looks like whose clamp was mistaken.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from estimators.context import CONTEXT
from estimators.generation import features_of
from rig_plugin.simulated_cell import CELLS
from simulators.adex import AdEx
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.patchseq import PatchSeq
from simulators.simulator import Simulator
from simulators.stg_neuron import StgNeuron
from simulators.stimulus import Clamp, Epoch, Stimulus

__all__ = ["STRANGERS", "clamped", "stranger"]

Array = npt.NDArray[np.float64]

_HELD, _COMMAND, _READ = -70.0, 0.05, 0.05
"""Of a mistaken clamp: holding [mV], command per that of the current clamp [mV/pA], output per that [mV/pA]."""

_LARGEST = 1e6

STRANGERS: MappingProxyType[str, Callable[[], Simulator]] = MappingProxyType(
    {
        "adex": lambda: AdEx(Electrode(white=0.1, corner=5.0)),
        "stg": lambda: StgNeuron(electrode=Electrode(white=0.1, corner=5.0)),
        "patchseq": lambda: PatchSeq(Electrode(white=0.1, corner=5.0)),
        "cortical": lambda: Cortical(electrode=Electrode(white=0.1, corner=5.0)),
    }
)
"""Cells of all models; to a network, that of its own process is none."""


def clamped(theta: Array, process: str, context: Array, rng: np.random.Generator) -> Array:
    """Measure recordings of the current in voltage clamp as if they were a voltage.

    The command goes where that of the current clamp would have gone; half are scaled as another clamp's output would
    be read, half show each pA as a mV.

    Args:
        theta: Cells that see each design, the parameters of their simulator first, shape (s, cells, p).
        process: Name of the process that they are of.
        context: Shape (s, c).
        rng: Source of randomness.

    Returns:
        Features, shape (s, cells, f).
    """
    cell = CELLS[process].make(Electrode())
    rows = []
    for k, (cells, row) in enumerate(zip(theta, context, strict=True)):
        column = dict(zip(CONTEXT, row, strict=True))
        levels = (_HELD, _HELD + _COMMAND * column["amplitude"], _HELD)
        current = cell.simulate(
            cells[:, : len(cell.parameters)], _stimulus("voltage", levels, column), column["rate"], rng
        )
        rows.append(_measured(current * (1.0 if k % 2 else _READ), column))
    return np.stack(rows)


def stranger(name: str, cells: int, context: Array, rng: np.random.Generator) -> Array:
    """Measure cells of another model, drawn from that model's prior.

    Args:
        name: Of `STRANGERS`.
        cells: How many see each design.
        context: Shape (s, c); what came before the baseline is left out.
        rng: Source of randomness.

    Returns:
        Features, shape (s, cells, f).
    """
    model = STRANGERS[name]()
    rows = []
    for row in context:
        column = dict(zip(CONTEXT, row, strict=True))
        theta = np.stack([p.constrain(rng.standard_normal(cells)) for p in model.parameters], axis=1)
        holding = column["holding"]
        levels = (holding, holding + column["amplitude"], holding)
        response = model.simulate(theta, _stimulus("current", levels, column), column["rate"], rng)
        rows.append(_measured(response, column))
    return np.stack(rows)


def _stimulus(clamp: Clamp, levels: tuple[float, float, float], column: dict[str, float]) -> Stimulus:
    lengths = (column["baseline"], column["duration"], column["tail"])
    return Stimulus(clamp, tuple(Epoch(level, length) for level, length in zip(levels, lengths, strict=True)))


def _measured(response: Array, column: dict[str, float]) -> Array:
    """Measure sweeps of one design, shape (cells, n)."""
    samples = np.clip(np.nan_to_num(response, nan=_LARGEST), -_LARGEST, _LARGEST).astype(np.float32)
    table = {key: np.full(len(samples), value) for key, value in column.items()}
    return features_of(samples, np.full(len(samples), samples.shape[1]), table)
