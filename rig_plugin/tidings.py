"""This file is the tidings: what the window's log says of parameters that have changed, once for each."""

from __future__ import annotations

from estimators.shift import Shift
from rig_plugin.trial import Trial

__all__ = ["Tidings"]


class Tidings:
    """Tell of each change when its alarm is raised, and again when the cell is another."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def of(self, trial: Trial) -> tuple[str, ...]:
        """Give the sentences that are news with this trial.

        Args:
            trial: In the order of the session.

        Returns:
            One for each parameter whose alarm was not told before, the surest first; empty where the network does not
            track.
        """
        news: list[Shift] = [shift for shift in trial.shifts or () if shift.parameter not in self._told]
        self._told.update(shift.parameter for shift in news)
        return tuple(shift.sentence for shift in news)

    def clear(self) -> None:
        """Forget what was told: another cell begins."""
        self._told.clear()
