"""This file is what the window and the engine share: a block of memory, which the window makes and takes away."""

from __future__ import annotations

import shutil
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import cast

from rig_plugin.engine.board import BYTES, Board
from rig_plugin.engine.ring import Ring
from simulators.refusal import Refusal

__all__ = ["Shared", "SharedError"]

SAMPLES = 2_000_000
"""Samples of response and command that are kept: 40 s at 50 kHz."""

FURTHER = 4
"""Further channels that the window can show; what a rig has more of is recorded all the same."""

FURTHER_SAMPLES = 400_000
"""Samples that are kept of each: 8 s at 50 kHz, for nothing looks back at them but a window that stood still."""

NUMBERS = 1_000_000
"""Numbers of draws and overlays that are kept: some fifty trials."""


_LINUX = Path("/dev/shm")
_MB = 1e6


class SharedError(Refusal):
    """There is no room for what window and engine share; the message says how to make it."""


class Shared:
    """Rings for samples, a shelf for the arrays of a trial, and the board with the recording's state.

    Args:
        name: Of a block that is there already; None makes one.

    Raises:
        SharedError: If there is too little shared memory.

    Attributes:
        response: Samples as they come [mV or pA].
        command: As many, NaN where the command is not measured [pA or mV].
        shelf: Draws and overlays, which messages point to.
        board: The recording's state as JSON, and the engine's heartbeat.
        beside: The state as JSON of a device beside the rig, which a thread of its own writes.
        further: Rings for the samples of further channels, in the units that a letter names.
    """

    def __init__(self, name: str | None = None) -> None:
        samples, numbers = Ring.bytes_of(SAMPLES), Ring.bytes_of(NUMBERS)
        ends = [
            samples,
            2 * samples,
            2 * samples + numbers,
            2 * samples + numbers + BYTES,
            2 * samples + numbers + 2 * BYTES,
        ]
        ends += [ends[-1] + (k + 1) * Ring.bytes_of(FURTHER_SAMPLES) for k in range(FURTHER)]
        if name is None:
            _check(ends[-1])
        self._memory = SharedMemory(name, create=name is None, size=ends[-1])
        memory = cast(memoryview, self._memory.buf)
        self._views = [memory[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self.response, self.command = Ring(self._views[0], SAMPLES), Ring(self._views[1], SAMPLES)
        self.shelf, self.board = Ring(self._views[2], NUMBERS), Board(self._views[3])
        self.beside = Board(self._views[4])
        self.further = [Ring(view, FURTHER_SAMPLES) for view in self._views[5:]]

    @property
    def name(self) -> str:
        """What another process attaches it by."""
        return self._memory.name

    def close(self) -> None:
        """Let go of it; nothing of it can be read or written any more."""
        # Memory can't be given back while arrays point into it.
        del self.response, self.command, self.shelf, self.board, self.beside, self.further
        for view in self._views:
            view.release()
        self._memory.close()

    def unlink(self) -> None:
        """Take it away, once nobody needs it."""
        self._memory.unlink()


def _check(size: int) -> None:
    """Refuse where memory would be promised that is not there: the first touch of it would end the process."""
    if not _LINUX.is_dir():
        return
    free = shutil.disk_usage(_LINUX).free
    if free < size:
        raise SharedError(
            f"{_LINUX} has {free / _MB:.0f} MB free and {size / _MB:.0f} MB are wanted for window and engine: make it "
            "larger (`mount -o remount,size=256m /dev/shm`; of a container, `--shm-size=256m`)."
        )
