"""This file is the firing type: regular and fast spiking, bursting and low-threshold spiking cells by name."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from simulators.compartments import DENDRITE, HIGH_THRESHOLD, LOW_THRESHOLD, SAG
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.stimulus import Stimulus

__all__ = ["Bursting", "FastSpiking", "FiringType", "LowThresholdSpiking", "RegularSpiking"]

_CELL = (*Cortical.parameters, Parameter("E_Na", "mV", 40.0, 70.0), Parameter("E_K", "mV", -110.0, -70.0))
_L = Parameter("g_L", "mS/cm2", 0.0, 2.0, "linear", "Calcium conductance of high threshold")
_T = Parameter("g_T", "mS/cm2", 0.0, 5.0, "linear", "Calcium conductance of low threshold")
_SAG = Parameter("g_h", "mS/cm2", 0.0, 1.0, "linear", "Conductance that hyperpolarization opens")
_DENDRITE = (
    Parameter("dendrite_ratio", "1", 0.1, 10.0, "log", "Capacitance of the dendrite over that of the soma"),
    Parameter("coupling", "nS", 0.0, 200.0, "linear", "Conductance between soma and dendrite"),
)
_COLUMNS = ("g_L", "g_T", "g_h", "dendrite_ratio", "coupling")


class FiringType(Patched):
    """A cortical neuron of one of the types of Pospischil et al.; the subclasses name what is in its membrane.

    The first twelve parameters are the cortical cell's; E_Na and E_K are free. `rate_factor` scales all kinetics, the
    calcium and h-currents' too. A dendrite has the soma's densities of capacitance, leak and leak reversal, and C is
    the soma's. The two charge as the closed form says to 0.005 mV up to 60 nS between 60 pF and 20 pF; at the corner of
    200 nS between 5 pF and 0.5 pF, where the coupling is ten times faster than a time step, they lag by 5 % of the way.

    Args:
        sag: With an h-current.
        dendrite: With a passive dendrite.
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
        electrode: Electrode = Electrode(),
        E_Ca: float = 120.25,
        E_h: float = -40.0,
    ) -> None:
        super().__init__(electrode)
        self.E_Ca, self.E_h = E_Ca, E_h
        self.parameters = _CELL + self.calcium + (_SAG,) * sag + _DENDRITE * dendrite
        names = [parameter.name for parameter in self.parameters]
        self.conductances = tuple(name for name in names if name.startswith("g_"))
        flags = {"g_L": HIGH_THRESHOLD, "g_T": LOW_THRESHOLD, "g_h": SAG, "coupling": DENDRITE}
        self._has = sum(flag for name, flag in flags.items() if name in names)

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        names = [parameter.name for parameter in self.parameters]
        courses = self.courses(theta, stimulus)
        cells = np.zeros((*courses.shape[:2], 15))
        cells[:, :, :10] = courses[:, :, :10]
        for k, name in enumerate(_COLUMNS, 10):
            if name in names:
                cells[:, :, k] = courses[:, :, names.index(name)]
        reversals = np.tile([0.0, 0.0, self.E_Ca, self.E_h], (len(theta), 1))
        reversals[:, :2] = theta[:, 12:14]
        return self._follow(cells, reversals, theta[:, 10:12], stimulus, rate, rng, self._has)


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
