"""This file is the line: the serial port as a way for frames, read by a thread of its own in large pieces."""

from __future__ import annotations

import contextlib
import errno
import math
import threading
from collections.abc import Callable

import serial
from serial.tools import list_ports

from hardware.frame import Frame, Unframer, packed
from hardware.rig import RigError
from hardware.telegram import Samples

__all__ = ["VALUES", "Line", "LineError", "check_rate", "needed_baud"]

VALUES = 100
"""Values that a device packs into one frame at most, of all channels together."""

_BITS = 10  # of a byte on a line: start, eight, stop
_USED = 0.95  # of a line by samples at most; the rest is for answers
_WAIT = 0.02
_GATHER = 0.004
_PATIENCE = 0.25


class LineError(RigError):
    """The line can't be opened, or does not pass what it should."""


def needed_baud(rate: float, channels: int) -> int:
    """Tell how fast a line has to be.

    Args:
        rate: Sampling rate [kHz].
        channels: How many.

    Returns:
        Bits a second, with a twentieth to spare.

    Example:
        >>> needed_baud(20.0, 2)
        922106
    """
    samples = VALUES // channels
    wire = len(packed(Samples(1, 0, channels, bytes(2 * samples * channels)).frame(0)))
    return math.ceil(rate * 1e3 / samples * wire * _BITS / _USED)


def check_rate(rate: float, channels: int, baud: int) -> None:
    """Refuse a rate that the line can't carry.

    Args:
        rate: Sampling rate [kHz].
        channels: How many.
        baud: Of the line [bits/s].

    Raises:
        LineError: If more would come than fits through.
    """
    needed = needed_baud(rate, channels)
    if needed > baud:
        raise LineError(
            f"{channels} channels at {rate:g} kHz need a line of {needed:,} baud and this one has {baud:,}: raise the "
            f"baud on both ends, use a board with native USB, or sample at {rate * baud / needed:.2g} kHz or slower."
        )


class Line:
    """A serial port between this computer and a device.

    It is opened for nobody else. Low-latency mode is switched on where the platform has it: without it a USB converter
    holds bytes back for 16 ms.

    Args:
        port: As the system names it.
        baud: Bits a second; a board with native USB ignores it.
        dtr: Whether the line says that a terminal is ready; native USB sends nothing without it, and some boards reset
            when it is said.
        listener: Is given every frame, by the line's thread.
        idle: Is called by that thread after every piece, and at least each 20 ms.
    """

    def __init__(
        self, port: str, baud: int, dtr: bool, listener: Callable[[Frame], None], idle: Callable[[], None]
    ) -> None:
        self.port, self._baud, self._dtr = port, baud, dtr
        self._listener, self._idle = listener, idle
        self._serial: serial.Serial | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._writing = threading.Lock()
        self._unframer = Unframer()
        self.has_low_latency = False
        """Whether the platform took the low-latency mode."""
        self.hurries = False
        """Whether somebody waits for what comes next, so that nothing is gathered."""
        self.fault: LineError | None = None
        """Why the line no longer passes anything; None while it does."""

    @property
    def damaged(self) -> int:
        """Frames that came and could not be read."""
        return self._unframer.damaged

    def open(self) -> None:
        """Open the port and begin to listen.

        Raises:
            LineError: If there is no such port, another program has it, or it may not be opened.
        """
        port = serial.Serial()
        port.port, port.baudrate, port.exclusive = self.port, self._baud, True
        port.timeout, port.write_timeout, port.dtr = _WAIT, _PATIENCE, self._dtr
        try:
            port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            raise _refusal(self.port, self._baud, error) from error
        with contextlib.suppress(OSError, ValueError, AttributeError, NotImplementedError):
            port.set_low_latency_mode(True)
            self.has_low_latency = True
        if hasattr(port, "set_buffer_size"):  # on Windows, whose own buffer holds 4 kB
            port.set_buffer_size(rx_size=1 << 20)
        self._serial, self.fault = port, None
        self._unframer = Unframer()
        self._closing.clear()
        self._thread = threading.Thread(target=self._listen, name=f"line {self.port}", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> None:
        """Write a frame.

        Args:
            frame: What is to be sent.

        Raises:
            LineError: If the line is closed, dead, or takes nothing.
        """
        port = self._serial
        if self.fault is not None or port is None:
            raise self.fault or LineError(f"The line {self.port} is closed: open the rig first.")
        try:
            with self._writing:
                port.write(packed(frame))
        except serial.SerialTimeoutException as error:
            raise LineError(f"The line {self.port} takes nothing any more: look after the device.") from error
        except (serial.SerialException, OSError) as error:
            self.fault = _dead(self.port)
            raise self.fault from error

    def close(self) -> None:
        """Stop listening and let go of the port."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._serial is not None:
            with contextlib.suppress(serial.SerialException, OSError):
                self._serial.close()
            self._serial = None

    def _listen(self) -> None:
        """Read until closed: all that is there, then a moment's rest, so that pieces are large and few."""
        port = self._serial
        try:
            while port is not None and not self._closing.is_set():
                came = port.read(max(1, port.in_waiting))
                for frame in self._unframer.push(came):
                    self._listener(frame)
                self._idle()
                if came and not self.hurries:
                    self._closing.wait(_GATHER)
        except (serial.SerialException, OSError):
            self.fault = self.fault or _dead(self.port)


def _dead(port: str) -> LineError:
    """Say what an unplugged device means for the cell."""
    return LineError(
        f"The line {port} is dead: the device was unplugged or lost power, and could not be told to return to the exit "
        "level. Its watchdog does so within 250 ms where it still has power; look after the cell, plug it in and open "
        "the rig again."
    )


def _refusal(port: str, baud: int, error: Exception) -> LineError:
    """Say why a port can't be opened, and what helps."""
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return LineError(
            f"The port {port} may not be opened by you: on Linux, `sudo usermod -aG dialout $USER` and a new login."
        )
    if number == errno.EBUSY or "lock" in str(error) or "PermissionError" in str(error):
        return LineError(f"The port {port} is in use by another program: close that one, then open the rig again.")
    if isinstance(error, ValueError) and not isinstance(error, serial.SerialException):
        return LineError(f"The port {port} does not know {baud:,} baud: choose one that it has ([serial] baud).")
    there = ", ".join(sorted(found.device for found in list_ports.comports())) or "none"
    return LineError(f"The port {port} can't be opened as a serial line; of serial ports there are: {there}.")
