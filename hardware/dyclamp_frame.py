"""This file is the frame of a dyClamp: a line of numbers between a carriage return and a line feed.

References:
    Rickert (2019), dyClamp, https://doi.org/10.5281/zenodo.2824830.
"""

from __future__ import annotations

import re

__all__ = ["Deframer", "Numbers", "framed", "numbers"]

Numbers = tuple[float, ...]
"""What a frame holds: an index and a value, or the three numbers of a report."""

_FRAME = re.compile(rb"-?\d{1,10}(?:\.\d\d)?(?:\t-?\d{1,10}\.\d\d){1,2}|0\t\d{1,2}")
_LONGEST = 64


def framed(index: int, value: float | None = None, command: int | None = None) -> bytes:
    r"""Lay out what is sent.

    Args:
        index: Of a value, or 0 for a command.
        value: To two decimals, as the device answers.
        command: Which, where the index is 0.

    Returns:
        The bytes.

    Example:
        >>> framed(-2, 400.0), framed(0, command=1)
        (b'\r-2\t400.00\n', b'\r0\t1\n')
    """
    text = f"{command}" if command is not None else f"{value or 0.0:.2f}"
    return f"\r{index}\t{text}\n".encode("ascii")


class Deframer:
    """Finds frames in a stream of bytes, however it is cut into pieces.

    A frame has no checksum and no number: a byte that is lost or is no digit is found and its frame dropped, but a
    digit that became another gives a frame like any other. Nothing that decides over the cell is believed from one
    frame alone: an echo has to be what was sent, and all values are read back.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.dropped = 0
        """Pieces that were no frame."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they come.

        Args:
            data: Any number of them.

        Returns:
            The contents of the frames that are whole now, in order.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        frames = []
        for line in lines:
            # What precedes the last carriage return is the beginning of a frame that lost its end.
            before, found, content = line.rpartition(b"\r")
            self.dropped += bool(before) or not found
            if found and _FRAME.fullmatch(content):
                frames.append(content)
            elif found:
                self.dropped += 1
        if len(self._rest) > _LONGEST:
            self._rest = self._rest[-_LONGEST:]
        return frames


def numbers(content: bytes) -> Numbers:
    """Read the numbers of a frame.

    Args:
        content: As `Deframer.feed` gives it.

    Returns:
        Two or three.
    """
    return tuple(float(part) for part in content.split(b"\t"))
