"""This file is the dialogue: commands that are answered, asked again where they are not, and samples between them."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections import deque
from typing import TypeVar

from hardware.frame import Frame, FrameError
from hardware.line import Line, LineError
from hardware.port import PortError
from hardware.telegram import PART, Alive, Answer, Booted, Content, Part, ReadBack, Received, Refused, Samples, Telegram
from hardware.telegram import heard as understood

__all__ = ["Dialogue", "DialogueError"]

_ANSWERED = 0.08
_TRIES = 12
_ALIVE = 0.05
_REASONS = {
    1: "it does not know this command",
    2: "the command has another length there",
    3: "a number is out of its range",
    4: "it is playing",
    5: "it has no such upload",
    6: "it has started anew and nothing was set since",
}

Wanted = TypeVar("Wanted", bound=Answer)


class DialogueError(LineError):
    """The device does not answer, or refuses.

    Args:
        message: What is wrong and what helps.
        reason: Why it refuses, as in `Refused`; 0 where it does not answer.
    """

    def __init__(self, message: str, reason: int = 0) -> None:
        super().__init__(message)
        self.reason = reason


class Dialogue:
    """What is said over one line.

    Every command may be sent twice without harm, so one whose answer is missing is sent again. While the device is to
    be kept awake, it is told each 50 ms that somebody is here, by the line's thread: a program that was killed tells
    nothing, and the device returns to its exit level.

    Args:
        port: As the system names it.
        baud: Bits a second.
        dtr: As `Line`.
    """

    def __init__(self, port: str, baud: int, dtr: bool = True) -> None:
        self._line = Line(port, baud, dtr, self._hear, self._idle)
        self._came = threading.Condition()
        self._answers: dict[int, Answer] = {}
        self._samples: deque[Samples] = deque()
        # What is still under way from a program that was killed is no answer to this one.
        self._sequence = time.monotonic_ns() >> 10 & 0xFFFF
        self._told = 0.0
        self.keeps_awake = False
        """Whether the device is told that somebody is here."""
        self.has_booted = False
        """Whether the device has started anew since this was set to False."""

    @property
    def line(self) -> Line:
        """The line that it is held over."""
        return self._line

    def open(self) -> None:
        """Open the line.

        Raises:
            PortError: If it can't be opened.
        """
        self._answers.clear()
        self._samples.clear()
        self._line.open()

    def close(self) -> None:
        """Close the line."""
        self.keeps_awake = False
        self._line.close()

    def ask(self, command: Telegram, wanted: type[Wanted], tries: int = _TRIES) -> Wanted:
        """Send a command and wait for its answer.

        Args:
            command: What is asked.
            wanted: Which answer it has.
            tries: How often it is asked.

        Returns:
            The answer.

        Raises:
            PortError: If the line is dead or takes nothing.
            DialogueError: If no answer comes, or the device refuses.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        sequence = self._sequence
        for _ in range(tries):
            answer = self._answer(command, sequence)
            if answer is not None:
                return _checked(command, answer, wanted)
            if self._line.fault is not None:
                raise self._line.fault
        raise DialogueError(
            f"The device on {self._line.port} does not answer ({type(command).__name__}, asked {tries} times): see "
            "that the port is that of the board, that the firmware is on it, and that both ends have the same baud."
        )

    def _answer(self, command: Telegram, sequence: int) -> Answer | None:
        """Send a command once, and wait for its answer."""
        self._line.hurries = True
        try:
            self._line.send(command.frame(sequence))
            with self._came:
                self._came.wait_for(lambda: sequence in self._answers or self._line.fault is not None, _ANSWERED)
                return self._answers.pop(sequence, None)
        finally:
            self._line.hurries = False

    def upload(self, kind: int, content: bytes) -> None:
        """Send what is used as a whole.

        Args:
            kind: As in `Part`.
            content: At least one byte.

        Raises:
            PortError: If the line is dead or takes nothing, or the device does not take it.
        """
        checksum, count, rounds = zlib.crc32(content), 0, 0
        while rounds <= 2 * len(content) // PART + _TRIES:
            part = content[count : count + PART]
            answer = self.ask(Part(kind, len(content), checksum, count, part), Received)
            if answer.whole:
                return
            count, rounds = min(answer.count, len(content) - 1), rounds + 1
        raise DialogueError(f"The device did not take an upload of {len(content)} bytes: reset it and try again.")

    def read_back(self, kind: int, count: int) -> bytes:
        """Ask what the device keeps.

        Args:
            kind: As in `Part`.
            count: Its length [bytes].

        Returns:
            The bytes.

        Raises:
            PortError: If the line is dead or takes nothing, or the device has nothing of that kind.
        """
        places = range(0, count, PART)
        return b"".join(self.ask(ReadBack(kind, k, min(PART, count - k)), Content).part for k in places)

    def samples(self, timeout: float) -> Samples | None:
        """Wait for samples.

        Args:
            timeout: For how long at most [s].

        Returns:
            The oldest that were not asked for, or None.
        """
        with self._came:
            self._came.wait_for(lambda: self._samples or self._line.fault is not None, timeout)
            return self._samples.popleft() if self._samples else None

    def forget_samples(self) -> None:
        """Let go of all that came so far."""
        with self._came:
            self._samples.clear()

    def _hear(self, frame: Frame) -> None:
        try:
            telegram = understood(frame)
        except FrameError:
            return
        with self._came:
            if isinstance(telegram, Samples):
                self._samples.append(telegram)
            elif isinstance(telegram, Answer) and telegram.to == self._sequence:
                self._answers = {telegram.to: telegram}
            elif isinstance(telegram, Booted):
                self.has_booted = True
            self._came.notify_all()

    def _idle(self) -> None:
        now = time.monotonic()
        if self.keeps_awake and now - self._told >= _ALIVE:
            self._told = now
            # A line that takes nothing is told by whoever asks next.
            with contextlib.suppress(PortError):
                self._line.send(Alive().frame(0))


def _checked(command: Telegram, answer: Answer, wanted: type[Wanted]) -> Wanted:
    """Take the answer that was wanted; any other is a refusal."""
    if isinstance(answer, wanted):
        return answer
    if isinstance(answer, Refused):
        reason = _REASONS.get(answer.reason, "it does not say why")
        raise DialogueError(f"The device refuses {command}: {reason}.", answer.reason)
    raise DialogueError(
        f"The device answers {command} with {answer}, {wanted.__name__} was wanted: update its firmware."
    )
