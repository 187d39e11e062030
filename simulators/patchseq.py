"""This file is the Patch-seq cell: the 13-parameter neocortical neuron that links ion channels to their genes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.patchseq_batch import record
from simulators.simulator import Simulator
from simulators.stimulus import Clamp, Stimulus

__all__ = ["PatchSeq"]

_Array = npt.NDArray[np.float64]
_Q10 = 2.3


class PatchSeq(Simulator):
    """A neocortical neuron of one compartment, in current clamp behind an electrode, or in voltage clamp.

    Currents: the transient sodium and Kv3.1 of Hay et al., sodium, delayed rectifier, M and L-type calcium of
    Pospischil et al., and a leak. Input resistance and membrane time constant are those of the leak alone; the
    membrane's area is tau / (C R_in). As published, Hay's rates carry 2.3^((T - 21)/10) and Pospischil's
    2.3^((T - 36)/10), their sodium and delayed rectifier divided by r_SS; the calcium current has no factor. The
    parameters' bounds are the published prior.

    In voltage clamp the answer is the current through the pipette's series resistance, without an electrode; where the
    membrane follows a step of the command at once, the gates lag it by 0.0125 ms.

    Args:
        series: Series resistance of the pipette, which only voltage clamp sees [MOhm].
        temperature: Of the bath [degrees C].
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        E_Ca: Calcium reversal potential [mV].
        noise: Current noise of the membrane; the published 10 pA a step of 0.04 ms [pA ms^0.5].
        bridge: Bridge error in current clamp [MOhm].
        corner: Corner of the amplifier's low-pass in current clamp [kHz].
        white: White noise behind it [mV rms].

    Raises:
        ValueError: If the series resistance is not positive.

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
    clamps: tuple[Clamp, ...] = ("current", "voltage")
    conductances = ("g_Nat", "g_Na", "g_Kd", "g_M", "g_Kv31", "g_L")

    def __init__(
        self,
        series: float = 10.0,
        temperature: float = 25.0,
        E_Na: float = 69.0,
        E_K: float = -98.4,
        E_Ca: float = 127.2,
        noise: float = 2.0,
        bridge: float = 0.0,
        corner: float = 6.0,
        white: float = 0.05,
    ) -> None:
        if not (math.isfinite(series) and series > 0):
            raise ValueError(f"Series resistance is {series} MOhm, a positive one was wanted.")
        self.series, self.temperature, self.noise = series, temperature, noise
        self.E_Na, self.E_K, self.E_Ca = E_Na, E_K, E_Ca
        self.bridge, self.corner, self.white = bridge, corner, white

    def _simulate(self, theta: _Array, stimulus: Stimulus, rate: float, rng: np.random.Generator) -> _Array:
        b, clamped = len(theta), stimulus.clamp == "voltage"
        # mV through MOhm are nA, so that 1000/MOhm is in nS.
        pipette = 1000.0 / self.series if clamped else 0.0
        warmth = [_Q10 ** ((self.temperature - own) / 10.0) for own in (21.0, 36.0)]
        bath = np.array([self.E_Na, self.E_K, self.E_Ca, *warmth, self.noise, pipette])
        electrodes = np.zeros((b, 8))
        electrodes[:, 0], electrodes[:, 2], electrodes[:, 3] = self.bridge, self.corner, self.white
        ends = np.cumsum([epoch.duration for epoch in stimulus.epochs])
        levels = np.array([epoch.level for epoch in stimulus.epochs])
        samples, _ = record(
            self.courses(theta, stimulus),
            bath,
            None if clamped else electrodes,
            np.tile(ends, (b, 1)),
            np.tile(levels, (b, 1)),
            np.full(b, rate),
            rng,
        )
        response = samples.astype(np.float64)
        if clamped:
            # A sample belongs to the epoch that its time lies in.
            time = np.arange(response.shape[1]) / rate
            epoch = np.minimum(np.searchsorted(ends, time + 1e-9 / rate, side="right"), len(ends) - 1)
            response = (levels[epoch] - response) * pipette
        return np.where(np.isfinite(response), response, np.nan)
