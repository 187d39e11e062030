"""This file is the reel: the recorder of the moment, which is changed between sweeps where somebody asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hardware.recorder import Recorder
from simulators.refusal import Refusal

__all__ = ["Maker", "Reel"]

Maker = Callable[[Path | None], Recorder]
"""Makes a recorder with a new file in a folder, or in the one that is meant where none is named."""

_NO_MAKER = "What is played here is not recorded: open a rig to record."


class Reel:
    """One recorder at a time, or none.

    Args:
        recorder: The first, or None.
        make: Makes another one; None where nothing can be recorded.
    """

    def __init__(self, recorder: Recorder | None = None, make: Maker | None = None) -> None:
        self.recorder = recorder
        self.refusal: str | None = None
        """Why the last wish was not fulfilled, as a sentence with the remedy."""
        self._make = make
        self._wish: tuple[bool, Path | None] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether something is to be changed at the next border."""
        return self._wish is not None

    def ask(self, on: bool, folder: Path | None = None) -> None:
        """Wish that all is recorded from the next border on, or nothing; from any thread.

        Args:
            on: Whether it is recorded.
            folder: Where; None leaves it where it is meant to be.
        """
        self._wish = (on, folder)

    def turn(self) -> bool:
        """Do what was asked for; for the session, between two sweeps.

        A file that can't be made or closed is told in `refusal`, and the session goes on.

        Returns:
            Whether the recorder is another one now.
        """
        wish, self._wish = self._wish, None
        if wish is None:
            return False
        on, folder = wish
        self.refusal = None
        if on == (self.recorder is not None):
            return False
        try:
            if on:
                self.recorder = self._begin(folder)
            else:
                self.close()
        except Refusal as refusal:
            self.refusal = str(refusal)
        except OSError as error:
            self.refusal = f"No recording could be begun ({error}): choose another folder."
        return self.refusal is None or not on

    def close(self) -> None:
        """Close the file that is written, if there is one.

        Raises:
            RecorderError: If not all of it reached the disk.
        """
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            recorder.close()

    def finish_stretch(self, begun: bool) -> None:
        """End a stretch without gaps, and have it on the disk.

        Args:
            begun: Whether any of it was recorded.
        """
        if begun and self.recorder is not None:
            self.recorder.finish_continuous()
            self.recorder.flush()

    def _begin(self, folder: Path | None) -> Recorder:
        if self._make is None:
            raise Refusal(_NO_MAKER)
        return self._make(folder)
