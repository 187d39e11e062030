"""This file is the gaze: which parameters somebody looks at, and the slices of a posterior along these.

Slices take as long as some sweeps' inference, so that they are computed only while there is somebody who looks.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from estimators.observer import Observer
from estimators.slices import MOST, Slices
from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["Gaze", "GazeError"]

_LOG = logging.getLogger("rig_plugin")


class GazeError(Refusal):
    """Nobody can look at what was asked for; the message says why."""


class Gaze:
    """What is looked at: set from any thread, read by the one that runs the session.

    Args:
        parameters: What can be looked at.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._known = tuple(parameter.name for parameter in parameters)
        self._names: tuple[str, ...] = ()

    def turn(self, names: Sequence[str]) -> None:
        """Look at other parameters.

        Args:
            names: Theirs, at most `MOST`; none looks at nothing.

        Raises:
            GazeError: If one is unknown or named twice, or there are too many; what was looked at before stays.
        """
        strange = [name for name in names if name not in self._known]
        if strange or len(set(names)) != len(names) or len(names) > MOST:
            raise GazeError(
                f"Slices along {', '.join(names)} were asked for; at most {MOST} different ones of "
                f"{', '.join(self._known)} were wanted."
            )
        self._names = tuple(names)

    def slices(self, observer: Observer) -> Slices | None:
        """Slice what is now known of the cell.

        Args:
            observer: Who knows.

        Returns:
            The slices, or None where nobody looks, nothing is known, or it failed, which is logged.
        """
        names = self._names
        try:
            return observer.slices(names) if names else None
        except Exception:  # noqa: BLE001 - it is for the eye alone, and the recording goes on
            _LOG.exception("The posterior could not be sliced along %s; the recording goes on.", ", ".join(names))
            return None
