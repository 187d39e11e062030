"""This file is the replay: a rig whose cell is a file."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import groupby
from pathlib import Path

from hardware.choice import Choice
from hardware.epochs import plateaus
from hardware.family import NoStepError, observe
from hardware.pace import Pace, Speed
from hardware.passage import Passage, cut, refused, within
from hardware.reading import read
from hardware.recording import RecordedSweep, Recording, RecordingError
from hardware.rig import BLOCK, Block, Provenance, Rig, RigError
from simulators.limits import Limits
from simulators.stimulus import Stimulus
from simulators.sweep import Junction, Sweep

__all__ = ["Replay"]

_AS_IT_IS = Choice()
# Nothing is put out, so the limits are those of what an amplifier can have recorded.
_LIMITS = Limits(-20_000.0, 20_000.0, 3_600_000.0)


class Replay(Rig):
    """Plays what was recorded, block by block, as the rig gave it; the same samples at every speed.

    Args:
        recording: The recording, or the file to read.
        epoch: Index of the epoch to observe; None chooses by the rule.
        junction_potential: What has to be subtracted from the response [mV]; None where it is unknown.
        bridge: Series resistance still to be subtracted [GOhm]; None takes what the file knows.
        sweep: Number of the one sweep to play; None plays all.
        choice: Which channels of the file are read; for a recording that is read already, that has been chosen.
        window: Start and end of what is used of each sweep, from its start [ms]; None cuts by the rule alone.
        speed: "real" paces the blocks like a rig, "max" does not.
        block: Length of a block [ms].

    Raises:
        RecordingError: If the file can't be read or does not have the sweep or a channel.
        ValueError: If the block is not between 0 and 20 ms, or the window does not end after it starts.
    """

    is_alive = False

    def __init__(
        self,
        recording: Recording | Path | str,
        *,
        epoch: int | None = None,
        junction_potential: float | None = None,
        bridge: float | None = None,
        sweep: int | None = None,
        choice: Choice = _AS_IT_IS,
        window: tuple[float, float] | None = None,
        speed: Speed = "real",
        block: float = BLOCK,
    ) -> None:
        super().__init__()
        if not 0 < block <= BLOCK:
            raise ValueError(f"Block is {block} ms, more than 0 and at most {BLOCK:g} ms were wanted.")
        if window is not None and not 0 <= window[0] < window[1] < math.inf:
            raise ValueError(f"Window is {window[0]} to {window[1]} ms, one that ends after it starts was wanted.")
        self.recording = recording if isinstance(recording, Recording) else read(recording, choice)
        self.limits = _LIMITS
        self._junction = None if junction_potential is None else Junction("uncorrected", junction_potential)
        self._bridge = bridge
        self._pace, self._length = Pace(speed), block
        self.stimuli = _chosen(self.recording, _passages(self.recording, epoch, window), sweep)
        first = next((p for p in self.stimuli if p.stimulus), self.stimuli[0])
        self._select(first)

    @property
    def provenance(self) -> Provenance:
        """Where the sweep being played, or last played, comes from."""
        whole = self._source
        return Provenance(
            whole.start + timedelta(milliseconds=self._passage.start / whole.rate) if whole.start else None,
            whole.command_source,
            whole.holding_source,
            self._junction or whole.junction,
            whole.bridge if self._bridge is None else self._bridge,
        )

    def sweep(self, k: int) -> Sweep:
        """Give a passage as the sweep that playing it would make.

        Args:
            k: Index in `stimuli`.

        Returns:
            The sweep, cropped like the passage.

        Raises:
            RigError: If the passage is refused.
        """
        passage = self.stimuli[k]
        if passage.stimulus is None:
            raise RigError(str(passage.refusal))
        self._select(passage)
        whole, part = self._source, slice(passage.start, passage.stop)
        command = None if whole.command is None else whole.command[part]
        return self.provenance.sweep(whole.response[part], whole.rate, passage.stimulus, command)

    def _select(self, passage: Passage) -> None:
        self._passage = passage
        self._source = next(s for s in self.recording.sweeps if s.index == passage.file_sweep)
        self.rate = self._source.rate

    def _find(self, stimulus: Stimulus) -> Passage:
        """Find a passage by its stimulus: the very one where it is given, because repeats are equal."""
        equal = [p for p in self.stimuli if p.stimulus == stimulus]
        same = [p for p in equal if p.stimulus is stimulus] or equal
        if not same:
            raise RigError(
                "A replay can't put out a new stimulus, only answer with what was recorded: play one of its `stimuli`."
            )
        return same[0]

    def _check(self, stimulus: Stimulus) -> None:
        self._find(stimulus)

    def _open(self) -> None:
        self._position = 0

    def _start(self, stimulus: Stimulus) -> None:
        self._select(self._find(stimulus))
        self._position = self._passage.start
        self._pace.begin()

    def _read(self) -> Block | None:
        start = self._position
        stop = min(start + max(1, int(self._length * self.rate)), self._passage.stop)
        if start >= stop:
            return None
        self._pace.wait((stop - self._passage.start) / self.rate, self._stopping)
        if self._stopping.is_set():
            return None
        self._position = stop
        command = self._source.command
        return Block(self._source.response[start:stop], None if command is None else command[start:stop])

    def _stop(self) -> None:
        """Nothing was put out, so the cell is in its exit state already."""

    def _close(self) -> None:
        """There is no device to let go of."""


def _chosen(recording: Recording, passages: tuple[Passage, ...], sweep: int | None) -> tuple[Passage, ...]:
    """Pick the one sweep that was asked for, or all."""
    if sweep is None:
        if not passages:
            raise RecordingError(f"{recording.path} holds no sweep: nothing was recorded in it.")
        return passages
    chosen = tuple(p for p in passages if p.file_sweep == sweep)
    if not chosen:
        raise RecordingError(f"Sweep {sweep} was asked for, {recording.path} has 0 to {len(passages) - 1}.")
    return chosen


def _passages(recording: Recording, epoch: int | None, window: tuple[float, float] | None) -> tuple[Passage, ...]:
    """Cut every sweep: each protocol of the file is a family of its own."""
    as_kept = epoch is None and window is None
    passages = [_known(s) for s in recording.sweeps if s.problem or s.command is None or (s.stimulus and as_kept)]
    looked = {p.file_sweep for p in passages}
    open_ = sorted((s for s in recording.sweeps if s.index not in looked), key=lambda s: s.protocol)
    for _, group in groupby(open_, key=lambda s: s.protocol):
        passages += _family(list(group), epoch)
    if window is not None:
        sweeps = {s.index: s for s in recording.sweeps}
        passages = [within(sweeps[p.file_sweep], p, window) for p in passages]
    return tuple(sorted(passages, key=lambda p: p.file_sweep))


def _known(sweep: RecordedSweep) -> Passage:
    """Make the passage of a sweep that can't be used, or of one whose stimulus the file keeps."""
    if sweep.problem:
        return refused(sweep, sweep.problem)
    if sweep.stimulus is None:
        return refused(sweep, "The file does not say what current was injected: record the current too.")
    return Passage(sweep.index, sweep.stimulus, None, None, 0, sweep.response.size)


def _family(sweeps: list[RecordedSweep], epoch: int | None) -> list[Passage]:
    """Cut the sweeps of one protocol around the epoch that is observed."""
    found = [plateaus(s.command, s.rate) for s in sweeps if s.command is not None]
    try:
        family = observe(sweeps, found, epoch)
    except NoStepError as error:
        return [refused(s, str(error)) for s in sweeps]
    return [cut(s, p, *span) for s, p, span in zip(sweeps, found, family.steps, strict=True)]
