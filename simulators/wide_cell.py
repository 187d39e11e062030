"""This file is the wide cell: what a cortical cell may have besides the Pospischil currents, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simulators.beside import DENDRITE, HIGH_THRESHOLD, KV3, LOW_THRESHOLD, SAG, SLOW
from simulators.parameter import Parameter

__all__ = ["ACCESSORIES", "E_H", "columns"]

ACCESSORIES = (
    Parameter("g_h", "mS/cm2", 0.0, 1.0, "linear", "Conductance that hyperpolarization opens"),
    Parameter("slow_share", "1", 0.0, 1.0, "linear", "Share of the sodium conductance that also inactivates slowly"),
    Parameter("g_Kv3", "mS/cm2", 0.0, 100.0, "linear", "Fast potassium conductance of high threshold"),
    Parameter("dendrite_ratio", "1", 0.1, 10.0, "log", "Capacitance of the dendrite over that of the soma"),
    Parameter("coupling", "nS", 0.0, 200.0, "linear", "Conductance between soma and dendrite"),
)
"""What a cell of any type may have besides; ratio and coupling are of one dendrite."""

E_H = -40.0
"""Reversal potential of the h-current where nothing else is said [mV]."""

_PLAIN = 10
_COLUMNS = ("g_L", "g_T", "g_h", "dendrite_ratio", "coupling", "slow_share", "g_Kv3")
_FLAGS = {
    "g_L": HIGH_THRESHOLD,
    "g_T": LOW_THRESHOLD,
    "g_h": SAG,
    "coupling": DENDRITE,
    "slow_share": SLOW,
    "g_Kv3": KV3,
}


def columns(values: npt.NDArray[np.float64], names: Sequence[str]) -> tuple[npt.NDArray[np.float64], int]:
    """Lay cells out as the kernels take them.

    Args:
        values: Parameters, shape (..., p), of which the first ten are those of `simulators.pospischil.constants`.
        names: Of the parameters.

    Returns:
        Shape (..., 17), in the order of `simulators.compartments.constants`, and the sum of their flags.
    """
    cells = np.zeros((*values.shape[:-1], _PLAIN + len(_COLUMNS)))
    cells[..., :_PLAIN] = values[..., :_PLAIN]
    for k, name in enumerate(_COLUMNS, _PLAIN):
        if name in names:
            cells[..., k] = values[..., names.index(name)]
    return cells, sum(flag for name, flag in _FLAGS.items() if name in names)
