"""This file is the watch on an amplifier: it is read before and after each sweep, and tells what came between."""

from __future__ import annotations

from hardware.amplifier import Amplifier, AmplifierError, Reading, changed, unfit
from simulators.refusal import Refusal
from simulators.stimulus import Clamp

__all__ = ["AmplifierWatch"]


class AmplifierWatch:
    """Keeps how an amplifier stood before the sweep being played, or last played.

    Without an amplifier nothing is known, nothing is refused and no sweep is invalid.

    Args:
        amplifier: Who is asked, or None.
    """

    def __init__(self, amplifier: Amplifier | None = None) -> None:
        self._amplifier = amplifier
        self._expected: Reading | None = None
        self.reading: Reading | None = None
        """How it stood before the sweep, or None where nobody can be asked."""
        self.invalid: str | None = None
        """Why the sweep can't be used, as a sentence, or None."""

    @property
    def injected(self) -> float:
        """What it injects itself, 0 where it does not say [pA, or mV in voltage clamp]."""
        return (self.reading.holding.value or 0.0) if self.reading is not None else 0.0

    def open(self) -> None:
        """Take hold of the amplifier."""
        if self._amplifier is not None:
            self._amplifier.open()

    def close(self) -> None:
        """Let go of it."""
        if self._amplifier is not None:
            self._amplifier.close()

    def expect(self, clamp: Clamp) -> None:
        """Read it for a sweep to come, which has to find it as it stands now.

        Args:
            clamp: What the sweep is meant for.

        Raises:
            AmplifierError: If it can't be read, or its mode does not fit.
        """
        self._ask(clamp)
        self._expected = self.reading

    def begin(self, clamp: Clamp) -> None:
        """Read it just before anything is put out.

        Args:
            clamp: What the command is meant for.

        Raises:
            AmplifierError: If it can't be read, or its mode does not fit. What was changed since it was expected makes
                the sweep invalid.
        """
        expected, self._expected, self.invalid = self._expected, None, None
        self._ask(clamp)
        if expected is not None and self.reading is not None:
            self.invalid = changed(expected, self.reading)

    def end(self) -> None:
        """Read it after the sweep; the cell is in its exit state already, so nothing is raised."""
        if self._amplifier is None or self.reading is None:
            return
        try:
            self.invalid = self.invalid or changed(self.reading, self._amplifier.read())
        except Refusal as error:
            self.invalid = f"How the amplifier stood after the sweep is unknown, so the sweep is not used: {error}"

    def _ask(self, clamp: Clamp) -> None:
        if self._amplifier is None:
            return
        self.reading = self._amplifier.read()
        reason = unfit(self.reading, clamp)
        if reason is not None:
            raise AmplifierError(reason)
