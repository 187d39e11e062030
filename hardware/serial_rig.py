"""This file is the serial rig: a microcontroller, with the firmware kept beside it, and the amplifier behind it."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from hardware.amplifier import AmplifierError, Reading
from hardware.counts import Channel, Output
from hardware.dialogue import Dialogue, DialogueError
from hardware.dynamic_clamp import DynamicClamp, lay
from hardware.line import check_rate
from hardware.rig import BLOCK, Block, Gain, Provenance, Rig, RigError
from hardware.telegram import (
    PROTOCOL,
    AskStatus,
    AskVersion,
    Done,
    Holding,
    Rate,
    Samples,
    Start,
    Status,
    Stop,
    Version,
)
from hardware.telegram import Gain as SetGain
from simulators.limits import Limits
from simulators.stimulus import Stimulus
from simulators.sweep import Junction

__all__ = ["SerialRig"]

_NOTHING: npt.NDArray[np.float64] = np.empty(0)
_LEVEL = 2
_QUIET = 0.1
_TURN = 0.01
_LOOKS = 4
_BOOTS = 40
_NOT_SET_UP = 6
_WRAP = 1 << 32
_CAUSES = {
    0: "started anew (its supply or its reset line), and its output stands at its zero",
    2: "was told by somebody else to stop, and is at the exit level",
    3: "heard nothing from this computer for too long, and returned to the exit level by itself",
}


class SerialRig(Rig):
    """A cell behind an amplifier behind a microcontroller on a serial line.

    The stimulus is in the device before it starts, so nothing that happens to the line or to this computer changes what
    the cell is given. Samples that the line lost are counted by the device's own indices. Where this computer falls
    silent while something is put out, the device returns to the exit level after 250 ms.

    Args:
        port: As the system names it.
        response: Where the voltage comes in [mV].
        command: Where the current that was injected comes back in [pA].
        output: What a count of the output is [pA].
        rate: Sampling rate [kHz].
        limits: What may be put out.
        channels: How many are sampled, from the first.
        baud: Of the line [bits/s]; a board with native USB ignores it.
        dtr: Whether the line says that a terminal is ready.
        exit_level: Command at which the cell is left [pA].
        junction: What is known of the junction potential; None is nothing.

    Raises:
        RigError: If the line can't carry the rate, a scale or a channel can't be used, or the exit level lies outside
            the limits or the output's range.
    """

    def __init__(
        self,
        port: str,
        response: Channel,
        command: Channel,
        output: float,
        *,
        rate: float = 20.0,
        limits: Limits | None = None,
        channels: int = 2,
        baud: int = 2_000_000,
        dtr: bool = True,
        exit_level: float = 0.0,
        junction: Junction | None = None,
    ) -> None:
        super().__init__()
        self.rate, self.limits, self.exit_level = rate, limits or Limits(), exit_level
        self._response, self._command, self._output, self._channels = response, command, Output(output), channels
        self._check_channels()
        check_rate(rate, channels, baud)
        self.gains = {
            "response": Gain(response.count, "mV/count", "rig file"),
            "command": Gain(command.count, "pA/count", "rig file"),
        }
        self.output: float | None = None
        """Where the device last said that its output stands [pA]; None while nobody knows."""
        self.status: Status | None = None
        """What the device last said of itself."""
        self._exit = self._output.counts(np.array([exit_level]))[0]
        self._junction = junction or Junction()
        self._dialogue = Dialogue(port, baud, dtr)
        self._version: Version | None = None
        self._clamp: DynamicClamp | None = None
        self._tuned: Reading | None = None
        self._begun: datetime | None = None
        self._uploaded: tuple[int, int] | None = None
        self._run = self._position = 0
        self._total: int | None = None
        self._next: Samples | None = None
        self._heard, self._seen = 0.0, -1

    @property
    def provenance(self) -> Provenance:
        """Where the sweep being played, or last played, comes from."""
        return Provenance(self._begun, "recorded channel", "measured", self._junction, 0.0)

    takes_conductances = True
    """Whether its clamp can be told what to add; how many, the device says when it is opened."""

    def clamp(self, clamp: DynamicClamp | None) -> None:
        """Add conductances to the cell, or take them away, whenever something is played or held from now on.

        The current is in the command channel, for it goes into the cell as the stimulus does.

        Args:
            clamp: What is clamped; None ends it.

        Raises:
            RigClosed: If the rig is not open.
            RigError: If it is playing, or the device does not take it or does not keep it as it was sent.
        """
        self._check_open()
        if self._is_playing:
            raise RigError("The rig is playing: stop it, then change the dynamic clamp.")
        self._clamp = clamp
        self._lay(clamp or DynamicClamp((), 1.0))

    @property
    def added(self) -> str | None:
        """Conductances that this device or one beside it adds to the cell, as a list with units, or None."""
        own = self._clamp.conductances if self._clamp else ()
        said = [f"{one.name} of {one.maximum:g} nS" for one in own if one.maximum]
        return ", ".join([*said, *filter(None, [super().added])]) or None

    def _check_channels(self) -> None:
        if not (math.isfinite(self.rate) and self.rate >= 1 and round(self.rate * 1e3) == self.rate * 1e3):
            raise RigError(f"The rate is {self.rate} kHz, a whole number of Hz from 1000 was wanted.")
        indices = {self._response.index, self._command.index}
        if len(indices) < 2 or min(indices) < 0 or max(indices) >= self._channels:
            raise RigError(
                f"Response and command are channels {self._response.index} and {self._command.index} of "
                f"{self._channels}, two different ones from 0 were wanted."
            )
        for name, scale in (
            ("response", self._response.count),
            ("command", self._command.count),
            ("output", self._output.scale),
        ):
            if not (math.isfinite(scale) and scale):
                raise RigError(
                    f"A count of the {name} is {scale}, a finite number of mV or pA that is not 0 was wanted."
                )
        if not self.limits.low <= self.exit_level <= self.limits.high:
            raise RigError(
                f"The exit level is {self.exit_level:g} pA, outside the limits [{self.limits.low:g}, "
                f"{self.limits.high:g}] pA: raise the limits or leave the cell at another level."
            )

    def _check(self, stimulus: Stimulus) -> None:
        if stimulus.clamp != "current":
            raise RigError("The serial rig puts out currents only, a stimulus in current clamp was wanted.")
        if any(epoch.doses for epoch in stimulus.epochs):
            raise RigError("The serial rig has no virtual drugs in a stimulus: add conductances by its dynamic clamp.")
        self._check_reach([epoch.level for epoch in stimulus.epochs])
        _, content = self._output.encoded(stimulus, self.rate)
        room = self._version.room if self._version else 0
        if len(content) > room:
            raise RigError(
                f"The stimulus takes {len(content)} bytes and the device has room for {room}: use fewer epochs."
            )

    def _check_reach(self, levels: Sequence[float]) -> None:
        """Refuse what the dynamic clamp could carry beyond the limits."""
        clip = self._clamp.clip if self._clamp else 0.0
        low, high = min(levels) - clip, max(levels) + clip
        if clip and not self.limits.low <= low <= high <= self.limits.high:
            raise RigError(
                f"The command spans [{low:g}, {high:g}] pA with the dynamic clamp's {clip:g} pA, outside the limits "
                f"[{self.limits.low:g}, {self.limits.high:g}] pA: lower the step or the clip."
            )

    def _tune(self, reading: Reading) -> None:
        """What a count is was measured with one gain of the amplifier, and holds for no other."""
        was = self._tuned = self._tuned or reading
        for name, before, now in (
            ("gain", was.gain.value, reading.gain.value),
            ("command sensitivity", was.sensitivity.value, reading.sensitivity.value),
        ):
            if before != now:
                raise AmplifierError(
                    f"The amplifier's {name} was {_said(before)} when the rig was first used and is {_said(now)} now, "
                    "and what a count is does not follow it: turn it back, or measure the scales anew."
                )

    def _open(self) -> None:
        self._tuned = None
        self._dialogue.open()
        try:
            # A board that resets when its port is opened needs seconds before it answers.
            self._version = version = self._dialogue.ask(AskVersion(), Version, _BOOTS)
            if version.protocol != PROTOCOL:
                raise RigError(
                    f"The device on {self._dialogue.line.port} speaks version {version.protocol} of the protocol, "
                    f"{PROTOCOL} was wanted: put the firmware of hardware/firmware on it."
                )
            if self._channels > version.channels or self.rate * 1e3 > version.fastest:
                raise RigError(
                    f"{self._channels} channels at {self.rate:g} kHz were asked for, the device has {version.channels} "
                    f"at up to {version.fastest / 1e3:g} kHz."
                )
            self._run = self._tell_to_stop().run
            self._set_up()
        except BaseException:
            self._dialogue.close()
            raise

    def _set_up(self) -> None:
        """Tell the device all that it forgets when it starts anew."""
        self._uploaded = None
        for channel in (self._response, self._command):
            self._dialogue.ask(SetGain(channel.index, channel.factor), Done)
        self._dialogue.ask(Holding(self._exit), Done)
        if self._clamp is not None:
            self._lay(self._clamp)
        self._dialogue.ask(Rate(round(self.rate * 1e3), self._channels), Done)

    def _lay(self, clamp: DynamicClamp) -> None:
        room = self._version.conductances if self._version else 0
        lay(self._dialogue, clamp, room, self._response.index, self._response.count, self._output.scale)

    def _start(self, stimulus: Stimulus) -> None:
        kind, content = self._output.encoded(stimulus, self.rate)
        self._begin(kind, stimulus.samples(self.rate), content)

    def _hold(self, level: float) -> None:
        self._check_reach([level])
        self._begin(_LEVEL, None, b"", self._output.counts(np.array([level]))[0])

    def _begin(self, source: int, total: int | None, content: bytes, level: int = 0) -> None:
        self._next, self._seen = None, -1
        self._position, self._total = 0, total
        self._dialogue.forget_samples()
        self._dialogue.has_booted = False
        self._dialogue.keeps_awake = True
        self.output = None
        try:
            self._ask_to_start(source, content, level)
        except DialogueError as error:
            if error.reason != _NOT_SET_UP:
                raise
            self._set_up()
            self._dialogue.has_booted = False
            self._ask_to_start(source, content, level)
        self._begun = datetime.now(UTC)
        self._heard = time.monotonic()

    def _ask_to_start(self, source: int, content: bytes, level: int) -> None:
        checksum = zlib.crc32(content)
        if content and self._uploaded != (source, checksum):
            self._dialogue.upload(source, content)
            self._uploaded = (source, checksum)
        self._run = self._run % 0xFFFF + 1
        self._dialogue.ask(Start(self._run, source, self._total or 0, checksum, level), Done)

    def _read(self) -> Block | None:
        if self._total is not None and self._position >= self._total:
            return None
        # Collects 20 ms, or what is left, or what there is before a gap.
        parts: list[npt.NDArray[np.int16]] = []
        count, lost, size = 0, 0, max(1, int(BLOCK * self.rate))
        while count < size and not self._stopping.is_set() and self._position != self._total:
            samples = self._next or self._dialogue.samples(_TURN)
            self._next = None
            if samples is None:
                if time.monotonic() - self._heard < _QUIET and self._dialogue.line.fault is None:
                    continue
                if parts:
                    break
                lost = self._look()
                if lost:
                    self._position += lost
                    return Block(_NOTHING, _NOTHING, lost)
                continue
            values, gap = self._accepted(samples)
            if values is None:
                continue
            if gap and parts:
                self._next = samples
                break
            lost += gap
            parts.append(values)
            count += len(values)
            self._position += gap + len(values)
            self._heard = time.monotonic()
        if not parts:
            return None
        counts = np.concatenate(parts).astype(np.float64)
        response, command = self._response, self._command
        return Block(counts[:, response.index] * response.count, counts[:, command.index] * command.count, lost)

    def _accepted(self, samples: Samples) -> tuple[npt.NDArray[np.int16] | None, int]:
        """Take samples of this run that have not come before, and say how many are missing before them."""
        gap = (samples.index - self._position) % _WRAP
        row = 2 * samples.channels
        rows = len(samples.values) // row if row else 0
        is_ours = samples.run == self._run and samples.channels == self._channels and rows * row == len(samples.values)
        is_beyond = self._total is not None and self._position + gap + rows > self._total
        if not (is_ours and rows) or gap >= _WRAP // 2 or is_beyond:
            return None, 0
        return np.frombuffer(samples.values, dtype="<i2").reshape(rows, samples.channels), gap

    def _look(self) -> int:
        """Ask why nothing comes; give how many samples were lost at the end of the run, 0 where it goes on."""
        status = self.status = self._dialogue.ask(AskStatus(), Status, _LOOKS)
        waiting = self._dialogue.samples(0.0)
        if waiting is not None:
            self._next = waiting
            return 0
        is_ours = status.run == self._run and not self._dialogue.has_booted
        if status.is_playing and is_ours:
            if status.made == self._seen:
                raise RigError("The device says that it plays and takes no samples: reset it, then open the rig again.")
            self._seen, self._heard = status.made, time.monotonic()
            return 0
        if is_ours and status.cause == 1 and self._total is not None:
            return self._total - self._position
        cause = _CAUSES.get(status.cause if is_ours else 0, "stopped by itself")
        raise RigError(f"The device {cause}: the sweep is not whole, record it again.")

    def _tell_to_stop(self) -> Status:
        """Return the device to its exit level."""
        status = self.status = self._dialogue.ask(Stop(), Status)
        return status

    def _stop(self) -> None:
        try:
            status = self._tell_to_stop()
            self.output = status.output * self._output.scale
            if status.late:
                raise RigError(
                    f"The board took {status.late} samples too late, so that their times are wrong: sample slower, or "
                    "clamp fewer conductances."
                )
            if status.is_playing or (status.output != self._exit and not self._dialogue.has_booted):
                raise RigError(
                    f"The device stands at {self.output:g} pA and not at its exit level: look after the cell."
                )
        except DialogueError as error:
            raise RigError(
                f"The device could not be told to return to the exit level ({error}) Where it still runs, its watchdog "
                "does so within 250 ms; look after the cell."
            ) from error
        finally:
            self._dialogue.keeps_awake = False

    def _close(self) -> None:
        self._dialogue.close()


def _said(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
