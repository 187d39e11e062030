"""This file is reading: one function that takes any file to the reader of its format, in a process of its own."""

from __future__ import annotations

from pathlib import Path

from hardware.choice import Choice
from hardware.formats import reader_of
from hardware.reading_room import ReadingRoom
from hardware.recording import Recording

__all__ = ["read"]

_ROOM = ReadingRoom()
_AS_IT_IS = Choice()


def read(path: Path | str, choice: Choice = _AS_IT_IS) -> Recording:
    """Read a recording; its content decides the format, whatever its name ends in.

    A file made by somebody else can crash the library that reads it, so it is opened in another process: whatever is
    in it, only a recording or a refusal comes out, in bounded time and memory. That process stays for the next file.

    Args:
        path: An ABF1, ABF2, NWB 2 or own file.
        choice: Which channels are read.

    Returns:
        The recording, in mV, pA and kHz.

    Raises:
        RecordingError: If there is no such file, it is no recording of a cell in current clamp, or a channel that was
            asked for is not there.
    """
    path = Path(path)
    reader_of(path)
    return _ROOM.read(path, choice)
