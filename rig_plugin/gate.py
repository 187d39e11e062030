"""This file is the gate: it asks a protocol what is next, and lets it pass at once or when somebody says so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from typing import Literal, get_args

from rig_plugin.interval import Interval
from rig_plugin.proposal import Proposed
from rig_plugin.protocol import Asked, BrokenOff, Request
from rig_plugin.trial import Trial
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus

__all__ = ["Gate", "GateError", "Mode"]

_LOG = logging.getLogger("rig_plugin")

Mode = Literal["auto", "accept"]
"""Whether a sweep is played as soon as the interval allows, or waits besides until somebody says so."""


class GateError(Refusal):
    """A gate can't stand like this; the message says how it can."""


class Gate:
    """What comes next of a protocol; one thread asks, and any may say go or skip meanwhile.

    An answer counts for the sweep that was proposed last before it; one that comes while a sweep is played counts for
    none. Proposals are told only from the first call of `turn` on: until then nobody looks at them.

    Args:
        protocol: What is played.
        interval: From the start of one sweep to that of the next, which is kept in any mode.
    """

    def __init__(self, protocol: Generator[Stimulus | Asked, Trial | None, str | None], interval: Interval) -> None:
        self._protocol, self._interval = protocol, interval
        self._changed = threading.Condition()
        self._mode: Mode = "auto"
        self._answer: Literal["go", "skip"] | None = None
        self._is_watched = self._is_over = False
        self._number = -1
        self.reason: str | None = None
        """Why the protocol ended, where that was not meant to be."""

    def turn(self, mode: str) -> None:
        """Stand otherwise, from the sweep that waits now; from any thread.

        Args:
            mode: "auto" or "accept".

        Raises:
            GateError: If it is another word.
        """
        known: tuple[Mode, ...] = get_args(Mode)
        wanted = next((word for word in known if word == mode), None)
        if wanted is None:
            raise GateError(f"The gate was turned to '{mode}'; 'auto' or 'accept' was wanted.")
        with self._changed:
            self._mode, self._is_watched = wanted, True
            self._changed.notify_all()

    def go(self) -> None:
        """Let the proposed sweep pass as soon as the interval is over; from any thread."""
        self._say("go")

    def skip(self) -> None:
        """Pass over the proposed sweep at once, in either mode; from any thread."""
        self._say("skip")

    def wake(self) -> None:
        """Have what is done between two sweeps done now, where one is waited for; from any thread."""
        with self._changed:
            self._changed.notify_all()

    def end(self) -> None:
        """Wait no more; from any thread."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def close(self, reason: str | None) -> None:
        """Break the protocol off where it is not through; for the session, when nothing is played any more.

        Args:
            reason: Why the session failed; None where it did not.
        """
        try:
            self._protocol.throw(BrokenOff(reason))
        except (BrokenOff, StopIteration):
            return
        except Exception:  # noqa: BLE001 - whatever a protocol leaves undone, the recording is closed
            _LOG.exception("The protocol failed when it was broken off.")

    def next(
        self, trial: Trial | None, tell: Callable[[Proposed], None], meanwhile: Callable[[], None]
    ) -> Asked | None:
        """Ask the protocol until it gives what may be played, and wait until it may.

        Args:
            trial: Of the sweep that was played last, which the protocol is sent; None before the first, after a hold,
                and, from here, after a sweep that was passed over.
            tell: Is given each proposal, and again when the gate was turned.
            meanwhile: Is called whenever the wait was disturbed.

        Returns:
            What is next; None where the protocol is at its end.
        """
        request = self._ask(trial)
        while request is not None and not self._pass(request, tell, meanwhile):
            request = self._ask(None)
        return request

    def _ask(self, trial: Trial | None) -> Asked | None:
        try:
            asked = self._protocol.send(trial)
        except StopIteration as end:
            self.reason = end.value
            return None
        return Request(asked) if isinstance(asked, Stimulus) else asked

    def _pass(self, request: Asked, tell: Callable[[Proposed], None], meanwhile: Callable[[], None]) -> bool:
        """Wait for the interval and for an answer; tell whether it is played."""
        with self._changed:
            self._answer = None
        self._number += 1
        told: Mode | None = None
        while True:
            mode = self._mode
            proposed = _proposed(request, self._number, waits=mode == "accept")
            if proposed is not None and self._is_watched and mode != told:
                tell(proposed)
                told = mode
            meanwhile()
            with self._changed:
                left = self._interval.left
                if self._is_over:
                    return True
                if proposed is not None and self._answer == "skip":
                    return False
                waits = proposed is not None and mode == "accept" and self._answer is None
                if self._mode == mode and not waits and left <= 0.0:
                    return True
                if self._mode == mode:
                    self._pause(left if left > 0.0 else None)

    def _pause(self, seconds: float | None) -> None:
        """Wait, at most so long, for anything to change [s]."""
        self._changed.wait(seconds)

    def _say(self, answer: Literal["go", "skip"]) -> None:
        with self._changed:
            self._answer = answer
            self._changed.notify_all()


def _proposed(request: Asked, number: int, *, waits: bool) -> Proposed | None:
    """Make a proposal of what is asked for; what is no sweep, or none that can be played, is not proposed."""
    if not isinstance(request, Request) or request.stimulus is None:
        return None
    return Proposed(request.stimulus, request.gain, request.place, request.count, waits, request.candidates, number)
