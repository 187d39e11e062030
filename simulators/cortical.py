"""This file is the cortical simulator: the Pospischil cell behind an electrode, one stimulus for a batch of cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from simulators.batch import record
from simulators.electrode import KNOBS
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.stimulus import Stimulus

__all__ = ["Cortical"]

_FREE = tuple(name for name in KNOBS if name not in ("bridge", "offset", "corner", "white"))
_SIGNED = ("hum_phase", "drift", "junction")


class Cortical(Patched):
    """A regular- or fast-spiking cortical neuron of one compartment.

    Currents: sodium, delayed-rectifier potassium, slow potassium (M) and leak; capacitance 1 uF/cm2, so that a
    current in pA over C in pF is one in uA/cm2.

    Args:
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        corner: Corner of the amplifier's low-pass [kHz].
        white: White noise behind it in current clamp [mV rms].
        series_resistance: Between the amplifier and the membrane, in voltage clamp [MOhm].
        white_current: White noise behind the low-pass in voltage clamp [pA rms].
        knobs: More of the electrode, by the names in `simulators.electrode.KNOBS`; what is left out is off. The phase
            of a hum is drawn for each cell unless it is given. They act in current clamp without doses only.

    Raises:
        ValueError: If the series resistance is not positive, or a knob is unknown, a parameter of the cell or an
            argument of its own, or its value unusable; on simulating, if knobs meet a voltage clamp or a dose.

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
        corner: float = 6.0,
        white: float = 0.05,
        series_resistance: float = 10.0,
        white_current: float = 2.0,
        knobs: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(corner, white, series_resistance, white_current)
        self.E_Na, self.E_K = E_Na, E_K
        self.knobs = {"hum_frequency": 50.0, **(knobs or {})}
        for name, value in self.knobs.items():
            if name not in _FREE:
                raise ValueError(f"Electrode has no free knob {name!r}; one of {', '.join(_FREE)} was wanted.")
            if not np.isfinite(value) or (value < 0 and name not in _SIGNED):
                wanted = "a finite number" if name in _SIGNED else "a finite number from 0"
                raise ValueError(f"Knob {name} of the electrode is {value:g}, {wanted} was wanted.")

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        if stimulus.clamp == "voltage" or any(epoch.doses for epoch in stimulus.epochs):
            on = [name for name, value in self.knobs.items() if value and name not in ("hum_frequency", "hum_phase")]
            if on:
                raise ValueError(
                    f"Knob {on[0]} of the electrode acts in current clamp without doses only; turn it off, or leave "
                    "out the voltage clamp and the doses."
                )
            cells = np.pad(self.courses(theta, stimulus)[:, :, :10], ((0, 0), (0, 0), (0, 5)))
            reversals = np.tile([self.E_Na, self.E_K, 0.0, 0.0], (len(theta), 1))
            return self._follow(cells, reversals, theta[:, 10:12], stimulus, rate, rng)
        b = len(theta)
        reversals = np.tile([self.E_Na, self.E_K], (b, 1))
        electrodes = np.zeros((b, len(KNOBS)))
        electrodes[:, 0], electrodes[:, 1] = theta[:, 10], theta[:, 11]
        electrodes[:, 2], electrodes[:, 3] = self.corner, self.white
        for name, value in self.knobs.items():
            electrodes[:, KNOBS.index(name)] = value
        if self.knobs.get("hum") and "hum_phase" not in self.knobs:
            # The mains do not wait for a sweep.
            electrodes[:, KNOBS.index("hum_phase")] = rng.uniform(0.0, 2.0 * np.pi, b)
        ends = np.tile(np.cumsum([epoch.duration for epoch in stimulus.epochs]), (b, 1))
        levels = np.tile([epoch.level for epoch in stimulus.epochs], (b, 1))
        samples, counts = record(theta[:, :10], reversals, electrodes, ends, levels, np.zeros(b), np.full(b, rate), rng)
        return samples[:, : counts[0]].astype(np.float64)
