"""This file is the medium: what HDF5 has written, kept in memory until the disk has taken all of it.

HDF5 does not survive a disk that refuses a write: what its cache holds is neither written nor given back, and the
file can't even be closed (h5py issues 914 and 1120). So it writes here, where nothing is ever refused, and `commit`
hands over what has piled up, in one short burst: first all that makes the file longer and a journal behind it, then
what changes in place. A disk that is full refuses the first part, so that the file stays as whole as it was, and the
same burst is tried again; who is killed in the second part leaves the journal.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from hardware.journal import Change, lay, pack

__all__ = ["Medium"]

_AGAIN = 0.1
_COPIED = 1 << 20
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Medium:
    """A new file, as `h5py.File` takes it for its own; all but `commit` and `sync` are for HDF5.

    Args:
        path: The file to make.

    Raises:
        OSError: If something is there already, or it can't be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        # Some network drives number a file anew each time that they are asked; then its name is all that is known.
        self._is_numbered = self._is_at_its_path()
        self._place = 0
        self._end = self._committed = 0
        self._writes: list[Change] = []
        self._abandoned = threading.Event()

    @property
    def pending(self) -> int:
        """Bytes that only this process has."""
        return sum(len(data) for _, data in self._writes)

    def commit(self) -> None:
        """Hand what was written to the operating system, where it survives a kill of this process.

        Raises:
            OSError: If the disk does not take it; then all is kept, and can be committed again.
        """
        self._find()
        tail = bytearray(self._end - self._committed)
        lay(self._writes, tail, self._committed)
        changes = [(place, data[: self._committed - place]) for place, data in self._writes if place < self._committed]
        journal = pack(changes) if changes else b""
        self._put(self._committed, bytes(tail) + journal)
        for place, data in changes:
            self._put(place, data)
        if journal:
            os.ftruncate(self._descriptor, self._end)
        self._writes.clear()
        self._committed = self._end

    def sync(self) -> None:
        """Wait until the disk itself has what was committed, where it survives a loss of power.

        Raises:
            OSError: If it does not take it.
        """
        os.fsync(self._descriptor)

    def abandon(self) -> None:
        """Wait no longer for a disk that can't be read."""
        self._abandoned.set()

    def close(self) -> None:
        """Let go of the file; what was not committed is lost."""
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
        buffer = bytearray(size)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer with what was written last; what never was is zero.

        A disk that does not answer is waited for, because HDF5 bears no failure here either.
        """
        size = len(buffer)
        there = b""
        if self._place < self._committed:
            there = self._patiently(lambda: self._get(self._place, min(size, self._committed - self._place)))
        whole = bytearray(there).ljust(size, b"\0")
        lay(self._writes, whole, self._place)
        buffer[:] = whole
        self._place += size
        return size

    def write(self, data: bytes | memoryview) -> int:
        """Keep what is written until the next commit."""
        copied = bytes(data)
        self._writes.append((self._place, copied))
        self._place += len(copied)
        self._end = max(self._end, self._place)
        return len(copied)

    def truncate(self, size: int | None = None) -> int:
        """Make the file longer; it is never made shorter, since a shorter one could be caught in between."""
        self._end = max(self._end, self._place if size is None else size)
        return self._end

    def flush(self) -> None:
        """Do nothing: `commit` is called for that, outside of HDF5's lock."""

    def _find(self) -> None:
        """Make sure that what is at the path is what is written to, and make it anew where it is gone.

        A file that was deleted lives on as long as it is open, and so do the samples in it.
        """
        try:
            is_here = self._is_at_its_path()
        except FileNotFoundError:
            self._copy()
            return
        if self._is_numbered and not is_here:
            raise FileExistsError(errno.EEXIST, "another file has taken its place", str(self.path))

    def _is_at_its_path(self) -> bool:
        return os.path.samestat(os.fstat(self._descriptor), self.path.stat())

    def _copy(self) -> None:
        copy = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        old = self._descriptor
        try:
            for place in range(0, self._committed, _COPIED):
                data = self._get(place, min(_COPIED, self._committed - place))
                _put(copy, place, data)
        except OSError:
            os.close(copy)
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise
        self._descriptor = copy
        os.close(old)

    def _patiently(self, read: Callable[[], bytes]) -> bytes:
        while True:
            try:
                return read()
            except OSError:
                if self._abandoned.wait(_AGAIN):
                    raise

    def _get(self, place: int, size: int) -> bytes:
        os.lseek(self._descriptor, place, os.SEEK_SET)
        parts = []
        while size > 0:
            part = os.read(self._descriptor, size)
            if not part:
                raise OSError(errno.EIO, "the file is shorter than what was written", str(self.path))
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _put(self, place: int, data: bytes) -> None:
        _put(self._descriptor, place, data)


def _put(descriptor: int, place: int, data: bytes) -> None:
    """Write all of it, however little is taken at once."""
    os.lseek(descriptor, place, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
