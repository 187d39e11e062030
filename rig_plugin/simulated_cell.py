"""This file is the simulated cell: what is at the electrode of a rig without a device, by the process that it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hardware.dynamic_clamp import DynamicClamp
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.injected import Injected
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.patchseq import PatchSeq
from simulators.stimulus import Clamp, Stimulus

__all__ = ["CELLS", "SimulatedCell", "added"]

_RIG = ("bridge", "offset")


@dataclass(frozen=True, eq=False)
class SimulatedCell:
    """A kind of cell, with the values that one has unless something else is said.

    Args:
        make: Makes its simulator, seen through an electrode.
        parameters: Those of the cell with their widest bounds, then "bridge" [MOhm] and "offset" [mV].
        typical: A cell that rests and fires, on a well-kept rig: {parameter: value}.
        room: How many conductances a dynamic clamp can add to it at once.
    """

    make: Callable[[Electrode], Patched]
    parameters: tuple[Parameter, ...]
    typical: Mapping[str, float]
    room: int = 0

    @property
    def clamps(self) -> tuple[Clamp, ...]:
        """Clamps that it can be asked in."""
        return self.make(Electrode()).clamps

    def simulate(
        self,
        values: Mapping[str, float],
        electrode: Electrode,
        stimulus: Stimulus,
        rate: float,
        rng: np.random.Generator,
        injected: Injected | None = None,
    ) -> npt.NDArray[np.float64]:
        """Answer a stimulus.

        Args:
            values: Of every parameter.
            electrode: What it is seen through, but for bridge and offset.
            stimulus: In one of its clamps.
            rate: Sampling rate [kHz].
            rng: Source of randomness.
            injected: What a dynamic clamp adds, where there is room for it.

        Returns:
            Response, shape (n,) [mV or pA].
        """
        cell = self.make(electrode)
        names = [parameter.name for parameter in cell.parameters]
        if _RIG[0] not in names:
            cell = self.make(replace(electrode, **{name: values[name] for name in _RIG}))
        if injected is not None and isinstance(cell, Cortical):
            cell.injected = injected
        return np.asarray(cell.simulate(np.array([[values[name] for name in names]]), stimulus, rate, rng)[0])


CELLS: Mapping[str, SimulatedCell] = MappingProxyType(
    {
        "cortical": SimulatedCell(
            lambda electrode: Cortical(electrode=electrode),
            Cortical.parameters,
            MappingProxyType(
                {
                    "C": 90.0,
                    "g_leak": 0.06,
                    "g_Na": 55.0,
                    "g_K": 6.0,
                    "g_M": 0.08,
                    "tau_max": 800.0,
                    "V_T": -56.0,
                    "E_leak": -70.0,
                    "rate_factor": 0.9,
                    "noise": 0.03,
                    "bridge": 1.5,
                    "offset": 0.5,
                }
            ),
            room=1,
        ),
        "patchseq": SimulatedCell(
            lambda electrode: PatchSeq(electrode),
            (*PatchSeq.parameters, *Cortical.parameters[-2:]),
            MappingProxyType(
                {
                    "C": 1.7,
                    "R_in": 170.0,
                    "tau": 20.0,
                    "g_Nat": 120.0,
                    "g_Na": 25.0,
                    "g_Kd": 12.0,
                    "g_M": 0.25,
                    "g_Kv31": 25.0,
                    "g_L": 0.4,
                    "E_leak": -73.0,
                    "tau_max": 2500.0,
                    "V_T": -64.0,
                    "r_SS": 0.55,
                    "bridge": 1.5,
                    "offset": 0.5,
                }
            ),
        ),
    }
)
"""A regular-spiking neuron of each process, by the process's name."""


def added(clamp: DynamicClamp | None) -> Injected | None:
    """Give what a simulated dynamic clamp injects, with a delay of 0.1 ms and 20 cycles a millisecond.

    Args:
        clamp: Of one conductance, or None.

    Returns:
        As the simulators take it, or None.
    """
    if clamp is None or not clamp.conductances:
        return None
    (one,) = clamp.conductances
    return Injected(one.gates, one.reversal, one.maximum, clip=clamp.clip)
