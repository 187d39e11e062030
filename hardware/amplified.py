"""This file is the amplified scale: what a volt stands for behind an amplifier that tells its gain itself."""

from __future__ import annotations

import math

from hardware.amplifier import AmplifierError, Reading, Setting
from hardware.gain import Gain
from simulators.stimulus import Clamp

__all__ = ["agreed", "command_gain", "response_gain"]

_UNITS: dict[Clamp, tuple[str, str]] = {"current": ("mV/V", "pA/V"), "voltage": ("pA/V", "mV/V")}
_TOLERANCE = 1e-3
"""What a scale that was typed in may differ by: the positions of a switch lie apart by two and more."""


def response_gain(reading: Reading, clamp: Clamp) -> Gain | None:
    """Say what a volt of the amplifier's scaled output stands for.

    Args:
        reading: How it stands.
        clamp: The mode in which it is.

    Returns:
        In mV/V, in voltage clamp in pA/V, with who says so; None where the amplifier does not tell its gain.

    Raises:
        AmplifierError: If it tells a gain that none can be.
    """
    return _gain("gain", reading.gain, _UNITS[clamp][0], inverse=True)


def command_gain(reading: Reading, clamp: Clamp) -> Gain | None:
    """Say what a volt at the amplifier's command input makes of the cell's command.

    Args:
        reading: How it stands.
        clamp: The mode in which it is.

    Returns:
        In pA/V, in voltage clamp in mV/V, with who says so; None where the amplifier does not tell its sensitivity.

    Raises:
        AmplifierError: If its command input is switched off, or it tells a sensitivity that none can be.
    """
    if reading.sensitivity.value == 0.0:
        raise AmplifierError(
            "The amplifier's command sensitivity is 0: its external command is switched off, so that no stimulus would "
            "reach the cell; switch it on."
        )
    return _gain("command sensitivity", reading.sensitivity, _UNITS[clamp][1], inverse=False)


def agreed(place: str, said: Gain | None, told: Gain | None) -> Gain:
    """Settle on one scale where the rig file says one and the amplifier tells one.

    Args:
        place: What is scaled, with its terminal, as a sentence names it.
        said: By the rig file, or None.
        told: By the amplifier, or None.

    Returns:
        What the amplifier tells, where it does.

    Raises:
        AmplifierError: If they differ, or neither is there.
    """
    if told is None:
        if said is None:
            raise AmplifierError(
                f"What a volt of the {place} stands for is known neither from the amplifier nor from the rig file: "
                "write the scale there, in place of gain = 'telegraph'."
            )
        return said
    if said is not None and not math.isclose(said.value, told.value, rel_tol=_TOLERANCE):
        raise AmplifierError(
            f"The rig file says {said} for the {place}, and as the amplifier stands it is {told} ({told.source}): turn "
            "the amplifier, mend the rig file, or write gain = 'telegraph' there to follow the amplifier."
        )
    return told


def _gain(name: str, setting: Setting[float], unit: str, *, inverse: bool) -> Gain | None:
    value = setting.value
    if value is None:
        return None
    if value <= 0:
        raise AmplifierError(f"The amplifier tells a {name} of {value:g}, a positive one was wanted: see to it.")
    return Gain(1e3 / value if inverse else value, unit, setting.source)
