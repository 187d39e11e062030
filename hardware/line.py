"""This file is the line: a serial port as a way for frames, read by a thread of its own in large pieces."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from hardware.frame import Frame, Unframer, packed
from hardware.port import Port, PortError, PortLost
from hardware.telegram import Samples

__all__ = ["VALUES", "Line", "LineError", "check_rate", "needed_baud"]

VALUES = 100
"""Values that a device packs into one frame at most, of all channels together."""

_BITS = 10  # of a byte on a line: start, eight, stop
_USED = 0.95  # of a line by samples at most; the rest is for answers
_WAIT = 0.02
_GATHER = 0.004


class LineError(PortError):
    """The line is too slow for what it should pass, or is dead."""


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
    """A serial port on which frames come and go.

    Args:
        port: As the system names it.
        baud: Bits a second; a board with native USB ignores it.
        dtr: As `Port`.
        listener: Is given every frame, by the line's thread.
        idle: Is called by that thread after every piece, and at least each 20 ms.
    """

    def __init__(
        self, port: str, baud: int, dtr: bool, listener: Callable[[Frame], None], idle: Callable[[], None]
    ) -> None:
        self._port = Port(port, baud, dtr)
        self._listener, self._idle = listener, idle
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._writing = threading.Lock()
        self._unframer = Unframer()
        self.hurries = False
        """Whether somebody waits for what comes next, so that nothing is gathered."""
        self.fault: LineError | None = None
        """Why the line no longer passes anything; None while it does."""

    @property
    def port(self) -> str:
        """As the system names it."""
        return self._port.name

    @property
    def damaged(self) -> int:
        """Frames that came and could not be read."""
        return self._unframer.damaged

    def open(self) -> None:
        """Open the port and begin to listen.

        Raises:
            PortError: If there is no such port, another program has it, or it may not be opened.
        """
        self._port.open()
        self.fault, self._unframer = None, Unframer()
        self._closing.clear()
        self._thread = threading.Thread(target=self._listen, name=f"line {self.port}", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> None:
        """Write a frame.

        Args:
            frame: What is to be sent.

        Raises:
            LineError: If the line is dead.
            PortError: If the port is closed, or takes nothing.
        """
        if self.fault is not None:
            raise self.fault
        try:
            with self._writing:
                self._port.write(packed(frame))
        except PortLost as error:
            self.fault = _dead(self.port)
            raise self.fault from error

    def close(self) -> None:
        """Stop listening and let go of the port."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._port.close()

    def _listen(self) -> None:
        """Read until closed: all that is there, then a moment's rest, so that pieces are large and few."""
        try:
            while not self._closing.is_set():
                came = self._port.read(_WAIT)
                for frame in self._unframer.push(came):
                    self._listener(frame)
                self._idle()
                if came and not self.hurries:
                    self._closing.wait(_GATHER)
        except PortLost:
            self.fault = self.fault or _dead(self.port)


def _dead(port: str) -> LineError:
    """Say what an unplugged device means for the cell."""
    return LineError(
        f"The line {port} is dead: the device was unplugged or lost power, and could not be told to return to the exit "
        "level. Its watchdog does so within 250 ms where it still has power; look after the cell, plug it in and open "
        "the rig again."
    )
