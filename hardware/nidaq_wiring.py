"""This file is the wiring: which terminals of a data acquisition board lead to the amplifier, and what a volt means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from hardware.amplified import agreed, command_gain, response_gain
from hardware.amplifier import Reading
from hardware.rig import Gain, RigError
from hardware.track import RESERVED, is_name
from simulators.stimulus import Clamp

__all__ = ["Input", "Output", "Terminals", "Wiring"]

Terminals = Literal["default", "differential", "rse", "nrse"]
"""How an input is connected; "default" leaves it to the board."""

_UNITS: dict[Clamp, tuple[str, str]] = {"current": ("mV", "pA"), "voltage": ("pA", "mV")}


@dataclass(frozen=True)
class Input:
    """An analog input.

    Args:
        terminal: Its name on the board, for instance "ai0".
        gain: What a volt at the board stands for; "mV/V" for a voltage, "pA/V" for a current. None is told by the
            amplifier.
        span: Largest magnitude that it reads [V].
        terminals: How it is connected.

    Raises:
        RigError: If gain or span are not finite numbers that a channel can have.
    """

    terminal: str
    gain: Gain | None
    span: float = 10.0
    terminals: Terminals = "default"

    def __post_init__(self) -> None:
        _check(self.terminal, self.gain, self.span)

    def scaled(self, volts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn what the board reads into what it stands for.

        Args:
            volts: Shape (n,) [V].

        Returns:
            Shape (n,), in the gain's unit.

        Raises:
            RigError: If the amplifier has not told the gain.
        """
        return volts * _known(self.terminal, self.gain).value


@dataclass(frozen=True)
class Output:
    """An analog output.

    Args:
        terminal: Its name on the board, for instance "ao0".
        gain: What a volt from the board makes the amplifier inject, "pA/V", or command, "mV/V". None is told by the
            amplifier.
        span: Largest magnitude that it puts out [V].

    Raises:
        RigError: If gain or span are not finite numbers that a channel can have.
    """

    terminal: str
    gain: Gain | None
    span: float = 10.0

    def __post_init__(self) -> None:
        _check(self.terminal, self.gain, self.span)

    def volts(self, command: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn a command into what the board puts out, within its range.

        Args:
            command: Shape (n,) [pA or mV].

        Returns:
            Shape (n,) [V].

        Raises:
            RigError: If the board's range does not reach so far, or the amplifier has not told the gain.
        """
        gain = _known(self.terminal, self.gain)
        command_volts = command / gain.value
        far = int(np.argmax(np.abs(command_volts)))
        if abs(command_volts[far]) > self.span:
            unit = gain.unit.split("/")[0]
            raise RigError(
                f"{command[far]:g} {unit} need {command_volts[far]:g} V at {self.terminal}, which puts out at most "
                f"{self.span:g} V either way: lower the step, or raise the command sensitivity of the amplifier "
                f"(now {gain}) and in the rig file."
            )
        return np.asarray(command_volts, dtype=np.float64)


@dataclass(frozen=True)
class Wiring:
    """All that lies between a board and an amplifier in one mode.

    Args:
        device: Name of the board, for instance "Dev1".
        output: Where the command goes.
        response: Where the answer of the cell comes from.
        monitor: Where the command comes back as the amplifier measures it, or None where it is not connected.
        others: Further inputs that are read beside these, by the names under which they are recorded.
        telegraphs: Inputs on which the amplifier tells how it stands, by the telegraph's name; read between sweeps.
        clamp: The mode of the amplifier in which these gains hold.
        server: Address of an NI gRPC Device Server, "host:port"; None uses the driver of this computer.

    Raises:
        RigError: If a gain is in a unit of another mode, or a terminal is used twice.
    """

    device: str
    output: Output
    response: Input
    monitor: Input | None = None
    others: Mapping[str, Input] = field(default_factory=dict)
    telegraphs: Mapping[str, Input] = field(default_factory=dict)
    clamp: Clamp = "current"
    server: str | None = None

    def __post_init__(self) -> None:
        response, command = _UNITS[self.clamp]
        known: dict[str, tuple[Input | Output, str]] = {
            "response": (self.response, response),
            "command": (self.output, command),
        }
        if self.monitor is not None:
            known["monitored command"] = (self.monitor, command)
        for name, (channel, unit) in known.items():
            if channel.gain is not None and channel.gain.unit != f"{unit}/V":
                raise RigError(
                    f"The {name} at {channel.terminal} has a gain in {channel.gain.unit}; in {self.clamp} clamp one "
                    f"in {unit}/V was wanted."
                )
        for name, each in self.others.items():
            if name in RESERVED or not is_name(name):
                raise RigError(f"A further channel is called '{name}', which is taken or can't be kept: rename it.")
            _known(each.terminal, each.gain)
        # A telegraph may be recorded beside the rest; what it can't be is the cell, or another telegraph.
        told = [each.terminal for each in self.telegraphs.values()]
        _check_once(self.device, [self.response.terminal, *([self.monitor.terminal] if self.monitor else []), *told])
        _check_once(self.device, [each.terminal for each in self.inputs])

    @property
    def inputs(self) -> tuple[Input, ...]:
        """All inputs in the order in which they are read: response, monitor, others."""
        return (self.response, *((self.monitor,) if self.monitor else ()), *self.others.values())

    def tuned(self, reading: Reading) -> Wiring:
        """Take the scales of the scaled output and the command input from the amplifier.

        Args:
            reading: How it stands, in this clamp.

        Returns:
            The wiring with them; where the amplifier does not tell one, it stays.

        Raises:
            AmplifierError: If the rig file says another, or nobody says any.
        """
        response, output = self.response, self.output
        answer = agreed(f"response at {response.terminal}", response.gain, response_gain(reading, self.clamp))
        command = agreed(f"command at {output.terminal}", output.gain, command_gain(reading, self.clamp))
        return replace(self, response=replace(response, gain=answer), output=replace(output, gain=command))

    @property
    def gains(self) -> dict[str, Gain]:
        """Of all channels, as far as they are known; "output" is that of the command where a monitor brings it back."""
        channels: dict[str, Input | Output] = {"response": self.response, "command": self.monitor or self.output}
        if self.monitor is not None:
            channels["output"] = self.output
        channels |= self.others
        return {name: channel.gain for name, channel in channels.items() if channel.gain is not None}

    @property
    def place(self) -> str:
        """The output as a sentence names it."""
        where = f" on {self.server}" if self.server else ""
        return f"{self.device}/{self.output.terminal}{where}"


def _check_once(device: str, terminals: list[str]) -> None:
    """Refuse an input that would be two things."""
    if twice := {name for name in terminals if terminals.count(name) > 1}:
        raise RigError(f"{', '.join(sorted(twice))} of {device} is wired twice, each input once was wanted.")


def _known(terminal: str, gain: Gain | None) -> Gain:
    """Give a gain that somebody has said."""
    if gain is None:
        raise RigError(
            f"What a volt at {terminal} stands for is left to the amplifier, which has not been asked: add "
            "[amplifier], or write the scale in the rig file."
        )
    return gain


def _check(terminal: str, gain: Gain | None, span: float) -> None:
    """Refuse what no channel can have."""
    if gain is not None and not (math.isfinite(gain.value) and gain.value):
        raise RigError(f"The gain of {terminal} is {gain.value} {gain.unit}; a finite one other than 0 was wanted.")
    if not (math.isfinite(span) and 0 < span <= 10.0):
        raise RigError(f"The range of {terminal} is {span} V either way; more than 0 and at most 10 V were wanted.")
