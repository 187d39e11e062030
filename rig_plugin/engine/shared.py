"""This file is what the window and the engine share: a block of memory, which the window makes and takes away."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory
from typing import cast

from rig_plugin.engine.board import BYTES, Board
from rig_plugin.engine.ring import Ring

__all__ = ["Shared"]

SAMPLES = 4_000_000
"""Samples of response and command that are kept: 80 s at 50 kHz."""

NUMBERS = 1_000_000
"""Numbers of draws and overlays that are kept: some fifty trials."""


class Shared:
    """Rings for samples, a shelf for the arrays of a trial, and the board with the recording's state.

    Args:
        name: Of a block that is there already; None makes one.

    Attributes:
        response: Samples as they come [mV or pA].
        command: As many, NaN where the command is not measured [pA or mV].
        shelf: Draws and overlays, which messages point to.
        board: The recording's state as JSON, and the engine's heartbeat.
    """

    def __init__(self, name: str | None = None) -> None:
        samples, numbers = Ring.bytes_of(SAMPLES), Ring.bytes_of(NUMBERS)
        ends = [samples, 2 * samples, 2 * samples + numbers, 2 * samples + numbers + BYTES]
        self._memory = SharedMemory(name, create=name is None, size=ends[-1])
        memory = cast(memoryview, self._memory.buf)
        self._views = [memory[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self.response, self.command = Ring(self._views[0], SAMPLES), Ring(self._views[1], SAMPLES)
        self.shelf, self.board = Ring(self._views[2], NUMBERS), Board(self._views[3])

    @property
    def name(self) -> str:
        """What another process attaches it by."""
        return self._memory.name

    def close(self) -> None:
        """Let go of it; nothing of it can be read or written any more."""
        # Memory can't be given back while arrays point into it.
        del self.response, self.command, self.shelf, self.board
        for view in self._views:
            view.release()
        self._memory.close()

    def unlink(self) -> None:
        """Take it away, once nobody needs it."""
        self._memory.unlink()
