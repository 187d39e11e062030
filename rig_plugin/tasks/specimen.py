"""This file is the specimen: a cell on a bench, of the network's own model or of another, that takes a virtual drug."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from estimators.cell import CELL
from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.generation import features_of, respond
from estimators.nuisances import rigs
from simulators.adex import AdEx
from simulators.adex_batch import record
from simulators.electrode import KNOBS
from simulators.injected import Injected

__all__ = ["KINDS", "Kind", "Specimen", "draw_spikes"]

Array = npt.NDArray[np.float64]

Kind = Literal["model", "erring", "adex", "compartments"]
"""A cell of the network's prior as it is simulated; one with the model's error besides, as the network was taught it;
an AdEx cell; and one of the prior with a dendrite, which the network does not know."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_SPIKE = -10.0
"""What no AdEx cell passes without a spike [mV]."""

_RATIO, _COUPLING = (0.3, 3.0), (2.0, 60.0)
"""Of the dendrite: capacitance over the soma's, and conductance between them [nS], both log-uniform."""


class Specimen:
    """One cell with its rig, drawn before it is known what is played.

    Args:
        kind: Of the cell.
        checkpoint: Whose prior and nuisances are drawn from.
        contexts: All sweeps that may be played, without what came before them.
        rng: Source of randomness, kept for the noise.
    """

    def __init__(
        self, kind: Kind, checkpoint: Checkpoint, contexts: Sequence[Context], rng: np.random.Generator
    ) -> None:
        spec = checkpoint.spec
        self._kind, self._spec, self._rng = kind, spec, rng
        self._table = np.stack([context.row() for context in contexts])
        sweeps, none = len(contexts), np.zeros(len(contexts), dtype=np.int64)
        own = np.array([[p.constrain(rng.standard_normal(1))[0] for p in spec.parameters]])
        self._names = spec.names
        self.theta = own[0]
        drawn = rigs(np.repeat(own, sweeps, axis=0), spec.nuisances, rng, none, spec.names)
        self._rigs = drawn
        if kind == "compartments":
            more = [np.exp(rng.uniform(*np.log(bounds))) for bounds in (_RATIO, _COUPLING)]
            self._names = (*CELL, "dendrite_ratio", "coupling")
            self.theta = np.concatenate([own[0, : len(CELL)], more])
        elif kind == "adex":
            self.theta = np.array([p.constrain(rng.standard_normal(1))[0] for p in AdEx.parameters])
        step = self._table[:, CONTEXT.index("amplitude")]
        self._positions = step / max(5.0, float(np.abs(step).max()))
        self._errors = None
        if kind == "erring":
            self._errors = Distortion(spec.parameters, checkpoint.network.scaling).errors(own, rng)

    def play(self, sweeps: Sequence[int], injected: Injected | None = None) -> Array:
        """Play some of the sweeps and measure them.

        Args:
            sweeps: Which.
            injected: What a dynamic clamp adds meanwhile.

        Returns:
            Features, shape (sweeps, f), NaN where missing.
        """
        rows = np.asarray(sweeps, dtype=np.int64)
        table, drawn = self._table[rows], self._rigs[rows]
        if self._kind == "adex":
            return self._adex(table, drawn.electrodes, injected)
        theta = np.repeat(self.theta[None], len(rows), axis=0)
        features = respond(theta, table, drawn, self._rng, self._names, injected=injected)
        if self._errors is None:
            return features
        cell = np.zeros(len(rows), dtype=np.int64)
        return np.asarray(self._errors.add(features, self._positions[rows], cell, self._rng), dtype=np.float64)

    def _adex(self, table: Array, electrodes: Array, injected: Injected | None) -> Array:
        column = {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate(CONTEXT)}
        ends = np.cumsum(np.stack([column["baseline"], column["duration"], column["tail"]], axis=1), axis=1)
        holding = column["holding"]
        levels = np.stack([holding, holding + column["amplitude"], holding], axis=1)
        cells = np.repeat(self.theta[None], len(table), axis=0)
        leaks = np.repeat(cells[:, 1:2], 3, axis=1)
        # Of a spike that is one sample, a low-pass would leave nothing that could be drawn.
        electrodes = electrodes.copy()
        electrodes[:, KNOBS.index("corner")] = 0.0
        samples, counts = record(cells, leaks, electrodes, ends, levels, column["rate"], self._rng, injected)
        for row, count, rate in zip(samples, counts, column["rate"], strict=True):
            draw_spikes(row[:count], rate)
        return features_of(samples, counts, column)


def draw_spikes(response: npt.NDArray[np.float32], rate: float) -> None:
    """Give the spikes of an AdEx cell, one sample each, the time that spikes take: 0.2 ms to rise and 0.8 ms to fall.

    Args:
        response: Of one sweep without a low-pass, shape (n,) [mV]; changed where it lies.
        rate: Sampling rate [kHz].
    """
    rise, fall = round(0.2 * rate), round(0.8 * rate)
    for peak in map(int, np.flatnonzero(response > _SPIKE)):
        first, last = max(0, peak - rise), min(len(response) - 1, peak + fall)
        response[first : peak + 1] = np.linspace(response[first], response[peak], peak + 1 - first)
        response[peak : last + 1] = np.linspace(response[peak], response[last], last + 1 - peak)
