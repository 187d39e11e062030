"""This file is the SpikerBox: a rig that only listens, to spikes outside of cells, in units of its own.

References:
    Backyard Brains (2024), Guide for USB communication with SpikerBox, revision 7.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from hardware.port import Port
from hardware.rig import ARBITRARY, Block, Gain, Provenance, Rig, RigError
from hardware.spikerbox_stream import Message, Piece, StreamDecoder, frame_channels
from simulators.limits import Limits
from simulators.stimulus import Stimulus

__all__ = ["BOARDS", "Board", "SpikerBox"]

_QUERY = b"b:;\n"
_PATIENCE = 3.0  # [s]; an Arduino begins anew when its port is opened
_AGAIN = 0.5  # [s]
_SILENCE = 1.0  # [s]
_WAIT = 0.02  # [s]
_ENOUGH = 256  # [bytes]
_KEPT = 1000
_RATE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Board:
    """What a type of board is known to do.

    Args:
        rate: Sampling rate [kHz], with no expansion board.
        bits: Of its converter.
    """

    rate: float
    bits: Literal[10, 14]


BOARDS: Mapping[str, Board] = {
    "HUMANSB": Board(5.0, 14),
    "MUSCLESB": Board(10.0, 10),
    "MSBPCDC": Board(10.0, 10),
    "NEURONSB": Board(10.0, 10),
    "NSBPCDC": Board(10.0, 10),
}
"""By what they call themselves, those that are sure."""


class SpikerBox(Rig):
    """Listens to one channel of a SpikerBox; it has no output, so every stimulus is refused.

    Without a calibration the response is the converter's codes about their middle, which are no millivolts: it is told
    as a gain of unknown origin, and no posterior is given from it.

    Args:
        port: The line, closed.
        rate: Sampling rate of a channel [kHz], which the stream does not tell.
        channels: That the board sends.
        channel: Which of them is listened to, from 1.
        bits: Of its converter, 10 or 14.
        calibration: One code of it [mV]; None where nobody has measured it.
        patience: How long the board may take to begin [s].

    Raises:
        RigError: If the channel is not among those sent, or a number can't be.
    """

    def __init__(
        self,
        port: Port,
        rate: float = 10.0,
        channels: int = 1,
        channel: int = 1,
        bits: int = 10,
        calibration: float | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        super().__init__()
        if not 1 <= channel <= channels <= 8:
            raise RigError(f"Channel {channel} of {channels} was asked for, one from 1 to 8 of those sent was wanted.")
        if bits not in (10, 14) or not rate > 0 or calibration == 0.0:
            raise RigError(
                f"The SpikerBox has {bits} bits, {rate} kHz and {calibration} mV a code; 10 or 14 bits, a positive "
                "rate and a calibration other than 0 were wanted."
            )
        self.rate, self.limits = rate, Limits()
        self._port, self._channels, self._channel, self._bits = port, channels, channel - 1, bits
        self._scale = 1.0 if calibration is None else calibration
        source = ARBITRARY if calibration is None else "rig file"
        self.gains = {"response": Gain(self._scale, "1" if calibration is None else "mV", source)}
        self._patience = patience
        self._decoder = StreamDecoder(channels)
        self._pieces: deque[Piece] = deque()
        self._begun: datetime | None = None
        self._last = 0.0
        self.board: str | None = None
        """What the board calls itself, or None where it does not say."""
        self.messages: deque[Message] = deque(maxlen=_KEPT)
        """What it said beside its samples, the latest."""

    @property
    def provenance(self) -> Provenance:
        """Where what is listened to comes from; no current is known."""
        return Provenance(self._begun)

    def _check(self, stimulus: Stimulus) -> None:
        raise RigError(
            "A SpikerBox only listens and can put out no stimulus: record without gaps (gap_free_s in [protocol]), or "
            "use a rig with output."
        )

    def _open(self) -> None:
        self._port.open()
        try:
            self._find_board()
        except BaseException:
            self._port.close()
            raise

    def _find_board(self) -> None:
        """Ask for the type of the board until frames come, and see that they are those that were declared."""
        end, asked, came = time.monotonic() + self._patience, -_AGAIN, b""
        decoder = StreamDecoder(self._channels)
        heard: list[Message] = []
        while len(came) < _ENOUGH or not any(message.key == "HWT" for message in heard):
            now = time.monotonic()
            if now >= end:
                break
            if now - asked >= _AGAIN:
                self._port.write(_QUERY)
                asked = now
            data = self._port.read(_WAIT)
            came = (came + data)[-4 * _ENOUGH :]
            decoder.feed(data)
            heard += decoder.messages
        sent = frame_channels(came)
        if sent is None:
            raise RigError(
                f"At {self._port.name} no SpikerBox sends samples within {self._patience:g} s ({len(came)} bytes "
                "came): check the port and the baud, and that the box is switched on."
            )
        if sent != self._channels:
            raise RigError(
                f"The SpikerBox sends {sent} channels and {self._channels} were declared: set channels = {sent} in "
                "[spikerbox]."
            )
        self.board = next((message.value for message in heard if message.key == "HWT"), None)
        known = BOARDS.get(self.board or "")
        if known and (known.bits != self._bits or abs(known.rate / self.rate - 1) > _RATE_TOLERANCE):
            raise RigError(
                f"The board is a {self.board} of {known.rate:g} kHz and {known.bits} bits, and {self.rate:g} kHz and "
                f"{self._bits} bits were declared: mend rate_kHz and bits in [spikerbox]."
            )

    def _start(self, stimulus: Stimulus) -> None:
        self._check(stimulus)

    def _hold(self, level: float) -> None:
        if level:
            raise RigError(f"A SpikerBox only listens and can't hold {level:g} pA: hold 0 pA.")
        self._decoder = StreamDecoder(self._channels)
        self._pieces.clear()
        # What waited in the line before is of another time.
        self._port.forget()
        self._begun, self._last = datetime.now(UTC), time.monotonic()

    def _read(self) -> Block | None:
        while not self._pieces:
            if self._stopping.is_set():
                return None
            data = self._port.read(_WAIT)
            self._pieces.extend(self._decoder.feed(data))
            self.messages.extend(self._decoder.messages)
            now = time.monotonic()
            if self._pieces:
                self._last = now
            elif now - self._last > _SILENCE:
                raise RigError(
                    f"The SpikerBox at {self._port.name} has sent no sample for {_SILENCE:g} s: look after it and its "
                    "cable, and begin anew."
                )
        piece = self._pieces.popleft()
        middle = 1 << (self._bits - 1)
        codes = piece.codes[:, self._channel].astype(np.float64)
        return Block((codes - middle) * self._scale, None, piece.lost)

    def _stop(self) -> None:
        """Nothing was put out, so there is no state to return to."""

    def _close(self) -> None:
        self._port.close()
