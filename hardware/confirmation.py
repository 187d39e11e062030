"""This file is the confirmation: a small pulse whose answer has to fit current clamp before any step is put out.

Where no amplifier tells its mode, nobody but the cell can: in voltage clamp the same volts at the command input are a
step of voltage, and the answer is a current that jumps and falls back instead of a voltage that charges.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hardware.membrane import Membrane, membrane
from hardware.pulse import Pulse
from hardware.rig import Rig, RigError

__all__ = ["confirm", "misfit"]

_LARGEST, _LEAST = 20.0, 5.0
_ATTEMPTS = 2
_VOLTAGES = (-120.0, 30.0)
_EXTREME = 150.0
_RESISTANCES = (10.0, 5000.0)
_TAUS = (0.5, 140.0)

_REMEDY = (
    "so no step is put out; put the amplifier into current clamp with a cell before the pipette, or, where you know "
    'that it is, say so in the rig file: kind = "manual" and mode = "current" in [amplifier].'
)


def confirm(rig: Rig, is_over: Callable[[], bool]) -> Membrane | None:
    """Play two pulses of -20 pA from the exit level, or what the limits leave, and judge the answer.

    One that does not fit is asked for once more, for a cell may have fired just then.

    Args:
        rig: Open, whose amplifier's mode nobody tells.
        is_over: Whether to end.

    Returns:
        What the answer says of the membrane, or None where it was ended before.

    Raises:
        RigError: If the answer is not that of a cell in current clamp, or the limits leave no room for a pulse.
    """
    pulse = Pulse("current", _size(rig), 50.0, 150.0, 250.0, 2, rig.exit_level)
    stimulus = pulse.stimulus()
    reason: str | None = None
    for _ in range(_ATTEMPTS):
        parts = []
        for block in rig.play(stimulus):
            parts.append(block.whole.response)
            if is_over():
                rig.stop()
        response = np.concatenate(parts) if parts else np.empty(0)
        if is_over() or response.size < stimulus.samples(rig.rate):
            return None
        corrected = response - (rig.origin.junction.potential or 0.0)
        reason = misfit(pulse, corrected, rig.rate)
        if reason is None:
            return membrane(pulse, corrected, rig.rate)
    raise RigError(f"A test pulse of {pulse.size:g} pA did not confirm current clamp: {reason}, {_REMEDY}")


def misfit(pulse: Pulse, response: npt.NDArray[np.float64], rate: float) -> str | None:
    """Say why an answer is not that of a cell in current clamp.

    Args:
        pulse: Of current.
        response: As if it were a voltage, shape (n,) [mV].
        rate: Sampling rate [kHz].

    Returns:
        Half a sentence, or None where it is.
    """
    if not np.isfinite(response).all():
        return "samples of the answer were lost"
    extreme = float(response[np.argmax(np.abs(response))])
    if abs(extreme) > _EXTREME:
        return f"the answer reaches {extreme:.0f} mV, so that input is saturated, not connected, or its scale is wrong"
    if np.ptp(response) == 0.0:
        return f"the answer stands still at {extreme:.1f} mV, so that input is not connected or saturated"
    said = membrane(pulse, response, rate)
    if said.resistance < 0.0 and not math.isnan(said.tau):
        return "the answer jumps and falls back as a current does, which looks like voltage clamp"
    if not _VOLTAGES[0] <= said.potential <= _VOLTAGES[1]:
        return f"the voltage before it is {said.potential:.0f} mV, {_VOLTAGES[0]:g} to {_VOLTAGES[1]:g} mV was wanted"
    steady = said.resistance if math.isnan(said.access) else said.total
    if not steady >= _RESISTANCES[0]:
        return (
            f"the answer is that of {steady:.0f} MOhm at {round(said.potential)} mV, {_RESISTANCES[0]:g} at least were "
            "wanted, which looks like no cell, I = 0, voltage clamp, or a command that is not connected"
        )
    if math.isnan(said.tau):
        return (
            "the answer does not charge as a membrane does, which looks like voltage clamp or a pipette without a cell"
        )
    if not (said.resistance <= _RESISTANCES[1] and _TAUS[0] <= said.tau <= _TAUS[1]):
        return (
            f"the answer is that of {said.resistance:.0f} MOhm and {said.tau:.1f} ms, at most {_RESISTANCES[1]:g} MOhm "
            f"and {_TAUS[0]:g} to {_TAUS[1]:g} ms were wanted of a cell"
        )
    return None


def _size(rig: Rig) -> float:
    """Choose the pulse that the limits allow, down where there is room [pA]."""
    down, up = rig.exit_level - rig.limits.low, rig.limits.high - rig.exit_level
    if down >= _LEAST:
        return -min(_LARGEST, down)
    if up >= _LEAST:
        return min(_LARGEST, up)
    raise RigError(
        f"The limits of {rig.limits.low:g} to {rig.limits.high:g} pA leave no room for a test pulse of {_LEAST:g} pA "
        f"from {rig.exit_level:g} pA, by which the clamp mode is confirmed: widen [limits], or say the mode in "
        "[amplifier]."
    )
