"""This file is the virtual drug: one conductance that a dynamic clamp adds to a cell or takes away, as fixed numbers.

A device has one set of numbers, so all of them are medians of the posterior when the drug is made, whatever draw of it
is asked about later: the maximum is a factor times the median of density times capacitance, and the gates are the
model's own at the medians of what shapes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.process import CORTICAL
from estimators.spec import Spec
from simulators.gate_table import GateTable, pospischil_gates
from simulators.injected import Injected
from simulators.refusal import Refusal

__all__ = ["CONDUCTANCES", "LARGEST", "Clamp", "DrugError", "VirtualDrug", "check_drug", "prescribe"]

CONDUCTANCES = {"g_leak": "", "g_Na": "mh", "g_K": "n", "g_M": "p"}
"""What can be added or taken away, and its gates."""

LARGEST = 3.0
"""Most that may be added, in multiples of the cell's own."""

Array = npt.NDArray[np.float64]


class DrugError(Refusal):
    """A virtual drug that can't be given; the message says why and what can."""


@dataclass(frozen=True)
class Clamp:
    """The dynamic clamp that gives the drug.

    Args:
        delay: From a voltage to the middle of the current that answers it [ms].
        cycle: How long each current is held [ms].
        clip: Largest magnitude of its current [pA].
        conductances: Names of those that it can add, or None for any.
        takes_away: Whether it can take a conductance away.
    """

    delay: float = 0.1
    cycle: float = 0.05
    clip: float = 2000.0
    conductances: tuple[str, ...] | None = None
    takes_away: bool = True


@dataclass(frozen=True, eq=False)
class VirtualDrug:
    """What is injected.

    Args:
        conductance: Name of the parameter.
        factor: What is added, in multiples of the cell's own; -0.8 takes four fifths away.
        own: Posterior median of the cell's own [nS].
        injected: The fixed numbers of the clamp, in the voltage that it sees.
        added: Its maximum over the median of the capacitance, by which a recording flags its sweeps [mS/cm2].
    """

    conductance: str
    factor: float
    own: float
    injected: Injected
    added: float = 0.0

    @property
    def words(self) -> str:
        """The drug as a sentence has it."""
        share, verb = (self.factor, "added") if self.factor > 0 else (-self.factor, "taken away")
        return (
            f"{100.0 * share:.3g} % of {self.conductance} {verb} ({self.injected.maximum:+.3g} nS on {self.own:.3g} nS)"
        )


def prescribe(
    spec: Spec,
    draws: Array | None,
    conductance: str,
    factor: float,
    clamp: Clamp = Clamp(),
    distrust: str | None = None,
) -> VirtualDrug:
    """Make a drug from a posterior.

    Whether a cell stays at rest under it is told by `estimators.drug_forecast.DrugForecast`.

    Args:
        spec: What the draws are of.
        draws: From the posterior, shape (s, p), or None where there is none.
        conductance: One of `CONDUCTANCES`.
        factor: What is added, in multiples of the cell's own: from -1, which takes all of it, to `LARGEST`.
        clamp: What gives it.
        distrust: Why the posterior is not to be trusted, as a sentence, or None where it is.

    Returns:
        The drug.

    Raises:
        DrugError: If there is no posterior that can be trusted, the model or the clamp lacks the conductance, or the
            factor is beyond its limits.
    """
    _check(draws, distrust)
    check_drug(spec, conductance, factor)
    _check_clamp(clamp, conductance, factor)
    table = np.asarray(draws, dtype=np.float64)
    column = dict(zip(spec.names, table.T, strict=True))
    # At 1 uF/cm2 a density in mS/cm2 times a capacitance in pF is in nS.
    own = float(np.median(column[conductance] * column["C"]))
    offset = float(np.median(column["offset"]))
    middle = {name: float(np.median(column[name])) for name in ("V_T", "tau_max", "rate_factor", "E_leak")}
    tables = pospischil_gates(middle["V_T"], middle["tau_max"], middle["rate_factor"])
    # Whoever clamps sees the membrane with the amplifier's offset.
    gates = tuple(_shifted(tables[name], offset) for name in CONDUCTANCES[conductance])
    reversal = {
        "g_leak": middle["E_leak"],
        "g_Na": 0.5 * sum(spec.nuisances.E_Na),
    }.get(conductance, 0.5 * sum(spec.nuisances.E_K))
    injected = Injected(gates, reversal + offset, factor * own, clamp.delay, clamp.cycle, clamp.clip)
    return VirtualDrug(conductance, factor, own, injected, factor * own / float(np.median(column["C"])))


def _check(draws: Array | None, distrust: str | None) -> None:
    if distrust is not None:
        raise DrugError(
            f"The posterior is not to be trusted ({distrust.rstrip('.')}), so no drug is made from it: mend that first."
        )
    if draws is None or not len(draws):
        raise DrugError("There is no posterior yet that a drug could be made from: record a sweep that can be used.")


def check_drug(spec: Spec, conductance: str, factor: float) -> None:
    """Refuse a drug that no posterior of this network could make.

    Args:
        spec: What the network infers.
        conductance: One of `CONDUCTANCES`.
        factor: What is added, in multiples of the cell's own: from -1, which takes all of it, to `LARGEST`.

    Raises:
        DrugError: If the network's model or `CONDUCTANCES` lacks it, or the factor is beyond its limits.
    """
    if spec.process is not CORTICAL:
        raise DrugError(
            f"Virtual drugs are made for cells of the process cortical and this network knows {spec.process.name}: "
            "choose another network."
        )
    if conductance not in CONDUCTANCES:
        raise DrugError(f"There is no virtual drug on {conductance}; one of {_listed(CONDUCTANCES)} was wanted.")
    if not math.isfinite(factor) or factor == 0.0 or not -1.0 <= factor <= LARGEST:
        raise DrugError(
            f"The factor on {conductance} is {factor:g}; -1 (all of it taken away) to {LARGEST:g} (so many times its "
            "own added), and not 0, was wanted."
        )


def _check_clamp(clamp: Clamp, conductance: str, factor: float) -> None:
    if clamp.conductances is not None and conductance not in clamp.conductances:
        raise DrugError(
            f"This rig's dynamic clamp has no {conductance}: it has {_listed(clamp.conductances)}; choose one of "
            "those, or a clamp that takes tables of gates."
        )
    if factor < 0 and not clamp.takes_away:
        raise DrugError(
            f"This rig's dynamic clamp adds conductances and can't take {conductance} away: choose a factor above 0."
        )


def _shifted(gate: GateTable, offset: float) -> GateTable:
    return GateTable(gate.exponent, gate.first + offset, gate.step, gate.steady, gate.tau)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
