"""This file is the fitted sweep: the one sweep of half a family to which a laboratory would fit the paper's model.

The rule: of the sweeps in the half that fire, in the order of their currents, the middle one, or the lower of two. The
cell's area comes as the paper's did, from its membrane time constant over its input resistance at 1 uF/cm2: the median
over the hyperpolarizing steps of the half that have both or, without any, over the silent depolarizing ones, which the
M current makes a tenth too small where it opens.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.context import Context
from estimators.features import NAMES
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.elife_statistics import statistics
from simulators.refusal import Refusal

__all__ = ["FittedSweep", "capacitance", "chosen"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedSweep:
    """What is fitted.

    Args:
        name: Of the recording.
        half: 0 for the half that begins with the first sweep, 1 for the other.
        sweep: Index in the family.
        context: How it was made.
        capacitance: Which the cell's area stands for [pF].
        observed: The paper's seven statistics of it, shape (7,).
    """

    name: str
    half: int
    sweep: int
    context: Context
    capacitance: float
    observed: Array


def chosen(family: Cell, seen: npt.NDArray[np.int64], half: int) -> FittedSweep:
    """Choose the sweep of a half.

    Args:
        family: With traces.
        seen: Sweeps of the half.
        half: Which it is.

    Returns:
        The sweep.

    Raises:
        Refusal: If none of them fires, or none tells the capacitance.
    """
    firing = seen[family.counts[seen] > 0]
    if not len(firing):
        raise Refusal(f"None of the {len(seen)} sweeps of a half of {family.name} fires; one that does was wanted.")
    order = np.argsort(family.currents[firing], kind="stable")
    sweep = int(firing[order[(len(order) - 1) // 2]])
    context = family.contexts[sweep]
    observed = statistics(family.traces[sweep][None], context.baseline, context.duration, context.rate)[0]
    return FittedSweep(family.name, half, sweep, context, capacitance(family, seen), observed)


def capacitance(family: Cell, seen: npt.NDArray[np.int64]) -> float:
    """Tell the capacitance by time constant over input resistance.

    Args:
        family: The sweeps.
        seen: Those that may be looked at.

    Returns:
        Median over the hyperpolarizing steps or, without any, over the silent ones [pF].

    Raises:
        Refusal: If no silent step has a time constant and a resistance.
    """
    tau, resistance = (family.rows[seen, NAMES.index(name)] for name in ("charging_time", "input_resistance"))
    each = 1e3 * tau / resistance
    told = np.isfinite(each)
    if not told.any():
        raise Refusal(
            f"No silent step in a half of {family.name} charges the membrane, so its area is unknown; one that does, "
            "by more than 1 mV, was wanted."
        )
    downward = told & (family.currents[seen] < 0.0)
    return float(np.median(each[downward if downward.any() else told]))
