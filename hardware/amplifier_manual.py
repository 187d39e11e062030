"""This file is the manual amplifier: one that nobody can ask, as its user says that it stands."""

from __future__ import annotations

from hardware.amplifier import Amplifier, AmplifierError, Reading

__all__ = ["ManualAmplifier"]


class ManualAmplifier(Amplifier):
    """An amplifier without a telegraph: it stands as it was entered, until something else is entered.

    Its user alone knows when a knob is turned, so a change of it is never found by reading before and after a sweep.

    Args:
        reading: As entered.

    Raises:
        AmplifierError: If the mode was not entered, without which nothing may be put out.
    """

    def __init__(self, reading: Reading) -> None:
        if reading.mode.value is None:
            raise AmplifierError(
                "The mode of a manual amplifier is missing, 'current', 'voltage' or 'zero' was wanted: read it off the "
                "amplifier and enter it as mode in [amplifier] of the rig file."
            )
        self._reading = reading

    def enter(self, reading: Reading) -> None:
        """Enter that it stands otherwise now.

        Args:
            reading: All of its settings, those that stay included.
        """
        self._reading = reading

    def _read(self) -> Reading:
        return self._reading
