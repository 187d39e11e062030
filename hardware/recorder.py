"""This file is the recorder: an HDF5 file that is readable whenever the program dies, and that nobody waits for."""

from __future__ import annotations

import atexit
import contextlib
import json
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from hardware.decision import Decision
from hardware.entry import Begun, Ended, Mark, Samples, Value
from hardware.medium import Medium
from hardware.rig import Block, Provenance
from hardware.tape import FORMAT, VERSION, Tape
from hardware.track import RESERVED, SI, Track, is_name
from hardware.writer import Writer
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus

__all__ = ["FORMAT", "ROOM", "VERSION", "Recorder", "RecorderError"]

ROOM = 1 << 29
"""Samples that may wait in memory [bytes]: five minutes of four channels at 50 kHz."""
_PATIENCE = 0.25  # [s]
_LAST_PATIENCE = 10.0  # [s]


class RecorderError(Refusal):
    """A recorder can't do what it was asked."""


class Recorder:
    """Takes sweeps block by block and never waits; saves first, so that all else may fail.

    The file has the default HDF5 layout, flushed each 0.1 s: of twelve killed writers all files opened, whereas with
    the latest layout none did. Traces are stored in mV and pA with the factor to SI beside them, as NWB does, so that
    what is read is bit by bit what was measured.

    Args:
        path: The file to make.
        metadata: What describes the session; must be JSON.
        clock: Monotonic time [s].
        room: Samples that may wait in memory where the disk is full or slow [bytes].

    Raises:
        RecorderError: If the file exists or can't be made.
    """

    def __init__(
        self,
        path: Path | str,
        metadata: Mapping[str, object],
        clock: Callable[[], float] = time.monotonic,
        room: int = ROOM,
    ) -> None:
        self.path = Path(path)
        self.received = 0
        """Samples that were appended, of one trace."""
        self.lost = 0
        """Samples that the rig lost, of one trace."""
        described = json.dumps(dict(metadata), allow_nan=False)
        try:
            medium = Medium(self.path.absolute())
        except FileExistsError as error:
            raise RecorderError(f"{self.path} exists and is not overwritten: choose another name.") from error
        except OSError as error:
            raise RecorderError(f"{self.path} can't be made ({error}): choose another folder or name.") from error
        tape = Tape(medium, described, _software())
        try:
            medium.commit()
        except OSError as error:
            tape.close()
            medium.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise RecorderError(f"{self.path} can't be written ({error}): choose another folder.") from error
        self._writer = Writer(tape, medium, room, clock)
        _OPEN.add(self._writer)
        self._running: str | None = None
        self._names: frozenset[str] | None = None
        self._further: frozenset[str] = frozenset()
        self._sweeps = 0
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def on_disk(self) -> int:
        """Samples that would survive a kill, of one trace."""
        return self._writer.on_disk

    @property
    def queued(self) -> int:
        """Samples that only memory has, of one trace."""
        return self._writer.queued

    @property
    def dropped(self) -> int:
        """Samples that came while neither disk nor memory had room, of one trace; the file has gaps there."""
        return self._writer.dropped

    @property
    def alarm(self) -> str | None:
        """Why nothing reaches the disk, as a sentence with the remedy, or None."""
        return self._writer.alarm

    @property
    def free_bytes(self) -> int | None:
        """Space left where the file lies, or None where it is unknown."""
        return self._writer.free_bytes

    @property
    def latencies(self) -> tuple[float, ...]:
        """How long the last flushes took [s]."""
        return tuple(self._writer.latencies)

    def start(self, stimulus: Stimulus, rate: float, provenance: Provenance) -> None:
        """Begin a sweep; one that is not finished stays as it is, marked so.

        Args:
            stimulus: What is put out.
            rate: Sampling rate [kHz].
            provenance: Where the sweep comes from; its gains tell the further channels, and their units.

        Raises:
            RecorderError: If the recorder is closed, or a further channel has a name that the file can't keep.
        """
        self._begin("sweeps", stimulus, rate, provenance)
        self._running, self._sweeps = "sweep", self._sweeps + 1

    def start_test(self, stimulus: Stimulus, rate: float, provenance: Provenance) -> None:
        """Begin a membrane test, which is kept apart from the sweeps; its blocks are appended as theirs are.

        Args:
            stimulus: As `start`, in either clamp.
            rate: As `start`.
            provenance: As `start`.

        Raises:
            RecorderError: As `start`.
        """
        self._begin("tests", stimulus, rate, provenance)
        self._running = "membrane test"

    def finish_test(self, said: Mapping[str, object]) -> None:
        """End the membrane test with what was read off it.

        Args:
            said: The reading; must be JSON.

        Raises:
            RecorderError: If no membrane test was started.
        """
        self._check_running("membrane test")
        self._writer.put(Ended({}, json.dumps(dict(said), allow_nan=False)))
        self._running = None

    def _begin(
        self, folder: Literal["sweeps", "tests"], stimulus: Stimulus, rate: float, provenance: Provenance
    ) -> None:
        self._check_open()
        further = {name: asdict(Track.of(gain)) for name, gain in provenance.gains.items() if name not in RESERVED}
        for name in further:
            _check_name(name)
        start = provenance.start.isoformat() if provenance.start else ""
        about: dict[str, Value] = {
            "rate": rate * 1e3,
            "start": start,
            "stimulus": json.dumps(asdict(stimulus)),
            "provenance": json.dumps(asdict(provenance) | {"start": start}),
        }
        self._writer.put(Begun(folder, about, {**SI[stimulus.clamp], **further}))
        self._names, self._further = None, frozenset(further)

    def append(self, block: Block) -> None:
        """Add a block to the sweep or the membrane test; returns at once, whatever the disk does.

        Args:
            block: What the rig gave, and how many samples it lost before.

        Raises:
            RecorderError: If no sweep or test was started, or a command or a further channel comes in some blocks
                only, or a channel of which the provenance has no gain.
        """
        self._check_running("sweep", "membrane test")
        traces = block.traces
        if unknown := block.others.keys() - self._further:
            raise RecorderError(
                f"A channel {sorted(unknown)[0]!r} came, and the sweep's gains have none of that name: give its gain, "
                f"with its unit, in the rig's gains; known are {', '.join(sorted(self._further)) or 'none'}."
            )
        if block.response.size:
            if self._names not in (None, traces.keys()):
                raise RecorderError(
                    "A command, or a further channel, came with some blocks of the sweep only: give it with all or "
                    "with none."
                )
            self._names = frozenset(traces)
        self._add(Samples(traces, block.lost))

    def finish(self, features: Mapping[str, float], summary: Mapping[str, object]) -> None:
        """End the sweep with what was made of it.

        Args:
            features: Value of each, NaN where it is missing.
            summary: Whatever else is kept of the trial; must be JSON.

        Raises:
            RecorderError: If no sweep was started.
        """
        self._check_running("sweep")
        described = json.dumps(dict(summary), allow_nan=False)
        self._writer.put(Ended({name: float(value) for name, value in features.items()}, described))
        self._running = None

    def start_continuous(self, rate: float, tracks: Mapping[str, Track], start: datetime | None = None) -> None:
        """Begin to record without gaps, until `finish_continuous`.

        Args:
            rate: Sampling rate [kHz].
            tracks: The channels by name, at least one.
            start: When the first sample is taken (aware), or None where that is unknown.

        Raises:
            RecorderError: If the recorder is closed, or a name can't be one.
        """
        self._check_open()
        for name in tracks or ("",):
            _check_name(name)
        about: dict[str, Value] = {"rate": rate * 1e3, "start": start.isoformat() if start else ""}
        self._writer.put(Begun("continuous", about, {name: asdict(track) for name, track in tracks.items()}))
        self._running, self._names = "continuous recording", frozenset(tracks)

    def append_continuous(self, traces: Mapping[str, npt.NDArray[np.float64]], lost: int = 0) -> None:
        """Add samples of all channels; returns at once, whatever the disk does.

        Args:
            traces: Of every channel by name, equal shapes (n,).
            lost: Samples of each that are missing before these.

        Raises:
            RecorderError: If nothing continuous was started, or the traces are not those of its channels.
        """
        self._check_running("continuous recording")
        kept = {name: np.array(trace, dtype=np.float64) for name, trace in traces.items()}
        shapes = {trace.shape for trace in kept.values()}
        if kept.keys() != self._names or len(shapes) != 1 or len(*shapes) != 1 or lost < 0:
            wanted = ", ".join(sorted(self._names or ()))
            raise RecorderError(
                f"Traces came of shapes {sorted(shapes)} for {', '.join(sorted(kept))} and {lost} lost: "
                f"one (n,) for each of {wanted} was wanted, and no negative number."
            )
        self._add(Samples(kept, lost))

    def finish_continuous(self) -> None:
        """End the continuous recording; the recorder stays open.

        Raises:
            RecorderError: If nothing continuous was started.
        """
        self._check_running("continuous recording")
        self._writer.put(Ended())
        self._running = None

    def moment(self) -> Mark:
        """Give this moment, to be marked when it is known what for; may be called from any thread.

        Returns:
            A mark without a text.
        """
        sweep = self._sweeps - 1 if self._running == "sweep" else -1
        return Mark(self.received, sweep, datetime.now(UTC).isoformat(), "")

    def mark(self, text: str = "", moment: Mark | None = None) -> None:
        """Note a moment, with a word on it; may be called from any thread.

        Args:
            text: What for.
            moment: When; None is now.

        Raises:
            RecorderError: If the recorder is closed.
        """
        self._check_open()
        self._writer.put(replace(moment or self.moment(), text=text.replace("\0", " ")))

    def decide(self, decision: Decision) -> Decision:
        """Keep what a script decided, as of this moment.

        Args:
            decision: Which.

        Returns:
            The same with its place in the recording and its time.

        Raises:
            RecorderError: If the recorder is closed.
        """
        self._check_open()
        said, now = decision.said.replace("\0", " "), datetime.now(UTC).isoformat()
        kept = replace(decision, said=said, sample=self.received, sweeps=self._sweeps, time=now)
        self._writer.put(kept)
        return kept

    def hurry(self) -> None:
        """Have all samples brought at once to where they survive a kill of this process, without waiting for it.

        Raises:
            RecorderError: If the recorder is closed.
        """
        self._check_open()
        self._writer.hurry()

    def flush(self, patience: float = _PATIENCE) -> bool:
        """Have all samples brought to where they survive a kill of this process.

        Args:
            patience: How long to wait for it at most; a disk that is known to take nothing is not waited for [s].

        Returns:
            Whether they are there; else `alarm` says why.

        Raises:
            RecorderError: If the recorder is closed.
        """
        self._check_open()
        return self._writer.flush(patience)

    def close(self, patience: float = _LAST_PATIENCE) -> None:
        """Write the rest and close the file; a second time does nothing.

        Args:
            patience: How long to wait for a disk that takes nothing [s].

        Raises:
            RecorderError: If it takes nothing for longer. Then the rest is still in memory and is written as soon as
                can be; close again to wait for it.
        """
        self._is_closed = True
        if not self._writer.end(patience):
            why = self._writer.alarm or f"{self.path.parent} has not answered for {patience:g} s: check the disk."
            raise RecorderError(f"{self.path} is not complete. {why}")

    def _add(self, samples: Samples) -> None:
        self.received += samples.count
        self.lost += samples.lost
        self._writer.put(samples)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RecorderError(f"{self.path} is closed: open a new recording.")

    def _check_running(self, *wanted: str) -> None:
        self._check_open()
        if self._running not in wanted:
            what = " or ".join(wanted)
            raise RecorderError(f"No {what} was started: call `start` before `append` and `finish`.")


_OPEN: weakref.WeakSet[Writer] = weakref.WeakSet()


@atexit.register
def _let_go() -> None:
    """Write what is left while there still is an interpreter, without which HDF5 can't close a file on a medium."""
    for writer in list(_OPEN):
        if not writer.end(_PATIENCE):
            writer.abandon()


def _check_name(name: str) -> None:
    if not is_name(name):
        raise RecorderError(f"A channel is called '{name}': at least one with another name was wanted.")


def _software() -> str:
    try:
        return f"rig-plugin {version('rig-plugin')}"
    except PackageNotFoundError:
        return "rig-plugin"
