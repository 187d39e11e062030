"""This file is the inbox: what the engine left, as the window looks for it; it stands where a feed stands.

What was written over before the window looked is not made up: a trace shows a gap there, and a trial whose draws are
gone is counted as skipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from estimators.slices import Slices
from hardware.decision import Decision
from hardware.injection import Injection
from rig_plugin.dosing import Dosing
from rig_plugin.engine.letter import open_letter, proposal_of, stimulus_of, sweep_of, test_of, trial_of
from rig_plugin.engine.shared import Shared
from rig_plugin.feed import Ended, Finished, Live, MembraneTested, Message, Overlaid, RecordingStatus, Sliced, Started
from rig_plugin.refined import Refined
from simulators.parameter import Parameter

__all__ = ["Inbox"]

Array = npt.NDArray[np.float64]


class Inbox:
    """Where the window looks.

    Args:
        shared: The rings and the board.
        parameters: What draws are of.
    """

    def __init__(self, shared: Shared, parameters: Sequence[Parameter]) -> None:
        self._shared, self.parameters = shared, tuple(parameters)
        self._pipe: Connection | None = None
        self._next = 0
        self._dropped = 0
        self._live: Live | None = None
        self._place, self._is_growing = 0, False
        self._offsets: dict[str, int] = {}
        self._told: list[Message] = []
        self._board: str | None = None
        self._recording: RecordingStatus | None = None
        self._beside: str | None = None
        self._injection: Injection | None = None

    @property
    def live(self) -> Live | None:
        """The sweep that came in last, or None before the first."""
        return self._live

    @property
    def recording(self) -> RecordingStatus | None:
        """The newest status, or None before the first."""
        told = self._shared.board.read()
        # A board that is just being written is looked at again the next time.
        if told is not None and told != self._board:
            self._board, self._recording = told, RecordingStatus(**json.loads(told))
        return self._recording

    @property
    def injection(self) -> Injection | None:
        """How the device beside the rig stands, or None where there is none."""
        told = self._shared.beside.read()
        if told is not None and told != self._beside:
            self._beside, self._injection = told, Injection(**json.loads(told))
        return self._injection

    @property
    def wire(self) -> int | None:
        """What can be read when a letter came, or None where the engine is gone."""
        return None if self._pipe is None or self._pipe.closed else self._pipe.fileno()

    @property
    def dropped(self) -> int:
        """Letters that fell out, or whose arrays did, before the window looked."""
        return self._dropped

    def attach(self, pipe: Connection) -> None:
        """Read from now on what another engine sends.

        Args:
            pipe: To it.
        """
        self._pipe, self._next = pipe, 0

    def tell(self, message: Message) -> None:
        """Leave a message beside those of the engine, such as that it is gone.

        Args:
            message: That comes with the next look.
        """
        self._told.append(message)

    def take(self) -> tuple[Message, ...]:
        """Read what came since the last call, oldest first.

        Returns:
            Messages; the ones that fell out are missing and counted in `dropped`.
        """
        taken: list[Message] = []
        while (letter := self._letter()) is not None:
            self._dropped += letter["number"] - self._next
            self._next = letter["number"] + 1
            message = self._read(letter)
            if message is None:
                self._dropped += 1
            else:
                taken.append(message)
        self._follow(self._shared.response.written)
        told, self._told = self._told, []
        return (*taken, *told)

    def _letter(self) -> dict[str, Any] | None:
        try:
            if self._pipe is None or not self._pipe.poll():
                return None
            return open_letter(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._pipe = None
            return None

    def _read(self, letter: Mapping[str, Any]) -> Message | None:
        """Read a letter with its arrays; None where these are gone."""
        event = letter["event"]
        if event == "started":
            units = {name: unit for name, unit, _ in letter["further"]}
            self._live = Live(
                stimulus_of(letter["stimulus"]), letter["rate"], letter["file_sweep"], units, letter["begun"]
            )
            self._place, self._is_growing = letter["place"], True
            # Each ring counts from its own beginning.
            self._offsets = {name: place - self._place for name, _, place in letter["further"]}
            return Started(self._live)
        if event == "finished":
            return self._finished(letter)
        if event == "overlaid":
            arrays = self._shared.shelf.read(letter["place"], 3 * letter["count"])
            return None if arrays is None else Overlaid(letter["trial"], Overlay(*np.split(arrays, 3)))
        if event == "sliced":
            numbers = self._shared.shelf.read(letter["place"], letter["count"])
            return None if numbers is None else Sliced(letter["trial"], Slices.of(letter["names"], numbers))
        if event == "tested":
            return MembraneTested(test_of(letter["test"]))
        if event == "proposed":
            return proposal_of(letter["proposal"])
        if event == "decided":
            return Decision.of(letter["decision"])
        if event == "dosed":
            return Dosing.of(letter["dosing"])
        if event == "refined":
            draws = self._drawn(letter["draws"])
            return None if draws is None and letter["draws"] else Refined.of_json(letter["refined"], draws)
        return Ended(letter["reason"])

    def _finished(self, letter: Mapping[str, Any]) -> Finished | None:
        draws = self._drawn(letter["draws"])
        if draws is None and letter["draws"] is not None:
            return None
        sweep, told = None, letter["trial"]["sweep"]
        if told is not None:
            self._follow(letter["place"] + letter["count"])
            self._is_growing = False
            sweep = sweep_of(told, *self._samples(letter["place"], letter["count"]))
        return Finished(trial_of(letter["trial"], self.parameters, draws, sweep))

    def _drawn(self, told: Sequence[int] | None) -> Array | None:
        """Read draws from the shelf; None where there are none, or they were written over."""
        if told is None:
            return None
        place, count, columns = told
        flat = self._shared.shelf.read(place, count * columns)
        return None if flat is None else flat.reshape(count, columns)

    def _follow(self, end: int) -> None:
        """Let the running sweep grow to what has come."""
        if self._live is None or not self._is_growing or end <= self._place:
            return
        count = end - self._place
        self._live.append(*self._samples(self._place, count), self._others(self._place, count))
        self._place = end

    def _others(self, place: int, count: int) -> dict[str, Array]:
        """Copy what is still there of the further channels."""
        rings = zip(self._offsets.items(), self._shared.further, strict=False)
        read = {name: ring.read(place + offset, count) for (name, offset), ring in rings}
        return {name: samples for name, samples in read.items() if samples is not None}

    def _samples(self, place: int, count: int) -> tuple[Array, Array]:
        """Copy response and command; what was written over is missing."""
        response = self._shared.response.read(place, count)
        command = self._shared.command.read(place, count)
        nothing = np.full(count, np.nan)
        return (nothing if response is None else response), (nothing if command is None else command)
