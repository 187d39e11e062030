"""This file is the dyClamp beside a rig: calibrated, read back, set, reported while it injects, and left with nothing.

A thread reads the reports, since the board gives them whether or not a sweep is played. Between `begin` and `close` the
line is that thread's alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from hardware.dyclamp import DyClamp, DyClampError
from hardware.injection import Injection
from hardware.rig import RigError

__all__ = ["DyClampCompanion"]

_PATIENCE = 0.2
_SILENCE = 10
"""Looks without a report after which what the board does is not known: two seconds."""


class DyClampCompanion:
    """Conductances that are there from the opening of a rig to its closing.

    Args:
        clamp: The board, closed.
        place: The board and its port, as a sentence names them.
        calibration: What the board has to have, by the names in `dyclamp.CALIBRATION`; what differs is set and read
            back before any conductance is.
        conductances: What is set, by the names in `dyclamp.CONDUCTANCES` [nS].
        tell: Who is told how it stands, from any thread; has to return at once.
    """

    def __init__(
        self,
        clamp: DyClamp,
        place: str,
        calibration: Mapping[str, float],
        conductances: Mapping[str, float],
        tell: Callable[[Injection], None],
    ) -> None:
        self._clamp, self._tell = clamp, tell
        self._calibration = dict(calibration)
        self._conductances = {name: value for name, value in conductances.items() if value}
        self._state = Injection(place)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: RigError | None = None

    @property
    def added(self) -> str | None:
        """The conductances, or None where all are zero."""
        return ", ".join(f"{name} of {value:g} nS" for name, value in self._conductances.items()) or None

    def open(self) -> None:
        """Find the board with no conductance, and see that its calibration is what was asked.

        Raises:
            RigError: If it can't be found, could inject more than the limits, or does not take the calibration.
        """
        self._fault = None
        self._ending.clear()
        self._clamp.open()
        try:
            for name, value in self._calibration.items():
                if self._clamp.calibration[name] != round(value, 2):
                    self._clamp.calibrate(name, value)
        except BaseException:
            self._clamp.close()
            raise
        self._say(conductances={}, fault=None, voltage=None, current=None, cycle=None)

    def begin(self) -> None:
        """Set the conductances, each read back, and report from now on.

        Raises:
            RigError: If the board does not do it.
        """
        for name, value in self._conductances.items():
            # Told before, for a board that is just being told may inject already.
            self._say(conductances={**self._state.conductances, name: value})
            self._clamp.set(name, value)
        self._thread = threading.Thread(target=self._report, name="dyClamp")
        self._thread.start()

    def check(self) -> None:
        """Raise where the board has gone or fallen silent.

        Raises:
            RigError: With what to do.
        """
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Set every conductance to zero, see that it is, and let go.

        Raises:
            RigError: If the board could not be told.
        """
        self._ending.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        try:
            self._clamp.close()
        except RigError as error:
            self._say(fault=str(error))
            raise
        self._say(conductances={}, fault=None)

    def _report(self) -> None:
        """Tell what the board reports, until the end or until it reports no more."""
        silent = 0
        while not self._ending.is_set():
            try:
                reports = self._clamp.reports(_PATIENCE)
                silent = 0 if reports else silent + 1
                if silent >= _SILENCE:
                    raise DyClampError(
                        f"The {self._state.place} has not reported for {_SILENCE * _PATIENCE:g} s: what it injects is "
                        "not known. Switch the amplifier's external command off, then see to the board."
                    )
            except RigError as error:
                self._fault = error
                self._say(fault=str(error))
                return
            if reports:
                newest = reports[-1]
                self._say(voltage=newest.voltage, current=newest.current, cycle=newest.cycle)

    def _say(self, **changes: object) -> None:
        self._state = replace(self._state, count=self._state.count + 1, **changes)  # type: ignore[arg-type]
        self._tell(self._state)
