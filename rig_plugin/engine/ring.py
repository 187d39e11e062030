"""This file is the ring: the newest of a stream of numbers, which one process writes and others read without a lock.

A process that is killed while it holds a lock stops all others, so there is none. The writer says first how far it is
going to write and afterwards how far it has written; a reader copies, and looks then whether what it copied may have
been written over meanwhile.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

__all__ = ["Ring"]

_COUNTERS = 2
_CLAIMED, _WRITTEN = range(_COUNTERS)

Array = npt.NDArray[np.float64]


class Ring:
    """A stream of which the last numbers are there.

    Args:
        memory: Bytes that all processes share, `Ring.bytes_of(size)` of them, zero at first.
        size: How many numbers are kept.
    """

    def __init__(self, memory: memoryview, size: int) -> None:
        head = 8 * _COUNTERS
        self._size = size
        self._counters: npt.NDArray[np.int64] = np.frombuffer(memory[:head], dtype=np.int64)
        self._numbers: Array = np.frombuffer(memory[head : head + 8 * size], dtype=np.float64)

    @staticmethod
    def bytes_of(size: int) -> int:
        """Tell how much memory a ring takes.

        Args:
            size: How many numbers are kept.

        Returns:
            Bytes.

        Example:
            >>> Ring.bytes_of(100)
            816
        """
        return 8 * (_COUNTERS + size)

    @property
    def size(self) -> int:
        """How many numbers are kept."""
        return self._size

    @property
    def written(self) -> int:
        """How many numbers were written since the beginning."""
        return int(self._counters[_WRITTEN])

    def append(self, values: Array) -> int:
        """Write numbers after those that are there; for one writer.

        Args:
            values: Shape (n,), at most as many as are kept.

        Returns:
            The place of the first, counted from the beginning of the stream.

        Raises:
            ValueError: If they are more than are kept.
        """
        if values.size > self._size:
            raise ValueError(f"{values.size} numbers were given to a ring that keeps {self._size}; give it fewer.")
        place = self.written
        self._counters[_CLAIMED] = place + values.size
        _settle()
        first = place % self._size
        ahead = min(values.size, self._size - first)
        self._numbers[first : first + ahead] = values[:ahead]
        self._numbers[: values.size - ahead] = values[ahead:]
        _settle()
        self._counters[_WRITTEN] = place + values.size
        return place

    def read(self, place: int, count: int) -> Array | None:
        """Copy numbers.

        Args:
            place: Of the first, counted from the beginning of the stream.
            count: How many.

        Returns:
            Shape (count,), or None where some are not there yet or not any more.
        """
        if place < 0 or count < 0 or place + count > self.written:
            return None
        _settle()
        places = (place + np.arange(count)) % self._size
        copied = self._numbers[places]
        _settle()
        return copied if int(self._counters[_CLAIMED]) - self._size <= place else None


def _settle() -> None:
    """Let what was written before be seen before what is written after, on processors that would mix them up."""
    with threading.Lock():
        return
