"""This file is the frame: what goes over the line between two zero bytes, as hardware/firmware/frame.c packs it.

What is accepted is what was sent: a frame carries its CRC-16-CCITT and its CRC-32. One in 65,536 damaged frames has the
right CRC-16, which a bad line makes in a minute; with both, none is expected in the life of a rig.
"""

from __future__ import annotations

import struct
import zlib
from binascii import crc_hqx
from dataclasses import dataclass

__all__ = ["BODY", "Frame", "FrameError", "Unframer", "packed", "stuffed", "unpacked", "unstuffed"]

BODY = 232
"""Longest body [bytes]."""

_HEAD = struct.Struct("<BH")
_CHECK = struct.Struct("<HI")
_STRETCH = 254
_LONGEST = _HEAD.size + BODY + _CHECK.size + 2


class FrameError(ValueError):
    """Bytes that are no frame; they are counted and never read."""


@dataclass(frozen=True)
class Frame:
    """What one frame says.

    Args:
        kind: Its type, 0 to 255.
        sequence: Its sender's number for it, 0 to 65,535.
        body: The rest, at most `BODY` bytes.
    """

    kind: int
    sequence: int
    body: bytes = b""


def packed(frame: Frame) -> bytes:
    """Write a frame for the line.

    Args:
        frame: What is to be sent.

    Returns:
        The bytes, a zero at either end and none between.

    Raises:
        ValueError: If the body is too long.

    Example:
        >>> packed(Frame(9, 1)).hex()
        '00030901073c61dcd38be900'
        >>> unpacked(packed(Frame(9, 1))[1:-1])
        Frame(kind=9, sequence=1, body=b'')
    """
    if len(frame.body) > BODY:
        raise ValueError(f"The body of a frame has {len(frame.body)} bytes, at most {BODY} were wanted.")
    content = _HEAD.pack(frame.kind, frame.sequence) + frame.body
    return b"\0" + stuffed(content + _CHECK.pack(crc_hqx(content, 0xFFFF), zlib.crc32(content))) + b"\0"


def unpacked(wire: bytes) -> Frame:
    """Read what came between two zeros.

    Args:
        wire: The bytes without the zeros.

    Returns:
        The frame.

    Raises:
        FrameError: If it is not as it was sent.
    """
    content = unstuffed(wire)
    end = len(content) - _CHECK.size
    if end < _HEAD.size:
        raise FrameError(f"{len(content)} bytes came, a frame has at least {_HEAD.size + _CHECK.size}.")
    said = content[:end]
    if _CHECK.unpack_from(content, end) != (crc_hqx(said, 0xFFFF), zlib.crc32(said)):
        raise FrameError("The checksums of a frame are not those of its bytes.")
    kind, sequence = _HEAD.unpack_from(said)
    return Frame(kind, sequence, said[_HEAD.size :])


def stuffed(content: bytes) -> bytes:
    """Replace every zero by the distance to the next, in stretches of at most 254 bytes.

    Args:
        content: Any bytes.

    Returns:
        Bytes without a zero.

    References:
        Cheshire and Baker (1999), IEEE/ACM Trans. Networking 7, 159-172. https://doi.org/10.1109/90.769765
    """
    wire = bytearray()
    parts = content.split(b"\0")
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        while len(part) > _STRETCH or (len(part) == _STRETCH and not is_last):
            wire += b"\xff" + part[:_STRETCH]
            part = part[_STRETCH:]
        wire.append(len(part) + 1)
        wire += part
    return bytes(wire)


def unstuffed(wire: bytes) -> bytes:
    """Undo `stuffed`.

    Args:
        wire: Bytes without a zero.

    Returns:
        The content.

    Raises:
        FrameError: If there is a zero, or a distance leads out of the bytes.
    """
    content = bytearray()
    place, end = 0, len(wire)
    while place < end:
        distance = wire[place]
        after = place + distance
        if not distance or after > end:
            raise FrameError("The distances between zeros lead out of a frame.")
        content += wire[place + 1 : after]
        place = after
        if distance <= _STRETCH and place < end:
            content.append(0)
    if b"\0" in wire:
        raise FrameError("A zero stands within a frame.")
    return bytes(content)


class Unframer:
    """Cuts what comes over a line, in pieces of any length, into frames."""

    def __init__(self) -> None:
        self._rest = b""
        self.damaged = 0
        """Stretches between zeros that were no frame."""

    def push(self, came: bytes) -> list[Frame]:
        """Take what came.

        Args:
            came: Bytes, however they were cut.

        Returns:
            The frames that it completes, in order.
        """
        *whole, self._rest = (self._rest + came).split(b"\0")
        if len(self._rest) > _LONGEST:
            # Too long for a frame already: one byte is enough to know that at the next zero.
            self._rest = self._rest[: _LONGEST + 1]
        frames = []
        for wire in filter(None, whole):
            try:
                frames.append(unpacked(wire))
            except FrameError:
                self.damaged += 1
        return frames
