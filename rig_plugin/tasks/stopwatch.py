"""This file is the stopwatch: it notes in the engine when a sweep's last sample came, and when a session was over.

Its clock is the one of all processes of the computer, so that a window can be measured against it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from estimators.slices import Slices
from hardware.decision import Decision
from hardware.injection import Injection
from rig_plugin.dosing import Dosing
from rig_plugin.feed import RecordingStatus
from rig_plugin.membrane_tests import Tested
from rig_plugin.proposal import Proposed
from rig_plugin.refined import Refined
from rig_plugin.settings import Settings
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

if TYPE_CHECKING:
    from rig_plugin.audience import Listener
    from rig_plugin.session import Session

__all__ = ["Stopwatch", "timed"]

Array = npt.NDArray[np.float64]


def timed(settings: Settings, notes: Path, listener: Listener) -> Session:
    """Open a session on a rig as the window does, with a stopwatch beside it.

    Args:
        settings: What the rig file says.
        notes: Where the stopwatch writes.
        listener: Who else is told.

    Returns:
        The session.
    """
    from rig_plugin import opening

    network = opening.network(settings.network.path)
    return opening.attach(settings, network, listeners=(Stopwatch(notes), listener), overlays=True)


class Stopwatch:
    """A listener that writes a JSON line for each trial and each end.

    Args:
        notes: Where to.
    """

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._came = 0.0

    @staticmethod
    def read(notes: Path) -> tuple[dict[int, float], list[float]]:
        """Read what was written.

        Args:
            notes: Where.

        Returns:
            When the last sample of each trial came, and when sessions ended [s].
        """
        lines = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
        sweeps = {line["trial"]: line["last_sample"] for line in lines if "trial" in line}
        return sweeps, [line["ended"] for line in lines if "ended" in line]

    def started(
        self, stimulus: Stimulus, rate: float, file_sweep: int | None, units: Mapping[str, str] | None = None
    ) -> None:
        """Take no note."""

    def block(self, response: Array, command: Array | None, others: Mapping[str, Array] | None = None) -> None:
        """Remember when this one came."""
        self._came = time.perf_counter()

    def finished(self, trial: Trial) -> None:
        """Note when the last block of it came."""
        self._write(trial=trial.index, last_sample=self._came)

    def overlaid(self, trial: int, overlay: Overlay) -> None:
        """Take no note."""

    def beside(self, injection: Injection) -> None:
        """Take no note."""

    def tested(self, tested: Tested) -> None:
        """Take no note."""

    def sliced(self, trial: int, slices: Slices) -> None:
        """Take no note."""

    def proposed(self, proposed: Proposed) -> None:
        """Take no note."""

    def decided(self, decision: Decision) -> None:
        """Take no note."""

    def dosed(self, dosing: Dosing) -> None:
        """Take no note."""

    def refined(self, refined: Refined) -> None:
        """Take no note."""

    def status(self, recording: RecordingStatus) -> None:
        """Take no note."""

    def ended(self, reason: str | None) -> None:
        """Note when: the rig is in its exit state by then."""
        self._write(ended=time.perf_counter())

    def _write(self, **note: float) -> None:
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
