"""This file is the port: a serial port opened for us alone, and refusals that say what to do."""

from __future__ import annotations

import contextlib
import errno
import time

import serial
from serial.tools import list_ports

from hardware.rig import RigError

__all__ = ["Port", "PortError", "PortLost"]

_WAIT = 0.01  # [s]
_WRITING = 0.25  # [s]


class PortError(RigError):
    """A serial port can't be opened, is closed, or takes nothing."""


class PortLost(PortError):
    """A device is gone from its port."""


class Port:
    """A serial port between this computer and a device.

    It is opened for nobody else. Low-latency mode is switched on where the platform has it: without it a USB converter
    holds bytes back for 16 ms.

    Args:
        name: As the system calls it: "COM3", "/dev/ttyACM0".
        baud: Bits per second; a device with USB of its own takes any.
        dtr: Whether the port says that a terminal is ready; native USB sends nothing without it, and some boards reset
            when it is said.
    """

    def __init__(self, name: str, baud: int = 115_200, dtr: bool = True) -> None:
        self.name, self._baud, self._dtr = name, baud, dtr
        self._serial: serial.Serial | None = None

    def open(self) -> None:
        """Open it, for this program alone; a second time does nothing.

        Raises:
            PortError: If it is not there, in use, not permitted, or does not know the rate.
        """
        if self._serial is not None:
            return
        opened = serial.Serial()
        opened.port, opened.exclusive, opened.dtr = self.name, True, self._dtr
        opened.timeout, opened.write_timeout = _WAIT, _WRITING
        try:
            opened.baudrate = self._baud
            opened.open()
        except (OSError, ValueError) as error:
            raise PortError(_reason(self.name, self._baud, error)) from error
        with contextlib.suppress(OSError, ValueError, AttributeError, NotImplementedError):
            opened.set_low_latency_mode(True)
        if hasattr(opened, "set_buffer_size"):  # on Windows, whose own buffer holds 4 kB
            opened.set_buffer_size(rx_size=1 << 20)
        self._serial = opened

    def close(self) -> None:
        """Close it, also where the device is gone; a second time does nothing."""
        opened, self._serial = self._serial, None
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.close()

    def write(self, data: bytes) -> None:
        """Send bytes.

        Args:
            data: All of them.

        Raises:
            PortLost: If the device is gone.
            PortError: If it takes nothing for 0.25 s, or the port is closed.
        """
        opened = self._opened()
        try:
            opened.write(data)
        except serial.SerialTimeoutException as error:
            raise PortError(
                f"The device at {self.name} takes nothing any more: look after it, and open it again."
            ) from error
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
            PortError: If the port is closed.
        """
        opened, end = self._opened(), time.monotonic() + patience
        while True:
            try:
                data = opened.read(max(1, opened.in_waiting))
                if data:
                    data += opened.read(opened.in_waiting)
            except OSError as error:
                raise self._lost(error) from error
            if data or time.monotonic() >= end:
                return data

    def forget(self) -> None:
        """Drop what came and was not read.

        Raises:
            PortLost: If the device is gone.
            PortError: If the port is closed.
        """
        opened = self._opened()
        try:
            opened.read(opened.in_waiting)
        except OSError as error:
            raise self._lost(error) from error

    def _opened(self) -> serial.Serial:
        if self._serial is None:
            raise PortError(f"The port {self.name} is closed: open it first.")
        return self._serial

    def _lost(self, error: OSError) -> PortLost:
        return PortLost(f"The device at {self.name} is gone ({error}): plug it in and open it again.")


def _reason(name: str, baud: int, error: OSError | ValueError) -> str:
    """Say why a port could not be opened, and what to do."""
    number, said = getattr(error, "errno", None), str(error).lower()
    if number == errno.EACCES:
        return (
            f"The port {name} may not be opened by you: on Linux, `sudo usermod -aG dialout $USER` and a new login; "
            "elsewhere, ask who owns it."
        )
    # Windows tells by words alone.
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in said or "permissionerror" in said:
        return f"The port {name} is in use by another program: close that one, then open it again."
    if isinstance(error, ValueError):
        return f"The port {name} does not know {baud:,} baud: choose a rate that it has."
    there = ", ".join(sorted(found.device for found in list_ports.comports())) or "none"
    if number == errno.ENOENT or "filenotfound" in said:
        return f"There is no port {name}: plug the device in, or name another; of serial ports there are: {there}."
    return (
        f"The port {name} can't be opened as a serial port at {baud:,} baud ({error}): check its name and the rate; of "
        f"serial ports there are: {there}."
    )
