"""This file is the journal: changes to a file that are written behind its end before they are made in it.

HDF5 changes a file in several places at once, and one that is left between two of them can't be read. Killed in the
middle, the program leaves its journal as the last bytes of the file, and whoever reads the file by `Journalled` sees
the changes made, all of them; before the journal is whole, or after it was cut off again, there is nothing to be done.

References:
    Mohan, Haderle, Lindsay, Pirahesh & Schwarz (1992), ACM Trans. Database Syst. 17, 94-162.
    https://doi.org/10.1145/128765.128770
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Change", "Journalled", "lay", "pack", "unpack"]

Change = tuple[int, bytes]
"""Place in the file [bytes], and what is there from now on."""

_MAGIC = b"rigplugj"
_END = struct.Struct("<QI8s")
_HEAD = struct.Struct("<QQ")
_LONGEST = 1 << 28


def pack(changes: Iterable[Change]) -> bytes:
    """Write changes down.

    Args:
        changes: In the order in which they are made.

    Returns:
        The journal.
    """
    body = b"".join(_HEAD.pack(place, len(data)) + data for place, data in changes)
    return body + _END.pack(len(body), zlib.crc32(body), _MAGIC)


def unpack(path: Path) -> tuple[Change, ...]:
    """Read the journal at the end of a file.

    Args:
        path: The file.

    Returns:
        The changes in the order in which they are made; none where there is no whole journal.

    Raises:
        OSError: If the file can't be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < _END.size:
            return ()
        file.seek(size - _END.size)
        length, checksum, magic = _END.unpack(file.read(_END.size))
        if magic != _MAGIC or length > min(size - _END.size, _LONGEST):
            return ()
        file.seek(size - _END.size - length)
        body = file.read(length)
    if zlib.crc32(body) != checksum:
        return ()
    changes, at = [], 0
    while at < length:
        if length - at < _HEAD.size:
            return ()
        place, count = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if place + count > size or count > length - at:
            return ()
        changes.append((place, body[at : at + count]))
        at += count
    return tuple(changes)


def lay(changes: Iterable[Change], buffer: bytearray, start: int) -> None:
    """Make changes in a stretch of the file that was read.

    Args:
        changes: In their order; what lies outside the stretch is left out.
        buffer: The stretch.
        start: Where in the file it begins.
    """
    stop = start + len(buffer)
    for place, data in changes:
        low, high = max(place, start), min(place + len(data), stop)
        if low < high:
            buffer[low - start : high - start] = data[low - place : high - place]


class Journalled(io.RawIOBase):
    """A file to be read as if the changes in its journal had been made; the file itself stays as it is.

    Args:
        path: The file.
        changes: Of its journal.

    Raises:
        OSError: If it can't be opened.
    """

    def __init__(self, path: Path, changes: tuple[Change, ...]) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._changes = changes

    def readable(self) -> bool:
        """Say that it can be read, as of any file."""
        return True

    def seekable(self) -> bool:
        """Say that it has places, as of any file."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as of any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Tell the place, as of any file."""
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer, as of any file."""
        start = self._file.tell()
        whole = bytearray(self._file.read(len(buffer)))
        lay(self._changes, whole, start)
        buffer[: len(whole)] = whole
        return len(whole)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()
