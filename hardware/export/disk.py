"""This file is the disk: a new file that refuses HDF5 nothing, and remembers what the disk has refused."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["Disk", "is_in_use"]


class Disk:
    """A new file, as `h5py.File` takes it for its own.

    HDF5 does not survive a disk that refuses a write: its file can't be closed any more, and the process crashes when
    it ends. So a write that fails is remembered and HDF5 is told that it was done; `check` says so to who can bear it.

    Args:
        path: The file to make, which stays locked for as long as it is open.

    Raises:
        OSError: If something is there already, or it can't be made.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o666)
        self._place = self._end = 0
        self._error: OSError | None = None
        if sys.platform != "win32":
            # Some network disks have no locks; Windows never removes a file that is open.
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def check(self) -> None:
        """Tell whether all that was written was taken.

        Raises:
            OSError: What the disk answered when it first refused.
        """
        if self._error is not None:
            raise self._error

    def sync(self) -> None:
        """Wait until the disk itself has everything, where it survives a loss of power.

        Raises:
            OSError: If it has not.
        """
        self.check()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as of any file."""
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        return self._place

    def tell(self) -> int:
        """Tell the place, as of any file."""
        return self._place

    def read(self, size: int) -> bytes:
        """Read, as of any file."""
        os.lseek(self._descriptor, self._place, os.SEEK_SET)
        found = os.read(self._descriptor, size)
        while found and len(found) < size and (more := os.read(self._descriptor, size - len(found))):
            found += more
        self._place += size
        return found

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer, with zeros where nothing was written or taken."""
        buffer[:] = self.read(len(buffer)).ljust(len(buffer), b"\0")
        return len(buffer)

    def write(self, data: bytes | memoryview) -> int:
        """Write, or remember why that could not be done."""
        left = memoryview(data).cast("B")
        size, place = len(left), self._place
        self._place += size
        self._end = max(self._end, self._place)
        try:
            os.lseek(self._descriptor, place, os.SEEK_SET)
            while left and self._error is None:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Give the file its length, or remember why that could not be done."""
        self._end = self._place if size is None else size
        try:
            if self._error is None:
                os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            self._error = error
        return self._end

    def flush(self) -> None:
        """Nothing waits here."""


def is_in_use(path: Path) -> bool:
    """Tell whether a living program writes the file.

    Args:
        path: What a `Disk` made.

    Returns:
        True where it is locked; on Windows always False, because there it can't be removed anyway.
    """
    if sys.platform == "win32":
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
