"""This file is the process: whose cells a network learns from, what they are asked for, and what records them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from estimators.cell import WITHIN, halved
from simulators import batch, patchseq_batch
from simulators.cortical import Cortical
from simulators.injected import Injected
from simulators.parameter import Parameter, Scale
from simulators.patchseq import PatchSeq
from simulators.refusal import Refusal
from simulators.wide_cell import E_H, columns

__all__ = ["CORTICAL", "PATCHSEQ", "PROCESSES", "Process", "ProcessError", "Sweeps", "process_of"]

Array = npt.NDArray[np.float64]
Recorded = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


class ProcessError(Refusal):
    """Parameters are those of no process; the message names them and what was wanted."""


@dataclass(frozen=True, eq=False)
class Sweeps:
    """What is played to cells and how it is seen, one row a sweep.

    Args:
        electrodes: The knobs of `simulators.electrode`, shape (s, k).
        ends: Time at which each epoch ends, shape (s, e) [ms].
        levels: Current of each epoch, shape (s, e) [pA].
        skip: Time from the start that is simulated and not recorded, shape (s,) [ms].
        rates: Sampling rates, shape (s,) [kHz].
        injected: What a dynamic clamp adds meanwhile, or None.
    """

    electrodes: Array
    ends: Array
    levels: Array
    skip: Array
    rates: Array
    injected: Injected | None = None


@dataclass(frozen=True, eq=False)
class Process:
    """Cells of one kind behind an electrode.

    Args:
        name: What a spec calls it.
        parameters: What every spec of it asks for, in order, with units and the widest bounds; two of them are the
            rig's, "bridge" [MOhm] and "offset" [mV].
        beside: What a spec may ask for besides, in order.
        bath: Nuisances that each cell's surroundings are drawn from, in the order of drawing, and on which scale.
        immersed: Lays what was drawn of them, each of shape (s,), out as `recorded` takes it, shape (s, k).
        recorded: Records theta, shape (s, p), of the parameters so named, each in its row of the bath: samples, shape
            (s, n) [mV], and how many of its row each sweep has, shape (s,); what lies behind is not set.
    """

    name: str
    parameters: tuple[Parameter, ...]
    beside: tuple[Parameter, ...]
    bath: Mapping[str, Scale]
    immersed: Callable[[Mapping[str, Array]], Array]
    recorded: Callable[[Array, Sequence[str], Array, Sweeps, np.random.Generator], Recorded]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of what every spec asks for, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def within(self) -> Mapping[str, Parameter]:
        """All that a spec may ask for, in order, by its name."""
        return MappingProxyType({parameter.name: parameter for parameter in (*self.parameters, *self.beside)})

    @property
    def bridge(self) -> int:
        """Column of the series resistance that the bridge leaves."""
        return self.names.index("bridge")

    @property
    def offset(self) -> int:
        """Column of the voltage offset."""
        return self.names.index("offset")

    def is_cell(self, names: Sequence[str]) -> bool:
        """Tell whether parameters are those of a cell of this process.

        Args:
            names: In order.

        Returns:
            Whether they are all that every spec asks for and, in order, any of what may come besides.

        Example:
            >>> CORTICAL.is_cell((*CORTICAL.names, "g_h")), CORTICAL.is_cell((*CORTICAL.names, "coupling"))
            (True, False)
        """
        there = tuple(name for name in self.within if name in self.names or name in names)
        return tuple(names) == there and halved(names) is None


def process_of(names: Sequence[str]) -> Process:
    """Find the process whose cells have these parameters.

    Args:
        names: Of the parameters, in order.

    Returns:
        The process.

    Raises:
        ProcessError: If there is none.

    Example:
        >>> process_of(("C", "R_in", "tau", *PATCHSEQ.names[3:])).name
        'patchseq'
    """
    for process in PROCESSES.values():
        if process.is_cell(names):
            return process
    wanted = "; or ".join(f"{', '.join(process.names)} ({process.name})" for process in PROCESSES.values())
    raise ProcessError(
        f"No process has the parameters {', '.join(names)}; wanted were {wanted}, and what may come besides, in order."
    )


def _surrounded(drawn: Mapping[str, Array]) -> Array:
    """Give E_Na, E_K, E_Ca and E_h."""
    E_Na = drawn["E_Na"]
    # No cell of the process has a calcium current.
    return np.stack([E_Na, drawn["E_K"], np.zeros(len(E_Na)), np.full(len(E_Na), E_H)], axis=1)


def _cortical(theta: Array, names: Sequence[str], bath: Array, sweeps: Sweeps, rng: np.random.Generator) -> Recorded:
    cells, has = columns(theta, names)
    played = (sweeps.electrodes, sweeps.ends, sweeps.levels, sweeps.skip, sweeps.rates)
    # What has nothing besides is left to the kernel that knows of nothing else.
    return batch.record(cells, bath, *played, rng, has or None, sweeps.injected)


def _warmed(drawn: Mapping[str, Array]) -> Array:
    """Give the reversal potentials, the rate factors, the noise and no pipette."""
    reversals = np.stack([drawn[name] for name in ("E_Na", "E_K", "E_Ca")], axis=1)
    return patchseq_batch.baths(reversals, drawn["temperature"], drawn["membrane_noise"])


def _patchseq(theta: Array, names: Sequence[str], bath: Array, sweeps: Sweeps, rng: np.random.Generator) -> Recorded:
    if sweeps.injected is not None:
        raise ProcessError("Cells of patchseq have no dynamic clamp; a network of cortical cells was wanted.")
    # Nothing of a cell changes from epoch to epoch.
    courses = np.repeat(theta[:, None, : len(PatchSeq.parameters)], sweeps.ends.shape[1], axis=1)
    played = (sweeps.electrodes, sweeps.ends, sweeps.levels, sweeps.rates)
    return patchseq_batch.record(courses, bath, *played, rng, sweeps.skip)


CORTICAL = Process(
    "cortical",
    Cortical.parameters,
    WITHIN,
    MappingProxyType({"E_Na": "linear", "E_K": "linear"}),
    _surrounded,
    _cortical,
)
"""One compartment with the kinetics of Pospischil et al. (2008), with or without what `simulators.wide_cell` adds. With
a dendrite, C is the soma's, and C (1 + dendrite_ratio) the whole cell's."""

PATCHSEQ = Process(
    "patchseq",
    (*PatchSeq.parameters, *Cortical.parameters[-2:]),
    WITHIN[-1:],
    MappingProxyType(
        {"E_Na": "linear", "E_K": "linear", "E_Ca": "linear", "temperature": "linear", "membrane_noise": "log"}
    ),
    _warmed,
    _patchseq,
)
"""One compartment with the channels of Hay et al. (2011) and Pospischil et al. (2008), by the 13 parameters of
Bernaerts et al. (2025)."""

PROCESSES: Mapping[str, Process] = MappingProxyType({process.name: process for process in (CORTICAL, PATCHSEQ)})
"""Every process, by its name; without one, a spec means the first."""
