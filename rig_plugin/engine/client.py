"""This file is the client: the window's end of the engine, and what its buttons reach.

The engine is started when the window opens and is kept for the next session. It is told apart whether it ended in good
order, died, or does not answer.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from hardware.injection import Injection
from hardware.last_word import Word
from rig_plugin.engine.host import Opener, host
from rig_plugin.engine.inbox import Inbox
from rig_plugin.engine.letter import seal
from rig_plugin.engine.shared import Shared
from rig_plugin.engine.vigil import Vigil
from rig_plugin.feed import Ended, Guarded, Message, RecordingStatus
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.stages import DrugStage
from simulators.parameter import Parameter

__all__ = ["Client"]

_LOG = logging.getLogger("rig_plugin")
_SILENT = 1.0
_PATIENCE = 5.0
_SPAWN = multiprocessing.get_context("spawn")


class Client:
    """An engine in another process: its feed to look at, and start, stop and mark, each at once.

    Args:
        opener: Opens a session there.
        parameters: What its network infers; where that is not known yet, `infer` tells it before the first session.
        clock: Monotonic time [s]; another one for tests.
    """

    def __init__(
        self, opener: Opener, parameters: Sequence[Parameter] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._opener, self._clock = opener, clock
        self._shared = Shared()
        self._vigil = Vigil(clock)
        self._inbox = Inbox(self._shared, parameters)
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._runs = False
        self._names: tuple[str, ...] = ()
        self._mode = ""
        self._protocol: ProtocolSettings | None = None
        self._beats, self._born, self._heard = 0, 0, clock()
        self._launch()

    def infer(self, parameters: Sequence[Parameter]) -> None:
        """Be told what the network infers.

        Args:
            parameters: In order.
        """
        self._inbox.parameters = tuple(parameters)

    @property
    def status(self) -> RecordingStatus | None:
        """How the recording is doing, or None before the session began."""
        return self._inbox.recording

    @property
    def recording(self) -> RecordingStatus | None:
        """As a feed has it."""
        return self._inbox.recording

    @property
    def injection(self) -> Injection | None:
        """As a feed has it."""
        return self._inbox.injection

    @property
    def dropped(self) -> int:
        """As a feed has it."""
        return self._inbox.dropped

    @property
    def wire(self) -> int | None:
        """As a feed has it."""
        return self._inbox.wire

    @property
    def silence(self) -> float:
        """For how long an engine that lived has not said so, where that is more than a second [s]; otherwise 0."""
        beats = self._shared.board.beats
        if beats != self._beats:
            self._beats, self._heard = beats, self._clock()
        quiet = self._clock() - self._heard
        return quiet if self._runs and beats > self._born and quiet > _SILENT else 0.0

    def take(self) -> tuple[Message, ...]:
        """As a feed has it; that the engine died while a session ran is the session's end, with the reason.

        What a guardian did comes as soon as it has said so, which may be after that end.
        """
        taken = self._inbox.take()
        if any(isinstance(message, Ended) for message in taken):
            self._runs = False
        if self._runs and (self._process is None or not self._process.is_alive()):
            # What it sent before it died comes first.
            taken += self._inbox.take()
            self._runs = False
            taken += (Ended(self._obituary(is_guarded=self._vigil.mourn())), *self._left_beside())
        return (*taken, *map(Guarded, self._vigil.take()))

    @property
    def process(self) -> int | None:
        """Number of the engine's process."""
        return None if self._process is None else self._process.pid

    @property
    def memory(self) -> str:
        """Name of the memory that is shared with it."""
        return self._shared.name

    def start(self) -> None:
        """Begin a session, in a new engine where the last one died."""
        if self._process is None or not self._process.is_alive():
            self._launch()
        if not self._runs:
            self._vigil.begin()
        self._runs = True
        self._heard = self._clock()
        self._send("start")

    def stop(self) -> None:
        """End the session within one block; the rig returns the command to its exit state."""
        self._send("stop")

    def note(self) -> None:
        """Hold this moment for the next mark that has a text."""
        self._send("note")

    def mark(self, text: str = "") -> None:
        """Note this moment in the recording.

        Args:
            text: What for.
        """
        self._send("mark", text=text)

    def record(self, on: bool, folder: Path | None = None) -> None:
        """Record from the next sweep on, or end that after the running one.

        Args:
            on: Whether it is recorded.
            folder: Where the file is made; None leaves it where the rig file says.
        """
        self._send("record", on="on" if on else "off", folder="" if folder is None else str(folder))

    def look(self, names: Sequence[str]) -> None:
        """Ask for slices of the posterior after each sweep from the next on, in this session and in later ones.

        Args:
            names: Of the parameters along which it is sliced, one to five; none ends it.
        """
        self._names = tuple(names)
        self._send("look", names=self._names)

    def gate(self, mode: str) -> None:
        """Play each sweep at once ("auto") or only after `go` ("accept"), in this session and in later ones.

        Args:
            mode: One of the two.
        """
        self._mode = mode
        self._send("gate", text=mode)

    def play(self, protocol: ProtocolSettings) -> None:
        """Play another protocol from the next start on; the session that runs keeps its own.

        Args:
            protocol: For a rig; checked against the limits when the session is opened.
        """
        self._protocol = protocol
        self._send("play", protocol=asdict(protocol))

    def give(self, stage: DrugStage) -> None:
        """Give a virtual drug when the sweep that is played or waits is over.

        Args:
            stage: What is wanted; where it can't be given, the session says so and goes on.
        """
        self._send("give", drug=asdict(stage))

    def go(self) -> None:
        """Play the sweep that waits."""
        self._send("go")

    def skip(self) -> None:
        """Pass over the sweep that is next."""
        self._send("skip")

    def refine(self) -> None:
        """Refine the posterior of this cell now, also when the session is over."""
        self._send("refine")

    def close(self) -> None:
        """Let the engine finish the running sweep and end, and take the shared memory away."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.join(_PATIENCE)
            if self._process.is_alive():
                _LOG.warning("The engine finishes the running sweep and closes its file; this waits for it.")
                self._process.join()
        self._vigil.end()
        self._shared.close()
        self._shared.unlink()

    def _launch(self) -> None:
        here, there = _SPAWN.Pipe()
        # Not a daemon: it outlives a window that dies, until the cell and the file are in order.
        process = _SPAWN.Process(
            target=host, args=(self._opener, self._shared.name, there, self._vigil.folder), name="engine"
        )
        process.start()
        there.close()
        self._process, self._pipe = process, here
        self._born = self._beats = self._shared.board.beats
        self._inbox.attach(here)
        if self._names:
            self._send("look", names=self._names)
        if self._mode:
            self._send("gate", text=self._mode)
        if self._protocol is not None:
            self._send("play", protocol=asdict(self._protocol))

    def _send(self, event: str, **rest: str | Sequence[str] | Mapping[str, object]) -> None:
        try:
            if self._pipe is not None:
                self._pipe.send_bytes(seal(event, **rest))
        except OSError:
            # It is gone; the next look says so.
            return

    def _left_beside(self) -> tuple[Guarded, ...]:
        """Say that nobody could tell a device beside the rig to end."""
        left = self._inbox.injection
        if left is None or not left.injects or left.watchdog:
            return ()
        return (
            Guarded(
                Word(
                    False,
                    f"The {left.place} has no watchdog and could not be told to end: it injects what was set. Switch "
                    "the amplifier's external command off now, then unplug the board.",
                )
            ),
        )

    def _obituary(self, *, is_guarded: bool) -> str:
        """Say what a dead engine leaves."""
        code = None if self._process is None else self._process.exitcode
        status = self._inbox.recording
        kept = (
            f"{status.path} holds all but the last quarter of a second; `rig-plugin recover` makes a whole file of it"
            if status is not None and status.path
            else "nothing was being recorded"
        )
        output = " Its guardian is to return the output and will say here whether it could." if is_guarded else ""
        return f"The engine died (exit status {code}): look after the cell first.{output} {kept[0].upper()}{kept[1:]}."
