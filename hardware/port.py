"""This file is the port: a serial line to a device, opened for us alone, and errors that say what to do."""

from __future__ import annotations

import errno
import time

import serial

from hardware.rig import RigError

__all__ = ["Port", "PortError", "PortLost"]

_WAIT = 0.01  # [s]
_WRITING = 1.0  # [s]


class PortError(RigError):
    """A serial port can't be opened."""


class PortLost(RigError):
    """A device is gone from its port."""


class Port:
    """A serial line.

    Args:
        name: As the system calls it: "COM3", "/dev/ttyACM0".
        baud: Bits per second; a device with USB of its own takes any.
    """

    def __init__(self, name: str, baud: int = 115_200) -> None:
        self.name, self._baud = name, baud
        self._line: serial.Serial | None = None

    def open(self) -> None:
        """Open it, for this program alone; a second time does nothing.

        Raises:
            PortError: If it is not there, in use, not permitted, or does not know the rate.
        """
        if self._line is not None:
            return
        try:
            self._line = serial.Serial(self.name, self._baud, timeout=_WAIT, write_timeout=_WRITING, exclusive=True)
        except (OSError, ValueError) as error:
            raise PortError(_reason(self.name, self._baud, error)) from error

    def close(self) -> None:
        """Close it; a second time does nothing."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def write(self, data: bytes) -> None:
        """Send bytes.

        Args:
            data: All of them.

        Raises:
            PortLost: If the device is gone or takes nothing.
        """
        try:
            self._opened().write(data)
        except OSError as error:
            raise self._lost(error) from error

    def read(self, patience: float) -> bytes:
        """Wait for bytes.

        Args:
            patience: How long at most [s].

        Returns:
            All that is there as soon as something is; nothing where nothing came.

        Raises:
            PortLost: If the device is gone.
        """
        line, end = self._opened(), time.monotonic() + patience
        while True:
            try:
                data = line.read(max(1, line.in_waiting))
                if data:
                    data += line.read(line.in_waiting)
            except OSError as error:
                raise self._lost(error) from error
            if data or time.monotonic() >= end:
                return data

    def forget(self) -> None:
        """Drop what came and was not read.

        Raises:
            PortLost: If the device is gone.
        """
        try:
            line = self._opened()
            line.read(line.in_waiting)
        except OSError as error:
            raise self._lost(error) from error

    def _opened(self) -> serial.Serial:
        if self._line is None:
            raise PortLost(f"The port {self.name} is closed: open it first.")
        return self._line

    def _lost(self, error: OSError) -> PortLost:
        return PortLost(f"The device at {self.name} is gone ({error}): plug it in and open it again.")


def _reason(name: str, baud: int, error: OSError | ValueError) -> str:
    """Say why a port could not be opened, and what to do."""
    number = getattr(error, "errno", None)
    said = str(error).lower()
    if number == errno.ENOENT or "filenotfound" in said:
        return f"There is no port {name}: plug the device in, and name the port that then appears."
    if number == errno.EACCES and "permission" in said:
        return (
            f"The port {name} may not be opened by you: join the group that owns it (on Linux: dialout), or close the "
            "program that has it."
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in said or "access is denied" in said:
        return f"The port {name} is in use by another program: close that one first."
    return f"The port {name} can't be opened at {baud:,} baud ({error}): check its name and the rate."
