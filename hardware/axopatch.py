"""This file is the Axopatch 200B: an amplifier that tells its switches by voltages on extra channels.

The telegraph of the mode stands at 4, 6, 3, 2 and 1 V, that of the capacitance dial at 0.1 V/pF (headstage gain 1)
and below zero where the dial is switched off, that of the gain at 0.5 V a position and that of the low-pass at 2 V a
position. Neither bridge, holding nor neutralization is told: they stay unknown.

References:
    Axon Instruments (1999), Axopatch 200B Patch Clamp Theory and Operation, pp. 62, 66 and 113-115: command inputs,
    mode, capacitance, output gains. Campagnola et al. (2014), ACQ4, Front. Neuroinform. 8, 3,
    https://doi.org/10.3389/fninf.2014.00003, whose AxoPatch200 device has the positions of gain and filter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from hardware.amplifier import Amplifier, AmplifierError, Mode, Reading, Setting

__all__ = ["CHANNELS", "Axopatch200B"]

CHANNELS = ("mode", "gain", "filter", "capacitance")
"""The telegraphs, of which the first two are needed."""

_MODES: Mapping[float, Mode] = {6.0: "voltage", 4.0: "voltage", 3.0: "zero", 2.0: "current", 1.0: "current"}
_TRACK = 4.0
# Times the headstage gain in voltage clamp; the lower four belong to a headstage gain of 0.1 and to voltage clamp only.
_GAINS: Mapping[float, float] = dict(
    zip(
        (0.5 * k for k in range(1, 14)),
        (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0),
        strict=True,
    )
)
_LOWEST_IN_CURRENT_CLAMP = 0.5
_CORNERS: Mapping[float, float] = {2.0: 1.0, 4.0: 2.0, 6.0: 5.0, 8.0: 10.0, 10.0: 100.0}
_TOLERANCE = {"mode": 0.25, "gain": 0.125, "filter": 0.5}
_PICOFARADS_PER_VOLT = 10.0
_HIGHEST = 10.5  # [V]
_STRAY = 0.01
_CURRENT_SENSITIVITY = 2000.0  # [pA/V] at a headstage gain of 1
_VOLTAGE_SENSITIVITY = 20.0  # [mV/V]
_REAR = 5.0

Volts = Callable[[], Mapping[str, npt.NDArray[np.float64]]]
"""Gives samples of the telegraph channels, shape (n,) each [V], by the names in `CHANNELS`."""


class Axopatch200B(Amplifier):
    """Reads the switches of an Axopatch 200B from its telegraphs.

    Of some milliseconds of samples the median decides, so noise moves nothing; a voltage between two positions is
    refused, since a wrong gain is worse than none, and so are samples of two positions.

    Args:
        volts: Reads the telegraph channels.
        beta: The headstage gain, 1 or 0.1, which no telegraph tells in current clamp.
        is_rear: Whether the command goes to the input at the back, which divides by 10 and not by 50 as that in front.

    Raises:
        AmplifierError: If the headstage gain is another.
    """

    def __init__(self, volts: Volts, beta: float = 1.0, *, is_rear: bool = False) -> None:
        if beta not in (1.0, 0.1):
            raise AmplifierError(f"The headstage gain is {beta:g}, 1 or 0.1 was wanted: read it off the CONFIG switch.")
        self._volts, self._beta, self._is_rear = volts, beta, is_rear

    def _read(self) -> Reading:
        volts = self._volts()
        missing = [name for name in CHANNELS[:2] if name not in volts]
        if missing:
            raise AmplifierError(
                f"The telegraph of the {missing[0]} is not among the channels read ({', '.join(volts) or 'none'}): "
                "connect it and name its channel."
            )
        position = _position("mode", volts["mode"], _MODES)
        mode = _MODES[position]
        if position == _TRACK:
            raise AmplifierError(
                "The Axopatch is in TRACK (4 V at the mode telegraph), where it follows the current slowly and clamps "
                "nothing: switch it to V-CLAMP or I-CLAMP."
            )
        gain = _GAINS[_position("gain", volts["gain"], _GAINS)]
        if mode != "voltage" and gain < _LOWEST_IN_CURRENT_CLAMP:
            raise AmplifierError(
                f"The gain telegraph says {gain:g} in current clamp, where {_LOWEST_IN_CURRENT_CLAMP:g} is the lowest: "
                "check which telegraph is on which channel."
            )
        sensitivity = {"current": _CURRENT_SENSITIVITY / self._beta, "voltage": _VOLTAGE_SENSITIVITY, "zero": 0.0}[mode]
        sensitivity *= _REAR if self._is_rear else 1.0
        entered = mode == "current" or self._is_rear
        corner: Setting[float] = Setting()
        if "filter" in volts:
            corner = Setting(_CORNERS[_position("filter", volts["filter"], _CORNERS)], "telegraph")
        # The dial cancels the cell's capacitance in voltage clamp; in current clamp it does nothing.
        neutralization: Setting[float] = Setting()
        if "capacitance" in volts and mode == "voltage":
            neutralization = Setting(self._capacitance(volts["capacitance"]), "telegraph")
        return Reading(
            mode=Setting(mode, "telegraph"),
            gain=Setting(gain, "telegraph"),
            corner=corner,
            sensitivity=Setting(sensitivity, "rig file" if entered else "telegraph"),
            neutralization=neutralization,
        )

    def _capacitance(self, samples: npt.NDArray[np.float64]) -> float:
        """Read the dial of the cell's capacitance; below zero it is switched off."""
        volts = _median("capacitance", samples)
        return max(0.0, volts) * _PICOFARADS_PER_VOLT / self._beta


def _median(name: str, samples: npt.NDArray[np.float64]) -> float:
    """Give the voltage of a telegraph without its noise; a cable that hangs loose is no telegraph."""
    if samples.ndim != 1 or not samples.size or not np.isfinite(samples).all():
        raise AmplifierError(f"The {name} telegraph gave no finite samples of shape (n,): read its channel again.")
    volts = float(np.median(samples))
    if math.fabs(volts) > _HIGHEST:
        raise AmplifierError(
            f"The {name} telegraph is at {volts:.2f} V, beyond the +-10 V of any position: check its cable and the "
            "channel's range."
        )
    return volts


def _position(name: str, samples: npt.NDArray[np.float64], positions: Mapping[float, object]) -> float:
    """Find the position of a switch, at which (nearly) all samples are."""
    volts = _median(name, samples)
    steps = np.array(list(positions))
    nearest = float(steps[np.argmin(np.abs(steps - volts))])
    if abs(nearest - volts) > _TOLERANCE[name]:
        raise AmplifierError(
            f"The {name} telegraph is at {volts:.2f} V, between its positions (nearest {nearest:g} V +- "
            f"{_TOLERANCE[name]:g} V): check its cable, and that nothing else is on its channel."
        )
    each = steps[np.argmin(np.abs(steps[:, None] - samples), axis=0)]
    if np.mean(each != nearest) > _STRAY:
        raise AmplifierError(f"The {name} telegraph changed while it was read: leave the switch, and read it again.")
    return nearest
