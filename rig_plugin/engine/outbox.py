"""This file is the outbox: who listens to a session in the engine, leaves all for the window, and waits for nothing.

Samples and arrays go onto the rings, letters through a pipe by a thread of their own: where the window does not read,
the oldest letters fall out, and their numbers tell it so.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from estimators.slices import Slices
from hardware.decision import Decision
from hardware.injection import Injection
from rig_plugin.dosing import Dosing
from rig_plugin.engine.letter import seal, told_stimulus, told_test, told_trial
from rig_plugin.engine.shared import Shared
from rig_plugin.feed import RecordingStatus
from rig_plugin.membrane_tests import Tested
from rig_plugin.proposal import Proposed
from rig_plugin.refined import Refined
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

__all__ = ["Outbox"]

_LETTERS = 64
_BEAT = 0.1

Array = npt.NDArray[np.float64]
_NONE: Mapping[str, str] = MappingProxyType({})
_NOTHING: Mapping[str, Array] = MappingProxyType({})


class Outbox:
    """A listener whose methods return at once.

    Args:
        shared: The rings and the board.
        pipe: To the window.
        letters: How many wait at most.
    """

    def __init__(self, shared: Shared, pipe: Connection, letters: int = _LETTERS) -> None:
        self._shared, self._pipe = shared, pipe
        self._waiting: deque[bytes] = deque(maxlen=letters)
        # A refinement is told beside the session, from a thread of its own.
        self._telling = threading.Lock()
        self._there = threading.Event()
        self._over = threading.Event()
        self._number = 0
        self._place = 0
        self._further: tuple[str, ...] = ()
        self.is_over = True
        """Whether the window was told that no session runs."""
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._post, "post"), (self._beat, "heartbeat"))
        ]
        for thread in self._threads:
            thread.start()

    def started(
        self, stimulus: Stimulus, rate: float, file_sweep: int | None, units: Mapping[str, str] = _NONE
    ) -> None:
        """Tell that a sweep begins, and where the samples of its further channels will be."""
        self._place = self._shared.response.written
        rings = dict(zip(units, self._shared.further, strict=False))
        self._further = tuple(rings)
        self._send(
            "started",
            stimulus=told_stimulus(stimulus),
            rate=rate,
            file_sweep=file_sweep,
            place=self._place,
            begun=time.monotonic(),
            further=[[name, units[name], ring.written] for name, ring in rings.items()],
        )

    def block(self, response: Array, command: Array | None, others: Mapping[str, Array] = _NOTHING) -> None:
        """Leave samples; those of the response last, so that what is seen of it has all that belongs to it."""
        for name, ring in zip(self._further, self._shared.further, strict=False):
            samples = others.get(name, np.full(response.size, np.nan))
            for first in range(0, samples.size, ring.size):
                ring.append(samples[first : first + ring.size])
        self._shared.command.append(np.full(response.size, np.nan) if command is None else command)
        self._shared.response.append(response)

    def finished(self, trial: Trial) -> None:
        """Tell a trial, with its draws on the shelf."""
        count = self._shared.response.written - self._place if trial.sweep is not None else 0
        draws = None if trial.posterior is None else trial.posterior.draws
        shelf = None if draws is None else [self._shelve(draws.ravel()), *draws.shape]
        self._send("finished", trial=told_trial(trial), place=self._place, count=count, draws=shelf)

    def overlaid(self, trial: int, overlay: Overlay) -> None:
        """Tell what the cells of a trial's posterior do, with the band on the shelf."""
        arrays = np.concatenate([overlay.times, overlay.low, overlay.high])
        if arrays.size <= self._shared.shelf.size:
            self._send("overlaid", trial=trial, place=self._shelve(arrays), count=overlay.times.size)

    def sliced(self, trial: int, slices: Slices) -> None:
        """Tell slices of a trial's posterior, with their numbers on the shelf."""
        numbers = slices.numbers()
        place = self._shelve(numbers)
        self._send("sliced", trial=trial, names=list(slices.names), place=place, count=numbers.size)

    def tested(self, tested: Tested) -> None:
        """Tell a membrane test."""
        self._send("tested", test=told_test(tested))

    def proposed(self, proposed: Proposed) -> None:
        """Tell which sweep is next."""
        self._send("proposed", proposal=asdict(proposed))

    def decided(self, decision: Decision) -> None:
        """Tell what a script decided."""
        self._send("decided", decision=decision.to_json())

    def dosed(self, dosing: Dosing) -> None:
        """Tell how a virtual drug stands."""
        self._send("dosed", dosing=dosing.to_json())

    def refined(self, refined: Refined) -> None:
        """Tell a refined posterior, with its draws on the shelf."""
        draws = refined.draws
        shelf = None if draws is None else [self._shelve(draws.ravel()), *draws.shape]
        self._send("refined", refined=refined.to_json(), draws=shelf)

    def status(self, recording: RecordingStatus) -> None:
        """Write how the recording is doing onto the board."""
        self._shared.board.write(json.dumps(asdict(recording)))

    def beside(self, injection: Injection) -> None:
        """Write how a device beside the rig stands onto the board of its own."""
        self._shared.beside.write(json.dumps(asdict(injection)))

    def ended(self, reason: str | None) -> None:
        """Tell that the session is over."""
        self.is_over = True
        self._send("ended", reason=reason)

    def close(self) -> None:
        """Send what waits, as long as the window takes it, and end."""
        self._over.set()
        self._there.set()
        for thread in self._threads:
            thread.join(1.0)

    def _shelve(self, numbers: Array) -> int:
        """Put numbers on the shelf; give their place."""
        with self._telling:
            return self._shared.shelf.append(numbers)

    def _send(self, event: str, **rest: object) -> None:
        with self._telling:
            self._waiting.append(seal(event, number=self._number, **rest))
            self._number += 1
        self._there.set()

    def _post(self) -> None:
        """Send letters; a window that is gone or frozen holds up this thread and no other."""
        while True:
            self._there.wait()
            self._there.clear()
            while self._waiting:
                try:
                    self._pipe.send_bytes(self._waiting.popleft())
                except OSError:
                    return
                except IndexError:
                    break
            if self._over.is_set():
                return

    def _beat(self) -> None:
        while not self._over.wait(_BEAT):
            self._shared.board.beat()
