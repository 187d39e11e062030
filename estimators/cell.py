"""This file is the cortical cell: which parameters it has, and which it may have besides."""

from __future__ import annotations

from collections.abc import Sequence

from estimators.blame import DISCREPANCY
from simulators.parameter import Parameter
from simulators.wide_cell import ACCESSORIES

__all__ = ["BESIDE", "CELL", "WITHIN", "halved"]

CELL = ("C", "g_leak", "g_Na", "g_K", "g_M", "tau_max", "V_T", "E_leak", "rate_factor", "noise", "bridge", "offset")
"""Its parameters, in order: ten of the cell, two of the rig."""

WITHIN = (
    *ACCESSORIES,
    Parameter(DISCREPANCY, "1", 0.0, 2.0, "linear", "Standard deviation of a typical feature's error over its spread"),
)
"""Bounds that the prior of what follows the twelve has to keep."""

BESIDE = tuple(parameter.name for parameter in WITHIN)
"""What may follow them, in order: h-current, slow inactivation of sodium, Kv3, a dendrite, and how far the model is
off. With a dendrite, C is the soma's, and C (1 + dendrite_ratio) the whole cell's."""

_DENDRITE = ("dendrite_ratio", "coupling")


def halved(names: Sequence[str]) -> tuple[str, str] | None:
    """Tell which half of a dendrite is missing.

    Args:
        names: Of parameters.

    Returns:
        The one that is there and the one that is not, or None where there are both or neither.
    """
    there = [name for name in _DENDRITE if name in names]
    missing = [name for name in _DENDRITE if name not in names]
    return (there[0], missing[0]) if there and missing else None
