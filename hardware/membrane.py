"""This file is the membrane: access resistance, input resistance, capacitance and holding, as a test pulse tells them.

In voltage clamp the current settles with `tau = C (access || input)`. How far it jumped is taken from the charge under
the settling and not from its peak, for a low-pass filter moves and lowers the peak and leaves the charge. In current
clamp the voltage settles with `tau = C input`; the exponential, drawn back to the onset, leaves what the access
resistance drops at once, which is what the bridge has not balanced.

References:
    Sakmann and Neher (1995), Single-Channel Recording, 2nd ed., Plenum, chapters 1 and 2.
        https://doi.org/10.1007/978-1-4419-1229-9
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.pulse import Pulse
from hardware.relaxation import Relaxation, relax
from simulators.stimulus import Clamp

__all__ = ["Membrane", "membrane"]

_Array = npt.NDArray[np.float64]

_FILTERED = 0.15
"""Of the beginning, what the amplifier's filter and the pipette's own capacitance make is not fitted; what settles
faster is not a membrane's that could be told from them [ms]."""

_BESSEL = 0.336
"""Delay of a four-pole Bessel filter, times its corner."""

_BELIEVED = 0.15
"""Share of the variance below which there is no exponential: a pipette in the bath, or a seal."""

_LAST = 0.2
"""Share of the pulse over which its steady state is averaged."""


@dataclass(frozen=True)
class Membrane:
    """What a test pulse says; NaN where it can't.

    Args:
        clamp: In which it was asked.
        access: Series resistance between amplifier and cell [MOhm]; in current clamp, what the bridge takes off and
            what it leaves.
        resistance: Of the membrane [MOhm].
        capacitance: Of the membrane [pF].
        tau: Time constant of the settling [ms].
        holding: Current at rest in voltage clamp, command at rest in current clamp [pA].
        potential: Command at rest in voltage clamp, voltage at rest in current clamp [mV].
        explained: Share of the settling's variance that one exponential explains.
    """

    clamp: Clamp
    access: float
    resistance: float
    capacitance: float
    tau: float
    holding: float
    potential: float
    explained: float

    @property
    def total(self) -> float:
        """Resistance that a pipette in the bath or a seal shows: access and membrane one after the other [MOhm]."""
        return self.access + self.resistance


def membrane(
    pulse: Pulse, response: npt.NDArray[np.float64], rate: float, *, bridge: float = 0.0, corner: float = 0.0
) -> Membrane:
    """Read a test.

    Args:
        pulse: That was played.
        response: What came back, shape (n,) [pA in voltage clamp, mV in current clamp].
        rate: Sampling rate [kHz].
        bridge: Resistance that the bridge takes off in current clamp, which is added to what is left [MOhm].
        corner: Corner of the amplifier's low-pass, whose delay is taken off; 0 for none [kHz].

    Returns:
        What it says. Without an exponential, which is so of a pipette in the bath and of a seal, `resistance` is all
        that lies between pipette and ground, and access, capacitance and time constant are NaN.

    Raises:
        PulseError: If the response is shorter than the pulses.
    """
    trace = pulse.averaged(np.asarray(response, dtype=np.float64), rate)
    onset, end = round(pulse.before * rate), round((pulse.before + pulse.duration) * rate)
    first = onset + max(1, math.ceil(_FILTERED * rate))
    rest = float(trace[:onset].mean()) if onset else math.nan
    settling = trace[first:end]
    fit = relax(settling, rate)
    steady = float(trace[end - max(1, round(_LAST * (end - onset))) : end].mean())
    if fit is None or fit.explained < _BELIEVED or not _FILTERED <= fit.tau <= pulse.duration:
        return _unsettled(pulse, rest, steady, 0.0 if fit is None else fit.explained)
    delay = _BESSEL / corner if corner else 0.0
    if pulse.clamp == "voltage":
        return _clamped(pulse, trace[onset:end], rate, delay, rest, fit)
    return _unclamped(pulse, rest, fit, (first - onset) / rate - delay, bridge)


def _clamped(pulse: Pulse, trace: _Array, rate: float, delay: float, rest: float, fit: Relaxation) -> Membrane:
    """Read the current of a step of voltage; mV over pA are GOhm."""
    change = fit.final - rest
    above = trace - fit.final
    # By trapezoids; while the filter holds the answer back, it is not yet there that it settles to.
    charge = float(above.sum() - (above[0] + above[-1]) / 2.0) / rate + delay * change
    jump = charge / fit.tau + change
    total = 1e3 * pulse.size / change if change else math.inf
    access = 1e3 * pulse.size / jump if jump else math.inf
    resistance = total - access
    sound = access > 0.0 and resistance > 0.0
    capacitance = 1e3 * fit.tau * (1.0 / access + 1.0 / resistance) if sound else math.nan
    if not sound:
        access = math.nan
        resistance = total
    return Membrane("voltage", access, resistance, capacitance, fit.tau, rest, pulse.holding, fit.explained)


def _unclamped(pulse: Pulse, rest: float, fit: Relaxation, since: float, bridge: float) -> Membrane:
    """Read the voltage of a step of current; mV over pA are GOhm."""
    begun = fit.final + fit.size * math.exp(since / fit.tau)
    resistance = 1e3 * (fit.final - begun) / pulse.size
    access = 1e3 * (begun - rest) / pulse.size + bridge
    capacitance = 1e3 * fit.tau / resistance if resistance > 0.0 else math.nan
    return Membrane("current", access, resistance, capacitance, fit.tau, pulse.holding, rest, fit.explained)


def _unsettled(pulse: Pulse, rest: float, steady: float, explained: float) -> Membrane:
    """Read what has no exponential by Ohm's law alone."""
    change = steady - rest
    voltage, current = (pulse.size, change) if pulse.clamp == "voltage" else (change, pulse.size)
    resistance = 1e3 * voltage / current if current else math.inf
    holding, potential = (rest, pulse.holding) if pulse.clamp == "voltage" else (pulse.holding, rest)
    return Membrane(pulse.clamp, math.nan, resistance, math.nan, math.nan, holding, potential, explained)
