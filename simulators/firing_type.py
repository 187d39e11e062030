"""This file is the firing type: regular and fast spiking, bursting and low-threshold spiking cells by name."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.stimulus import Stimulus
from simulators.wide_cell import ACCESSORIES, E_H, columns

__all__ = ["Bursting", "FastSpiking", "FiringType", "LowThresholdSpiking", "RegularSpiking"]

_CELL = (*Cortical.parameters, Parameter("E_Na", "mV", 40.0, 70.0), Parameter("E_K", "mV", -110.0, -70.0))
_L = Parameter("g_L", "mS/cm2", 0.0, 2.0, "linear", "Calcium conductance of high threshold")
_T = Parameter("g_T", "mS/cm2", 0.0, 5.0, "linear", "Calcium conductance of low threshold")


class FiringType(Patched):
    """A cortical neuron of one of the types of Pospischil et al.; the subclasses name what is in its membrane.

    The first twelve parameters are the cortical cell's; E_Na and E_K are free. `rate_factor` scales all kinetics, the
    calcium and h-currents' too. A dendrite has the soma's densities of capacitance, leak and leak reversal, and C is
    the soma's. The two charge as the closed form says to 0.005 mV up to 60 nS between 60 pF and 20 pF; at the corner of
    200 nS between 5 pF and 0.5 pF, where the coupling is ten times faster than a time step, they lag by 5 % of the way.

    Args:
        sag: With an h-current.
        dendrite: With a passive dendrite.
        slow: With slow inactivation of a share of its sodium channels.
        kv3: With a fast potassium current of high threshold.
        electrode: What the cell is seen through; a cell's own bridge error and offset come on top of its.
        E_Ca: Calcium reversal potential, Nernst's at 36 degrees of 2 mM and 0.24 uM [mV].
        E_h: Reversal potential of the h-current [mV].

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """

    calcium: ClassVar[tuple[Parameter, ...]] = ()
    """Its calcium conductances."""

    def __init__(
        self,
        sag: bool = False,
        dendrite: bool = False,
        slow: bool = False,
        kv3: bool = False,
        electrode: Electrode = Electrode(),
        E_Ca: float = 120.25,
        E_h: float = E_H,
    ) -> None:
        super().__init__(electrode)
        self.E_Ca, self.E_h = E_Ca, E_h
        there = {"g_h": sag, "slow_share": slow, "g_Kv3": kv3, "dendrite_ratio": dendrite, "coupling": dendrite}
        self.parameters = _CELL + self.calcium + tuple(p for p in ACCESSORIES if there[p.name])
        self.conductances = tuple(p.name for p in self.parameters if p.name.startswith("g_"))

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        cells, has = columns(self.courses(theta, stimulus), [parameter.name for parameter in self.parameters])
        reversals = np.tile([0.0, 0.0, self.E_Ca, self.E_h], (len(theta), 1))
        reversals[:, :2] = theta[:, 12:14]
        return self._follow(cells, reversals, theta[:, 10:12], stimulus, rate, rng, has)


class RegularSpiking(FiringType):
    """Tonic, slowing down by its M-current: the most frequent pyramidal cell."""


class FastSpiking(FiringType):
    """Tonic without slowing down, for its g_M is none: an interneuron."""


class Bursting(FiringType):
    """Intrinsically bursting, by a calcium current of high threshold (L)."""

    calcium = (_L,)


class LowThresholdSpiking(FiringType):
    """Answers the end of a hyperpolarization with a burst, by a calcium current of low threshold (T)."""

    calcium = (_T,)
