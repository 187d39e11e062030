"""This file is the board: one short text that a process keeps up to date and others read without a lock.

Its number is odd while it is being written; a reader that finds it odd, or another than before, reads again. A second
number grows as long as the writer lives: where it stands still, so does the writer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["BYTES", "Board"]

BYTES = 4096
"""Memory that a board takes."""

_HEAD = 24
_NUMBER, _LENGTH, _BEATS = range(3)
_TRIES = 100


class Board:
    """A text.

    Args:
        memory: `BYTES` bytes that all processes share, zero at first.
    """

    def __init__(self, memory: memoryview) -> None:
        self._head: npt.NDArray[np.int64] = np.frombuffer(memory[:_HEAD], dtype=np.int64)
        self._text: npt.NDArray[np.uint8] = np.frombuffer(memory[_HEAD:BYTES], dtype=np.uint8)

    @property
    def beats(self) -> int:
        """How often the writer said that it lives."""
        return int(self._head[_BEATS])

    def beat(self) -> None:
        """Say that one lives."""
        self._head[_BEATS] += 1

    def write(self, text: str) -> None:
        """Write another text; for one writer.

        Args:
            text: Of at most 4,072 bytes.

        Raises:
            ValueError: If it is longer.
        """
        told = text.encode()
        if len(told) > self._text.size:
            raise ValueError(f"A text of {len(told)} bytes was given, at most {self._text.size} were wanted.")
        self._head[_NUMBER] += 1
        self._text[: len(told)] = np.frombuffer(told, dtype=np.uint8)
        self._head[_LENGTH] = len(told)
        self._head[_NUMBER] += 1

    def read(self) -> str | None:
        """Read the text.

        Returns:
            The text, or None where none was ever written, or its writer stopped in the middle of it.
        """
        for _ in range(_TRIES):
            before = int(self._head[_NUMBER])
            if before == 0:
                return None
            told = self._text[: int(self._head[_LENGTH])].tobytes()
            if before % 2 == 0 and before == int(self._head[_NUMBER]):
                return told.decode()
        return None
