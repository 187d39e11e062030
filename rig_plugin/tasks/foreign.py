"""This file is the foreign cells: simulated cells of another model than the network's, asked as a cohort is asked."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from estimators.cell import CELL
from estimators.checkpoint import Checkpoint
from estimators.context import CONTEXT
from estimators.generation import features_of
from rig_plugin.tasks.cohort import Cohort, unbroken
from simulators.adex import AdEx
from simulators.adex_batch import record

__all__ = ["KINDS", "Foreign", "Kind"]

Kind = Literal["adex", "compartments"]
"""An AdEx cell; and one of the network's prior with a dendrite, of which the network does not know."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_RATIO, _COUPLING = (0.3, 3.0), (2.0, 60.0)
"""Of the dendrite: capacitance over the soma's, and conductance between them [nS], both log-uniform."""

_LEAK = [parameter.name for parameter in AdEx.parameters].index("g_leak")

Array = npt.NDArray[np.float64]


class Foreign(Cohort):
    """Cells whose theta has no meaning for the network; what can be scored is what it foretells of them.

    They sit on the rigs of a cohort of the same seed.

    Args:
        kind: Of which model.
        checkpoint: Whose prior, rigs and scaling.
        cells: How many.
        sweeps: Most that each is asked.
        seed: Of everything.
    """

    def __init__(self, kind: Kind, checkpoint: Checkpoint, cells: int, sweeps: int, seed: int) -> None:
        super().__init__(checkpoint, cells, sweeps, seed)
        self._kind, rng = kind, np.random.default_rng([seed, 3])
        if kind == "adex":
            drawn = [parameter.constrain(rng.standard_normal(cells)) for parameter in AdEx.parameters]
            self.own = np.stack(drawn, axis=1)
            leak = self.own[:, _LEAK]
        else:
            more = [np.exp(rng.uniform(np.log(low), np.log(high), cells)) for low, high in (_RATIO, _COUPLING)]
            soma = self.theta[:, -1, : len(CELL)]
            self.own = np.column_stack([soma, *more])
            leak = soma[:, CELL.index("C")] * soma[:, CELL.index("g_leak")] * (1.0 + more[0])
        self.unit = 10.0 * leak
        self.reach = np.minimum(10.0 * self.unit, checkpoint.domain.ranges["amplitude"][1])

    def _answer(self, k: int, context: Array) -> Array:
        rng = np.random.default_rng([self._seed, 1, k])
        if self._kind == "compartments":
            return self._borne(self.own, context, rng, (*CELL, "dendrite_ratio", "coupling"))
        column = {name: np.ascontiguousarray(context[:, place]) for place, name in enumerate(CONTEXT)}
        ends = np.cumsum(np.stack([column["baseline"], column["duration"], column["tail"]], axis=1), axis=1)
        holding = column["holding"]
        levels = np.stack([holding, holding + column["amplitude"], holding], axis=1)
        leaks = np.repeat(self.own[:, _LEAK : _LEAK + 1], levels.shape[1], axis=1)
        samples, counts = record(self.own, leaks, self._rig.electrodes, ends, levels, column["rate"], rng)
        return unbroken(features_of(samples, counts, column), samples, counts)
