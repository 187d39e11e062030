"""This file is the telegram: what the computer and the device say to each other, as data and as the body of a frame."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any, ClassVar, Self

from hardware.frame import BODY, Frame, FrameError

__all__ = [
    "CONDUCTANCE",
    "PART",
    "PROTOCOL",
    "Alive",
    "Answer",
    "AskStatus",
    "AskVersion",
    "Booted",
    "Clamp",
    "Content",
    "Done",
    "Gain",
    "Holding",
    "Part",
    "Rate",
    "ReadBack",
    "Received",
    "Refused",
    "Samples",
    "Start",
    "Status",
    "Stop",
    "Telegram",
    "Version",
    "heard",
]

PROTOCOL = 1
"""The only version of the protocol that is spoken here."""
PART = 192
"""Longest part of an upload [bytes]."""
CONDUCTANCE = 2
"""Kind of the first conductance among uploads; 0 are epochs and 1 is a table."""


@dataclass(frozen=True)
class Telegram:
    """One command or answer: its fields in order, packed little-endian; a last field of bytes takes what is left."""

    code: ClassVar[int]
    layout: ClassVar[struct.Struct] = struct.Struct("<")

    def frame(self, sequence: int) -> Frame:
        """Write it.

        Args:
            sequence: The sender's number for it.

        Returns:
            The frame.
        """
        values = astuple(self)
        tail = values[-1] if values and isinstance(values[-1], bytes) else b""
        fixed = values[:-1] if values and isinstance(values[-1], bytes) else values
        return Frame(self.code, sequence, self.layout.pack(*fixed) + tail)

    @classmethod
    def of_body(cls, body: bytes) -> Self:
        """Read it.

        Args:
            body: Of a frame of this code.

        Returns:
            The telegram.

        Raises:
            FrameError: If the length is another.
        """
        has_tail = list(cls.__annotations__.values())[-1:] == ["bytes"]
        if len(body) < cls.layout.size or (len(body) > cls.layout.size and not has_tail):
            raise FrameError(f"{cls.__name__} came with {len(body)} bytes, {cls.layout.size} were wanted.")
        fixed = cls.layout.unpack_from(body)
        values: tuple[Any, ...] = (*fixed, body[cls.layout.size :]) if has_tail else fixed
        # The fields are those of the subclass, which no type can say here.
        make: Callable[..., Self] = cls
        return make(*values)


@dataclass(frozen=True)
class AskVersion(Telegram):
    """Who are you?"""

    code = 0x01


@dataclass(frozen=True)
class Rate(Telegram):
    """Take samples so often.

    Args:
        hertz: Sampling rate [Hz].
        channels: How many.
    """

    code, layout = 0x02, struct.Struct("<IB")
    hertz: int
    channels: int


@dataclass(frozen=True)
class Gain(Telegram):
    """Amplify a channel before it is digitized.

    Args:
        channel: From 0.
        factor: From 1.
    """

    code, layout = 0x03, struct.Struct("<BH")
    channel: int
    factor: int


@dataclass(frozen=True)
class Holding(Telegram):
    """Hold this between stimuli: it is the exit level [counts]."""

    code, layout = 0x04, struct.Struct("<h")
    level: int


@dataclass(frozen=True)
class Part(Telegram):
    """Keep a part of what is used as a whole.

    Args:
        kind: 0 epochs, 1 a table, from 2 a conductance.
        total: Length of the whole [bytes].
        checksum: CRC-32 of the whole.
        offset: Where the part begins [bytes].
        part: At most `PART` bytes.
    """

    code, layout = 0x05, struct.Struct("<BIII")
    kind: int
    total: int
    checksum: int
    offset: int
    part: bytes


@dataclass(frozen=True)
class ReadBack(Telegram):
    """Say what you keep.

    Args:
        kind: As in `Part`.
        offset: From where [bytes].
        count: How many bytes, at most `PART`.
    """

    code, layout = 0x06, struct.Struct("<BIB")
    kind: int
    offset: int
    count: int


@dataclass(frozen=True)
class Start(Telegram):
    """Play; a second telegram of the same run changes nothing.

    Args:
        run: Number of the run, not 0.
        source: 0 epochs, 1 the table, 2 a level without end.
        total: How many samples; 0 for a level.
        checksum: CRC-32 of the stimulus that is meant.
        level: The level that is held [counts].
    """

    code, layout = 0x07, struct.Struct("<HBIIh")
    run: int
    source: int
    total: int
    checksum: int
    level: int = 0


@dataclass(frozen=True)
class Stop(Telegram):
    """Return to the exit level now."""

    code = 0x08


@dataclass(frozen=True)
class AskStatus(Telegram):
    """What are you doing?"""

    code = 0x09


@dataclass(frozen=True)
class Alive(Telegram):
    """I am still here; there is no answer."""

    code = 0x0A


@dataclass(frozen=True)
class Clamp(Telegram):
    """Inject the current of conductances while you play.

    Args:
        used: How many, from the first.
        channel: Of the voltage.
        voltage_a_count: Of that channel [mV].
        current_a_count: Of the output [pA].
        clip: Largest magnitude of the current [pA].
        maxima: Maximal conductance of each, little-endian float32 [nS].
    """

    code, layout = 0x0B, struct.Struct("<BBfff")
    used: int
    channel: int
    voltage_a_count: float
    current_a_count: float
    clip: float
    maxima: bytes


@dataclass(frozen=True)
class Answer(Telegram):
    """What the device says to a command.

    Args:
        to: Sequence number of the command.
    """

    to: int


@dataclass(frozen=True)
class Version(Answer):
    """Who the device is.

    Args:
        protocol: Version of the protocol that it speaks.
        fastest: Highest sampling rate [Hz].
        channels: How many it has.
        room: For a stimulus [bytes].
        conductances: How many it clamps at once.
        clamp_rate: At which it integrates them at least [Hz].
        silence: After which it returns to the exit level [ms].
    """

    code, layout = 0x81, struct.Struct("<HHIHIHIH")
    protocol: int
    fastest: int
    channels: int
    room: int
    conductances: int
    clamp_rate: int
    silence: int


@dataclass(frozen=True)
class Done(Answer):
    """It is so."""

    code, layout = 0x82, struct.Struct("<H")


@dataclass(frozen=True)
class Received(Answer):
    """How far an upload is.

    Args:
        whole: Whether it is complete and its checksum right.
        count: Bytes of it that are there.
    """

    code, layout = 0x83, struct.Struct("<H?I")
    whole: bool
    count: int


@dataclass(frozen=True)
class Content(Answer):
    """What the device keeps."""

    code, layout = 0x84, struct.Struct("<H")
    part: bytes


@dataclass(frozen=True)
class Status(Answer):
    """What the device is doing.

    Args:
        is_playing: Whether it puts out anything but the exit level.
        cause: Why it last returned to that: 0 boot, 1 end, 2 stop, 3 silence.
        run: The run being played, or played last; 0 after a reset.
        output: Where the output stands [counts].
        made: Samples taken in that run.
        dropped: Of these, those for which the line had no room.
        damaged: Frames that it could not read.
        late: Samples that were taken too late.
        milliseconds: On its own clock, since it started.
    """

    code, layout = 0x85, struct.Struct("<H?BHhIIIII")
    is_playing: bool
    cause: int
    run: int
    output: int
    made: int
    dropped: int
    damaged: int
    late: int
    milliseconds: int


@dataclass(frozen=True)
class Refused(Answer):
    """It can't be done.

    Args:
        reason: 1 unknown command, 2 wrong length, 3 out of range, 4 it is playing, 5 no such upload,
            6 nothing was set since it started.
    """

    code, layout = 0x86, struct.Struct("<HB")
    reason: int


@dataclass(frozen=True)
class Samples(Telegram):
    """What was measured.

    Args:
        run: In which run.
        index: Of the first sample in the run.
        channels: How many.
        values: Of all channels in turn, little-endian int16.
    """

    code, layout = 0xC0, struct.Struct("<HIB")
    run: int
    index: int
    channels: int
    values: bytes


@dataclass(frozen=True)
class Booted(Telegram):
    """The device has just started, and knows nothing any more."""

    code, layout = 0xC1, struct.Struct("<H")
    protocol: int


_HEARD: dict[int, type[Telegram]] = {
    kind.code: kind for kind in (Version, Done, Received, Content, Status, Refused, Samples, Booted)
}


def heard(frame: Frame) -> Telegram:
    """Read what the device says.

    Args:
        frame: As it came.

    Returns:
        The answer, samples, or that it booted.

    Raises:
        FrameError: If it is nothing that a device says.
    """
    kind = _HEARD.get(frame.kind)
    if kind is None or len(frame.body) > BODY:
        raise FrameError(f"A frame of type {frame.kind:#04x} came, which no device sends.")
    return kind.of_body(frame.body)
