"""This file is the vigil: how long the window waits for a guardian's word after the engine died, and what it says."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hardware.last_word import Lookout, Word

__all__ = ["Vigil"]

_LOG = logging.getLogger("rig_plugin")
_PATIENCE = 10.0
_SILENT = Word(
    False,
    f"The guardian has not said within {_PATIENCE:g} s what became of the output since the engine died: take the "
    "amplifier's external command away by hand.",
)


class Vigil:
    """The folder of the guardians' words, and what is expected there.

    Args:
        clock: Monotonic time [s]; another one for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.folder = Path(tempfile.mkdtemp(prefix="rig-plugin-"))
        self._lookout = Lookout(self.folder)
        self._died: float | None = None

    def begin(self) -> None:
        """Be told that a session begins: who watched an earlier one and was killed is waited for no more."""
        if self._died is None:
            self._lookout.forget()

    def mourn(self) -> bool:
        """Be told that the engine died.

        Returns:
            Whether a guardian watched, whose word will come, or the word that it did not.
        """
        if not self._lookout.is_watched:
            return False
        self._died = self._clock()
        return True

    def take(self) -> tuple[Word, ...]:
        """Read what the guardians said since the last look.

        Returns:
            Their words, or that one is missing which should have come by now.
        """
        words = self._lookout.collect()
        if words:
            self._died = None
        elif self._died is not None and self._clock() - self._died > _PATIENCE:
            self._died = None
            self._lookout.forget()
            return (_SILENT,)
        return words

    def end(self) -> None:
        """Log what nobody looked at any more, and take the folder away."""
        for word in self.take():
            _LOG.warning("%s", word.sentence)
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)
