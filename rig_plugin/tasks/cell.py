"""This file is the cells: what the recordings of a folder tell of real cells, sweep by sweep, as `replay` has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.context import Context
from estimators.features import NAMES
from estimators.observer import Observer, Verdict
from estimators.prequential import Prediction
from hardware.recording import RecordingError
from hardware.replay import Replay
from rig_plugin.crop import crop
from rig_plugin.protocol import recorded
from rig_plugin.quality import Quality
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rule import GRADES
from rig_plugin.session import Session
from simulators.refusal import Refusal

__all__ = ["Cell", "cells"]

_COUNT = NAMES.index("spike_count")
_FEWEST = 6

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cell:
    """The usable sweeps of one recording.

    Args:
        name: Of the file.
        rows: Features, shape (n, f), NaN where missing.
        contexts: Their circumstances.
        traces: Baseline, step and tail of each, as far as the junction potential and the bridge are known without
            them [mV]; none where only the features are known.
    """

    name: str
    rows: Array
    contexts: tuple[Context, ...]
    traces: tuple[Array, ...] = ()

    @property
    def currents(self) -> Array:
        """Height of each step, shape (n,) [pA]."""
        return np.array([context.amplitude for context in self.contexts])

    @property
    def counts(self) -> Array:
        """Spikes of each step, shape (n,)."""
        return np.asarray(self.rows[:, _COUNT])

    @property
    def is_family(self) -> bool:
        """Whether there are six sweeps, of which some fire and some are silent, with currents that differ."""
        mixed = bool((self.counts > 0).any() and (self.counts == 0).any())
        return len(self.rows) >= _FEWEST and mixed and float(np.ptp(self.currents)) > 0.0


class _Reader(Observer):
    """An observer that keeps what it is shown."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.taken: list[tuple[Array, Context]] = []

    def warm(self, *, overlays: bool = False) -> None:
        """Nothing is inferred."""

    def expect(self, context: Context) -> Prediction | None:
        return None

    def observe(
        self, row: Array, context: Context, prediction: Prediction | None = None, refusal: str | None = None
    ) -> Verdict:
        if refusal is None and self._outside(row, context) is None:
            self.taken.append((row, context))
        return Verdict(None, 0, True, 1.0, ())


def cells(folder: Path, checkpoint: Checkpoint) -> Iterator[Cell]:
    """Read the recordings of a folder.

    Args:
        folder: Of recordings.
        checkpoint: The network whose domain the sweeps must lie in.

    Yields:
        Those with a usable sweep, in the order of their names.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".abf", ".nwb"):
            continue
        try:
            rig = Replay(path, speed="max")
        except RecordingError:
            continue
        reader = _Reader(checkpoint)
        try:
            # What is doubtful about a cell has to be predicted too.
            quality = Quality(QualitySettings(warn=GRADES))
            parameters, protocol = checkpoint.spec.parameters, recorded(rig.stimuli)
            traces = _followed(Session(rig, reader, parameters, protocol, quality=quality), reader)
        except Refusal:
            continue
        if reader.taken:
            rows, contexts = zip(*reader.taken, strict=True)
            yield Cell(path.name, np.stack(rows), tuple(contexts), traces)


def _followed(session: Session, reader: _Reader) -> tuple[Array, ...]:
    """Run a session and keep of each sweep that is taken what its features were measured on."""
    traces: list[Array] = []
    for trial in session.trials():
        if len(reader.taken) == len(traces) or trial.sweep is None or trial.sweep.stimulus is None:
            continue
        part, rate = crop(trial.sweep.stimulus), trial.sweep.rate
        begin = round(part.skip * rate)
        traces.append(trial.sweep.corrected[begin : begin + len(part.stimulus.command(rate))])
    return tuple(traces)
