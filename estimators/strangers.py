"""This file is the strangers: sweeps that no cell of the model can have made, of another clamp and of other models.

References:
    Axopatch 200B manual, Molecular Devices (2012): 20 mV/V and 400 pA/V of command, and 50 mV/nA against 1 mV/mV of
    output at a gain of 1, tell what a recording looks like whose clamp was mistaken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from estimators.context import CONTEXT
from estimators.generation import features_of
from estimators.process import CORTICAL, PATCHSEQ, Process
from estimators.spec import Spec
from simulators.adex import AdEx
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.parameter import Parameter
from simulators.patchseq import PatchSeq
from simulators.simulator import Simulator
from simulators.stg_neuron import StgNeuron
from simulators.stimulus import Clamp, Epoch, Stimulus

__all__ = ["STRANGERS", "Stranger", "encounter", "strange_to"]

Array = npt.NDArray[np.float64]

_HELD, _COMMAND, _READ = -70.0, 0.05, 0.05
"""Of a mistaken clamp: holding [mV], command per that of the current clamp [mV/pA], output per that [mV/pA]."""

_SERIES, _WHITE_CURRENT = (5.0, 25.0), (0.5, 5.0)
"""Of a voltage clamp: series resistance [MOhm] and white noise, log-uniform [pA rms]."""

_BRIDGE, _OFFSET = 5.0, 2.0
"""Standard deviations of what the bridge leaves [MOhm] and of the amplifier's offset [mV]."""

_LARGEST = 1e6


@dataclass(frozen=True)
class Stranger:
    """Sweeps of something else than the process in current clamp.

    Args:
        model: Makes its cells behind an electrode; None: the process's own, in voltage clamp.
        words: What it is called.
        must: Whether it has to be caught, or is only compared with a classifier that knows it.
        alarming: Whether it is a mistake of the rig; a neuron that another model would describe better is none.
        smallest: Magnitude of the smallest step that tells of it [pA].
    """

    model: Callable[[Electrode], Simulator] | None
    words: str
    must: bool
    alarming: bool
    smallest: float = 0.0


STRANGERS = MappingProxyType(
    {
        "voltage_clamp": Stranger(None, "a current in voltage clamp that was taken for a voltage", True, True),
        "adex": Stranger(AdEx, "a cell of another model (AdEx)", False, False),
        "stg": Stranger(
            lambda electrode: StgNeuron(electrode=electrode), "a cell of another model (stomatogastric)", False, False
        ),
        "patchseq": Stranger(PatchSeq, "a cell of another model (Patch-seq)", False, False),
    }
)
"""What is no cell of the process in current clamp, by its name."""

_OWN: Mapping[str, Callable[..., Simulator]] = MappingProxyType({CORTICAL.name: Cortical, PATCHSEQ.name: PatchSeq})
"""What simulates a process's cells in either clamp, by its name."""


def strange_to(process: Process) -> tuple[str, ...]:
    """Name the strangers to a process.

    Args:
        process: Whose cells are none.

    Returns:
        All of `STRANGERS` but these.

    Example:
        >>> strange_to(PATCHSEQ)
        ('voltage_clamp', 'adex', 'stg')
    """
    return tuple(name for name, stranger in STRANGERS.items() if stranger.model is not _OWN[process.name])


def encounter(name: str, spec: Spec, context: Array, cells: int, rng: np.random.Generator) -> Array:
    """Measure sweeps of a stranger as if they were the process's.

    Its cells are drawn from their own model's prior, its electrodes from the spec's nuisances. Of voltage clamp the
    command goes where that of the current clamp would have gone; half of the designs are scaled as another clamp's
    output would be read, half show each pA as a mV.

    Args:
        name: Of `STRANGERS`.
        spec: Of the process.
        context: Designs, with the true holding, shape (s, c); what came before the baseline is left out.
        cells: How many see each design.
        rng: Source of randomness.

    Returns:
        Features, shape (s * cells, f), NaN where missing.
    """
    model = STRANGERS[name].model
    rows = []
    for k, row in enumerate(context):
        column = dict(zip(CONTEXT, row, strict=True))
        if model is not None:
            cell = model(_electrode(spec, rng))
            holding = column["holding"]
            levels = (holding, holding + column["amplitude"], holding)
            response = cell.simulate(
                _drawn(cell.parameters, cells, rng), _stimulus("current", levels, column), column["rate"], rng
            )
        else:
            cell = _OWN[spec.process.name](electrode=_electrode(spec, rng))
            levels = (_HELD, _HELD + _COMMAND * column["amplitude"], _HELD)
            theta = _drawn(spec.parameters[: len(cell.parameters)], cells, rng)
            current = cell.simulate(theta, _stimulus("voltage", levels, column), column["rate"], rng)
            response = current * (1.0 if k % 2 else _READ)
        rows.append(_measured(response, column))
    return np.concatenate(rows)


def _drawn(parameters: Sequence[Parameter], cells: int, rng: np.random.Generator) -> Array:
    return np.stack([parameter.constrain(rng.standard_normal(cells)) for parameter in parameters], axis=1)


def _electrode(spec: Spec, rng: np.random.Generator) -> Electrode:
    """Draw an electrode such as the network has seen."""
    nuisances = spec.nuisances
    corner, white, current = (
        float(np.exp(rng.uniform(*np.log(bounds)))) for bounds in (nuisances.corner, nuisances.white, _WHITE_CURRENT)
    )
    return Electrode(
        bridge=rng.normal(0.0, _BRIDGE),
        offset=rng.normal(0.0, _OFFSET),
        corner=corner,
        white=white,
        hum=rng.uniform(*nuisances.hum),
        drift=rng.normal(0.0, nuisances.drift),
        series=rng.uniform(*_SERIES),
        white_current=current,
    )


def _stimulus(clamp: Clamp, levels: tuple[float, float, float], column: dict[str, float]) -> Stimulus:
    lengths = (column["baseline"], column["duration"], column["tail"])
    return Stimulus(clamp, tuple(Epoch(level, length) for level, length in zip(levels, lengths, strict=True)))


def _measured(response: Array, column: dict[str, float]) -> Array:
    """Measure sweeps of one design, shape (cells, n)."""
    samples = np.clip(np.nan_to_num(response, nan=_LARGEST), -_LARGEST, _LARGEST).astype(np.float32)
    table = {key: np.full(len(samples), value) for key, value in column.items()}
    return features_of(samples, np.full(len(samples), samples.shape[1]), table)
