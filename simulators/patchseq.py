"""This file is the Patch-seq cell: the 13-parameter neocortical neuron that links ion channels to their genes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.electrode import Electrode
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.patchseq_batch import baths, record
from simulators.stimulus import Stimulus

__all__ = ["PatchSeq"]

_Array = npt.NDArray[np.float64]


class PatchSeq(Patched):
    """A neocortical neuron of one compartment behind an electrode, in current clamp or in voltage clamp.

    Currents: the transient sodium and Kv3.1 of Hay et al., sodium, delayed rectifier, M and L-type calcium of
    Pospischil et al., and a leak. Input resistance and membrane time constant are those of the leak alone; the
    membrane's area is tau / (C R_in). As published, Hay's rates carry 2.3^((T - 21)/10) and Pospischil's
    2.3^((T - 36)/10), their sodium and delayed rectifier divided by r_SS; the calcium current has no factor. The
    parameters' bounds are the published prior.

    Where the membrane follows a step of the voltage command at once, the gates lag it by 0.0125 ms.

    Args:
        electrode: What the cell is seen through.
        temperature: Of the bath [degrees C].
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        E_Ca: Calcium reversal potential [mV].
        noise: Current noise of the membrane; the published 10 pA a step of 0.04 ms [pA ms^0.5].

    References:
        Bernaerts et al. (2025), Patterns 6, 101323. https://doi.org/10.1016/j.patter.2025.101323
        Hay et al. (2011), PLoS Comput. Biol. 7, e1002107. https://doi.org/10.1371/journal.pcbi.1002107
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """

    parameters = (
        Parameter("C", "uF/cm2", 0.1, 15.0),
        Parameter("R_in", "MOhm", 20.0, 1000.0),
        Parameter("tau", "ms", 0.1, 70.0),
        Parameter("g_Nat", "mS/cm2", 0.0, 250.0),
        Parameter("g_Na", "mS/cm2", 0.0, 100.0),
        Parameter("g_Kd", "mS/cm2", 0.0, 30.0),
        Parameter("g_M", "mS/cm2", 0.0, 3.0),
        Parameter("g_Kv31", "mS/cm2", 0.0, 250.0),
        Parameter("g_L", "mS/cm2", 0.0, 3.0),
        Parameter("E_leak", "mV", -130.0, -50.0),
        Parameter("tau_max", "ms", 50.0, 4000.0),
        Parameter("V_T", "mV", -90.0, -35.0),
        Parameter("r_SS", "1", 0.1, 3.0, meaning="Slows Pospischil's sodium and delayed rectifier."),
    )
    conductances = ("g_Nat", "g_Na", "g_Kd", "g_M", "g_Kv31", "g_L")

    def __init__(
        self,
        electrode: Electrode = Electrode(),
        temperature: float = 25.0,
        E_Na: float = 69.0,
        E_K: float = -98.4,
        E_Ca: float = 127.2,
        noise: float = 2.0,
    ) -> None:
        super().__init__(electrode)
        self.temperature, self.noise = temperature, noise
        self.E_Na, self.E_K, self.E_Ca = E_Na, E_K, E_Ca

    def _simulate(self, theta: _Array, stimulus: Stimulus, rate: float, rng: np.random.Generator) -> _Array:
        b, clamped = len(theta), stimulus.clamp == "voltage"
        # mV through MOhm are nA, so that 1000/MOhm is in nS.
        pipette = 1000.0 / self.electrode.series if clamped else 0.0
        reversals = np.tile([self.E_Na, self.E_K, self.E_Ca], (b, 1))
        bath = baths(reversals, np.full(b, self.temperature), np.full(b, self.noise), pipette)
        courses = self.courses(theta, stimulus)
        samples, _ = record(courses, bath, *self._wired(stimulus, b, rng), np.full(b, rate), rng)
        response = samples.astype(np.float64)
        return np.where(np.isfinite(response), response, np.nan)
