"""This file is the AdEx cell: adaptive exponential integrate-and-fire, which fires in patterns without channels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.adex_batch import record
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.stimulus import Clamp, Stimulus

__all__ = ["AdEx"]


class AdEx(Patched):
    """An adaptive exponential integrate-and-fire neuron behind an electrode, in current clamp.

    A spike is drawn up to 0 mV, where V is set back to V_r and w grows by b; the first sample at or behind a spike
    holds this peak of 0 mV, and every other sample lies below it. The subthreshold adaptation a is given relative to
    the leak, which decides alone whether a cell has a rest (a > -1) and how it loses it. A dose on the leak leaves a
    in nS and the spike current as they were. V is held above -1000 mV, for a cell whose a takes more than its leak
    gives runs away downwards.

    It has no voltage clamp: its spike current grows without bound as the command rises above V_T, and a reset is no
    current at all, so that beyond its leak there is nothing that a clamp could measure. Without a low-pass, what holds
    a spike is its peak with the electrode's noise; a low-pass takes the peak for what it is, a pulse of 0.025 ms, and
    leaves little of it.

    Args:
        electrode: What the cell is seen through.

    References:
        Brette and Gerstner (2005), J. Neurophysiol. 94, 3637-3642. https://doi.org/10.1152/jn.00686.2005
        Naud, Marcille, Clopath and Gerstner (2008), Biol. Cybern. 99, 335-347.
        https://doi.org/10.1007/s00422-008-0264-7
    """

    parameters = (
        Parameter("C", "pF", 20.0, 1000.0, "log"),
        Parameter("g_leak", "nS", 1.0, 100.0, "log"),
        Parameter("E_leak", "mV", -90.0, -55.0),
        Parameter("V_T", "mV", -55.0, -30.0, meaning="Where the spike current alone balances the leak's slope."),
        Parameter("Delta_T", "mV", 0.5, 5.0, "log", "Sharpness of the spike's onset."),
        Parameter("a", "g_leak", -1.0, 10.0, meaning="Adaptation per voltage, relative to the leak."),
        Parameter("tau_w", "ms", 5.0, 1000.0, "log", "Time constant of the adaptation."),
        Parameter("b", "pA", 0.0, 250.0, meaning="What a spike adds to the adaptation."),
        Parameter("V_r", "mV", -80.0, -40.0, meaning="Where a spike leaves the cell."),
        Parameter("noise", "pA ms^0.5", 0.0, 20.0),
    )
    clamps: tuple[Clamp, ...] = ("current",)
    conductances = ("g_leak",)

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        b = len(theta)
        leaks = self.courses(theta, stimulus)[:, :, 1]
        samples, _ = record(theta, leaks, *self._wired(stimulus, b, rng), np.full(b, rate), rng)
        return samples.astype(np.float64)
