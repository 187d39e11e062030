"""This file is the cortical simulator: the Pospischil cell behind an electrode, one stimulus for a batch of cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.batch import record
from simulators.electrode import Electrode
from simulators.injected import Injected
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.stimulus import Stimulus

__all__ = ["Cortical"]


class Cortical(Patched):
    """A regular- or fast-spiking cortical neuron of one compartment.

    Currents: sodium, delayed-rectifier potassium, slow potassium (M) and leak; capacitance 1 uF/cm2, so that a
    current in pA over C in pF is one in uA/cm2.

    Args:
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        electrode: What the cell is seen through; a cell's own bridge error and offset come on top of its.
        injected: What a dynamic clamp adds during each sweep in current clamp, or None.

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """

    parameters = (
        Parameter("C", "pF", 5.0, 1000.0, "log"),
        Parameter("g_leak", "mS/cm2", 1e-4, 3.0, "log"),
        Parameter("g_Na", "mS/cm2", 0.0, 200.0),
        Parameter("g_K", "mS/cm2", 0.0, 60.0),
        Parameter("g_M", "mS/cm2", 0.0, 3.0),
        Parameter("tau_max", "ms", 20.0, 6000.0, "log"),
        Parameter("V_T", "mV", -95.0, -30.0),
        Parameter("E_leak", "mV", -130.0, -30.0),
        Parameter("rate_factor", "1", 0.05, 4.0, "log"),
        Parameter("noise", "uA/cm2 ms^0.5", 0.0, 2.0),
        Parameter("bridge", "MOhm", -60.0, 60.0, "normal"),
        Parameter("offset", "mV", -40.0, 40.0, "normal"),
    )

    conductances = ("g_leak", "g_Na", "g_K", "g_M")

    def __init__(
        self,
        E_Na: float = 55.0,
        E_K: float = -93.0,
        electrode: Electrode = Electrode(),
        injected: Injected | None = None,
    ) -> None:
        super().__init__(electrode)
        self.E_Na, self.E_K, self.injected = E_Na, E_K, injected

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        b = len(theta)
        changes = stimulus.clamp == "voltage" or any(epoch.doses for epoch in stimulus.epochs)
        if changes and self.injected is not None:
            raise ValueError(
                "A conductance is injected in current clamp and without doses; one or the other was wanted."
            )
        if changes:
            cells = np.pad(self.courses(theta, stimulus)[:, :, :10], ((0, 0), (0, 0), (0, 7)))
            reversals = np.tile([self.E_Na, self.E_K, 0.0, 0.0], (b, 1))
            return self._follow(cells, reversals, theta[:, 10:12], stimulus, rate, rng)
        reversals = np.tile([self.E_Na, self.E_K], (b, 1))
        electrodes, ends, levels = self._wired(stimulus, b, rng, *theta[:, 10:12].T)
        seen = (electrodes, ends, levels, np.zeros(b), np.full(b, rate))
        samples, counts = record(theta[:, :10], reversals, *seen, rng, injected=self.injected)
        return samples[:, : counts[0]].astype(np.float64)
