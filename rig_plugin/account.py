"""This file is the account: what came of a recording, what did not, and which moments were marked in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from hardware.entry import Mark
from hardware.recorder import Recorder, RecorderError
from hardware.rig import Block
from rig_plugin.feed import RecordingStatus
from rig_plugin.reel import Reel

__all__ = ["Account"]


class Account:
    """Samples and marks of a session.

    Args:
        reel: Has the recorder with which samples are saved; None where nothing ever is.
    """

    def __init__(self, reel: Reel | None = None) -> None:
        self._reel = reel or Reel()
        self._begun = time.monotonic()
        self._expected = self._received = self._lost = 0
        self._marks: list[int] = []
        self._noted: tuple[int, Mark | None] | None = None

    @property
    def marks(self) -> list[int]:
        """The samples received before each mark."""
        return list(self._marks)

    @property
    def recorder(self) -> Recorder | None:
        """Where samples are saved now, or None."""
        return self._reel.recorder

    def turn(self, tell: Callable[..., None]) -> None:
        """Begin or end a recording where that was asked for, and say how it is; between two sweeps or tests.

        Args:
            tell: Is called with the name of a listener's method and its arguments.
        """
        if self._reel.is_asked:
            if self._reel.turn():
                self._begin_anew()
            tell("status", self.status())

    def _begin_anew(self) -> None:
        """Count from nothing, as another file begins, or none."""
        self._expected = self._received = self._lost = 0
        self._marks, self._noted = [], None

    def expect(self, samples: int) -> None:
        """Count what a sweep should bring.

        Args:
            samples: Of the response.
        """
        self._expected += samples

    def take(self, block: Block) -> None:
        """Count what came, and what the rig lost before it.

        Args:
            block: What came.
        """
        self._received += block.response.size
        self._lost += block.lost

    def settle(self) -> None:
        """Expect no more than came: a sweep was broken off."""
        self._expected = self._received + self._lost

    def take_continuous(self, block: Block) -> None:
        """Count what came of a command that is held, of which nobody knows how much is to come.

        Args:
            block: What came.
        """
        self.take(block)
        self._expected = max(self._expected, self._received + self._lost)

    def note(self) -> None:
        """Hold this moment for the next mark that has a text, which is still being typed; from any thread."""
        self._noted = (self._received, self.recorder.moment() if self.recorder is not None else None)

    def mark(self, text: str = "") -> None:
        """Note the samples received so far as a moment worth finding again; may be called from any thread.

        Args:
            text: What for; with it, a moment that was held is the one that is noted.
        """
        sample, moment = self._noted if text and self._noted else (self._received, None)
        if text:
            self._noted = None
        self._marks.append(sample)
        if self.recorder is not None:
            # A mark that comes as the session ends has nothing left to be noted in.
            with contextlib.suppress(RecorderError):
                self.recorder.mark(text, moment)

    def status(self) -> RecordingStatus:
        """Say how the recording is doing.

        Returns:
            The status as it is now.
        """
        recorder = self.recorder
        return RecordingStatus(
            recording=recorder is not None,
            path=str(recorder.path) if recorder else None,
            expected=self._expected,
            received=self._received,
            on_disk=recorder.on_disk if recorder else 0,
            lost=self._lost + (recorder.dropped if recorder else 0),
            free_bytes=recorder.free_bytes if recorder else None,
            elapsed=time.monotonic() - self._begun,
            queued=recorder.queued if recorder else 0,
            alarm=recorder.alarm if recorder else None,
            refusal=self._reel.refusal,
        )
