"""This file is the pace: whether samples come as fast as a cell gives them or as fast as can be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

__all__ = ["Pace", "Speed"]

Speed = Literal["real", "max"]


class Pace:
    """A clock that holds samples back until a rig would have them.

    Args:
        speed: "real" waits, "max" does not.
        clock: Monotonic time [s].

    Raises:
        ValueError: If the speed is another.
    """

    def __init__(self, speed: Speed = "real", clock: Callable[[], float] = time.monotonic) -> None:
        if speed not in ("real", "max"):
            raise ValueError(f"Speed is '{speed}'; 'real' or 'max' was wanted.")
        self.speed: Speed = speed
        self._clock = clock
        self._began = clock()

    def begin(self) -> None:
        """Set the time of the first sample."""
        self._began = self._clock()

    def wait(self, until: float, stopping: threading.Event) -> None:
        """Wait until a sample is due, or for a stop.

        Args:
            until: Time of the sample since `begin` [ms].
            stopping: Ends the wait.
        """
        left = self._began + until / 1e3 - self._clock()
        if self.speed == "real" and left > 0:
            stopping.wait(left)
