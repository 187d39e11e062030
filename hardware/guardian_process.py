"""This file is the guardian's process: it listens for a heartbeat and returns the output when the heart stops.

It shares nothing with the engine but that pipe: no memory, no lock, no connection to the board. What it hears are
single bytes; what it does is one object, named by its caller, that can put the output to its exit level by itself. What
came of it, it leaves where the window finds it, for the engine may be dead by then.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from hardware.last_word import Word, WordFile

__all__ = ["ACT", "BEAT", "END", "READY", "REST", "Exit", "Watch", "main"]

BEAT, REST, ACT, END = b"b", b"r", b"a", b"e"
"""The engine lives and the output may be anywhere; the output is at its exit level; return it now; all is well."""
READY = b"ready\n"
_AGAIN = 0.25
_PERSISTENCE = 5.0
"""For how long it tries [s]."""


class Exit(Protocol):
    """Puts an output to its exit level, from a process of its own."""

    place: str
    """The output, as a sentence names it."""

    def put(self) -> None:
        """Put it there, whoever holds the device; raises whatever goes wrong."""


class Watch:
    """What was heard and when; one thread listens, another waits.

    Args:
        silence: Longest time between two beats while the output may be anywhere [s].
        clock: Monotonic time [s].
    """

    def __init__(self, silence: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._silence, self._clock = silence, clock
        self._heard = clock()
        self._last: bytes = REST
        self._changed = threading.Condition()

    def hear(self, byte: bytes) -> None:
        """Take one byte; an empty one is the end of the pipe.

        Args:
            byte: One of those above.
        """
        with self._changed:
            # After these the pipe ends too, which means nothing more.
            if self._last not in (END, ACT):
                self._last, self._heard = byte, self._clock()
            self._changed.notify()

    def wait(self) -> str | None:
        """Wait until the output has to be returned.

        Returns:
            Why, or None where the engine has ended well.
        """
        with self._changed:
            while True:
                left = None
                if self._last == END:
                    return None
                if self._last == b"":
                    return "the program that held it has died"
                if self._last == ACT:
                    return "the program could not do it"
                if self._last == BEAT:
                    left = self._heard + self._silence - self._clock()
                    if left <= 0:
                        return f"the program was silent for more than {self._silence:g} s"
                self._changed.wait(left)


def main() -> None:
    """Guard until the engine ends; the one argument says what and how."""
    asked = json.loads(sys.argv[1])
    # What is meant for the engine (an interrupt from the keyboard, a terminal that closes) reaches this process too.
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    module, name = asked["exit"].split(":")
    exit_ = getattr(importlib.import_module(module), name)(**asked["arguments"])
    watch = Watch(asked["silence"])
    threading.Thread(target=_listen, args=(watch,), daemon=True).start()
    file = WordFile()
    file.watch()
    _say(sys.stdout.fileno(), READY)
    reason = watch.wait()
    if reason is None:
        file.end()
        return
    word = _return(exit_, reason)
    file.leave(word)
    _say(sys.stdout.fileno(), json.dumps(asdict(word)).encode())
    _say(sys.stderr.fileno(), f"{word.sentence}\n".encode())


def _listen(watch: Watch) -> None:
    """Read the pipe byte for byte to its end."""
    while True:
        heard = os.read(sys.stdin.fileno(), 4096)
        watch.hear(heard[-1:])
        if not heard:
            return


def _return(exit_: Exit, reason: str) -> Word:
    """Return the output, if need be in several tries, and say how it went."""
    end = time.monotonic() + _PERSISTENCE
    while True:
        try:
            exit_.put()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try may go well
            trouble = str(error)
        else:
            return Word(True, f"The guardian returned {exit_.place}, because {reason}.")
        if time.monotonic() > end:
            break
        time.sleep(_AGAIN)
    return Word(
        False,
        f"The guardian could not return {exit_.place}, although {reason}: take the amplifier's external command away "
        f"by hand. {trouble}",
    )


def _say(descriptor: int, said: bytes) -> None:
    """Say something to whoever still listens."""
    with contextlib.suppress(OSError):
        os.write(descriptor, said)


if __name__ == "__main__":
    main()
