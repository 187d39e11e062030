"""This file is the stream of a SpikerBox: samples of two bytes a channel, with messages between them.

A frame has two bytes a channel, the higher seven bits first, and only its first byte has bit 7 set. A message lies
between two escapes of six bytes that no frame can hold.

References:
    Backyard Brains (2024), Guide for USB communication with SpikerBox, revision 7; Spike-Recorder, ArduinoSerial.cpp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Message", "Piece", "StreamDecoder", "frame_channels"]

_BEGIN, _END = b"\xff\xff\x01\x01\x80\xff", b"\xff\xff\x01\x01\x81\xff"
_LONGEST = 512
_FIRST = 0x80
_MOST_CHANNELS = 8


@dataclass(frozen=True)
class Message:
    """What a board says beside its samples.

    Args:
        sample: How many samples of a channel came before it.
        key: For instance "HWT", the type of the board, or "EVNT", a button.
        value: As text.
    """

    sample: int
    key: str
    value: str


@dataclass(frozen=True, eq=False)
class Piece:
    """Samples without a gap.

    Args:
        codes: Of the converter, shape (n, channels).
        lost: Samples of a channel that are missing before the first of these, at least.
    """

    codes: npt.NDArray[np.int64]
    lost: int = 0


class StreamDecoder:
    """Finds samples and messages in a stream of bytes, however it is cut into pieces.

    A frame has neither a checksum nor a number, so this much can be told: a byte that was lost or added, and every
    change of a bit 7, is found, and what it touched never becomes a sample. A change of another bit gives another
    sample like any other. Whole frames that are lost leave no trace, and where bytes are lost from the middle of one
    frame to the same place of another, the rest looks like one frame. How many samples were lost is counted from the
    debris, and is the least that it can be.

    Args:
        channels: In a frame.

    Raises:
        ValueError: If there are none or more than eight.
    """

    def __init__(self, channels: int = 1) -> None:
        if not 1 <= channels <= _MOST_CHANNELS:
            raise ValueError(f"A SpikerBox with {channels} channels was asked for, 1 to {_MOST_CHANNELS} were wanted.")
        self._size = 2 * channels
        self._rest = b""
        self._debris = 0
        self._is_in_step = False
        self._samples = 0
        self.lost = 0
        """Samples of a channel that were lost so far, at least; what precedes the first whole frame is not counted."""
        self.messages: list[Message] = []
        """Those that came with the last bytes."""

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes as they come.

        Args:
            data: Any number of them.

        Returns:
            The samples that are whole now, in order; the messages are in `messages`.
        """
        self.messages = []
        buffer, at, pieces = self._rest + data, 0, list[Piece]()
        while at < len(buffer):
            codes = self._whole_frames(buffer, at)
            if len(codes):
                pieces.append(self._piece(codes))
                at += self._size * len(codes)
            elif (step := self._other(buffer, at)) > 0:
                at += step
            else:
                break
        self._rest = buffer[at:]
        return pieces

    def _whole_frames(self, buffer: bytes, at: int) -> npt.NDArray[np.int64]:
        """Read all frames from here on that follow each other without a flaw, shape (n, channels)."""
        count = (len(buffer) - at) // self._size
        raw = np.frombuffer(buffer, np.uint8, count * self._size, at).reshape(count, self._size).astype(np.int64)
        is_whole = (raw[:, 0] >= _FIRST) & (raw[:, 1:] < _FIRST).all(axis=1)
        raw = raw[: count if is_whole.all() else int(np.argmin(is_whole))] & (_FIRST - 1)
        return (raw[:, 0::2] << 7) | raw[:, 1::2]

    def _piece(self, codes: npt.NDArray[np.int64]) -> Piece:
        """Make a piece, and count what lies as debris before it."""
        lost = math.ceil(self._debris / self._size) if self._is_in_step else 0
        self._debris, self._is_in_step = 0, True
        self._samples += len(codes)
        self.lost += lost
        return Piece(codes, lost)

    def _other(self, buffer: bytes, at: int) -> int:
        """Step over what is no whole frame; 0 where it can't be told yet."""
        head = buffer[at : at + len(_BEGIN)]
        if head == _BEGIN:
            end = buffer.find(_END, at + len(_BEGIN))
            if end >= 0 and end - at <= _LONGEST:
                self._tell(buffer[at + len(_BEGIN) : end])
                return end + len(_END) - at
            if end < 0 and len(buffer) - at <= _LONGEST + len(_END):
                return 0
            self._debris += len(_BEGIN)
            return len(_BEGIN)
        if _BEGIN.startswith(head):
            return 0
        frame = buffer[at : at + self._size]
        if frame[0] < _FIRST:
            self._debris += 1
            return 1
        early = next((k for k, byte in enumerate(frame) if k and byte >= _FIRST), 0)
        self._debris += early
        return early

    def _tell(self, content: bytes) -> None:
        """Read the messages between two escapes: KEY:VALUE; and so on."""
        if not content.isascii():
            return
        for text in content.decode("ascii").split(";"):
            key, colon, value = text.partition(":")
            if colon and key.isprintable() and value.isprintable():
                self.messages.append(Message(self._samples, key, value))


def frame_channels(data: bytes) -> int | None:
    """Tell from the stream itself how many channels a frame has.

    Args:
        data: Some tens of frames, from anywhere.

    Returns:
        The channels that most of the frames have, or None where they are no frames of two bytes a channel.
    """
    firsts = np.flatnonzero(np.frombuffer(data, np.uint8) >= _FIRST)
    lengths = np.diff(firsts)
    if lengths.size < 1:
        return None
    size = int(np.bincount(lengths).argmax())
    is_known = size % 2 == 0 and size <= 2 * _MOST_CHANNELS and np.mean(lengths == size) > 1 / 2
    return size // 2 if is_known else None
