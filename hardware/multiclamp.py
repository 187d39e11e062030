"""This file is the MultiClamp 700A or 700B: an amplifier that its Commander program tells of.

The telegraph, by messages between windows, tells mode, gain, filter and command sensitivity; the Commander's library
adds bridge, holding and neutralization. Both work on the computer on which the Commander runs, which is Windows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from hardware.amplifier import Amplifier, AmplifierError, Reading, Setting
from hardware.multiclamp_commander import Commander
from hardware.multiclamp_telegraph import HeadstageId, telegram

__all__ = ["Mailbox", "Message", "MultiClamp"]

Kind = Literal["open", "close", "request", "reconnect"]

_PATIENCE = 1.0  # [s]


@dataclass(frozen=True)
class Message:
    """What came from a Commander.

    Args:
        kind: "request" carries a packet, "reconnect" says that a Commander has started anew.
        headstage: The packed identifier, of "reconnect".
        data: The packet, of "request".
    """

    kind: Kind
    headstage: int = 0
    data: bytes = b""


class Mailbox(Protocol):
    """A window that sends to all windows and keeps what comes back."""

    def open(self) -> None:
        """Make the window."""

    def close(self) -> None:
        """Take the window away."""

    def post(self, kind: Kind, headstage: int) -> None:
        """Send a message to all windows."""

    def receive(self, patience: float) -> Message | None:
        """Wait for the next message so long [s], or give None."""


class MultiClamp(Amplifier):
    """Listens to the telegraph of one headstage, and asks the Commander for the rest.

    Args:
        mailbox: A window of ours.
        headstage: Which headstage.
        commander: What answers for bridge, holding and neutralization; None leaves them unknown.
        patience: How long an answer may take [s].
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        mailbox: Mailbox,
        headstage: HeadstageId,
        commander: Commander | None = None,
        patience: float = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mailbox, self._headstage, self._commander = mailbox, headstage, commander
        self._patience, self._clock = patience, clock
        self._is_open = False

    def open(self) -> None:
        """Subscribe to the headstage; a second time does nothing.

        Raises:
            AmplifierError: If this computer has no Commander, or it has no such headstage.
        """
        if self._is_open:
            return
        self._mailbox.open()
        try:
            if self._commander is not None:
                self._commander.open()
            self._mailbox.post("open", self._headstage.packed)
        except BaseException:
            self._mailbox.close()
            raise
        self._is_open = True

    def close(self) -> None:
        """Unsubscribe; a second time does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._mailbox.post("close", self._headstage.packed)
        finally:
            self._mailbox.close()
            if self._commander is not None:
                self._commander.close()

    def _read(self) -> Reading:
        if not self._is_open:
            raise AmplifierError("The MultiClamp is closed: open it, with the rig, before it is read.")
        reading = self._telegraphed()
        mode = reading.mode.value
        if self._commander is None or mode is None or mode == "zero":
            return reading
        told = self._commander.settings(mode)
        nothing: Setting[float] = Setting()
        return replace(
            reading,
            bridge=told.get("bridge", nothing),
            holding=told["holding"],
            neutralization=told.get("neutralization", nothing),
        )

    def _telegraphed(self) -> Reading:
        """Ask for the state as it is now; what came unasked is older than the question and only read past."""
        while (late := self._mailbox.receive(0.0)) is not None:
            if late.kind == "reconnect" and late.headstage == self._headstage.packed:
                self._mailbox.post("open", self._headstage.packed)
        self._mailbox.post("request", self._headstage.packed)
        end = self._clock() + self._patience
        while (rest := end - self._clock()) > 0:
            message = self._mailbox.receive(rest)
            if message is None:
                break
            if message.kind == "reconnect" and message.headstage == self._headstage.packed:
                self._mailbox.post("open", self._headstage.packed)
                self._mailbox.post("request", self._headstage.packed)
            elif message.kind == "request":
                told = telegram(message.data)
                if told.headstage.packed == self._headstage.packed:
                    return told.reading
        raise AmplifierError(
            f"No MultiClamp Commander told within {self._patience:g} s how {self._headstage} stands: start it, and "
            "check channel and serial number."
        )
