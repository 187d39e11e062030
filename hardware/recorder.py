"""This file is the recorder: an HDF5 file that is readable whenever the program dies."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py  # type: ignore[import-untyped]
import numpy as np

from hardware.rig import Block, Provenance
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus

__all__ = ["FORMAT", "VERSION", "Recorder", "RecorderError"]

FORMAT = "rig-plugin recording"
VERSION = 1
_FLUSH = 0.1  # [s], half of what may be lost when the process is killed
_CHUNK = 4096  # samples
_SI = {"response": ("volts", 1e-3), "command": ("amperes", 1e-12)}


class RecorderError(Refusal):
    """A recorder can't do what it was asked."""


class Recorder:
    """Writes sweeps block by block; saves first, so that all else may fail.

    The file has the default HDF5 layout, flushed: of twelve killed writers all files opened, whereas with the latest
    layout none did. Traces are stored in mV and pA with the factor to SI beside them, as NWB does, so that what is
    read is bit by bit what was measured.

    Args:
        path: The file to make.
        metadata: What describes the session; must be JSON.
        clock: Monotonic time [s].

    Raises:
        RecorderError: If the file exists or can't be made.
    """

    def __init__(
        self, path: Path | str, metadata: Mapping[str, object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = Path(path)
        self.received = 0
        """Samples that were appended."""
        self.on_disk = 0
        """Samples that would survive a kill."""
        self._clock, self._flushed = clock, clock()
        self._sweeps = 0
        self._sweep: h5py.Group | None = None
        described = json.dumps(dict(metadata), allow_nan=False)
        if self.path.exists():
            raise RecorderError(f"{self.path} exists and is not overwritten: choose another name.")
        try:
            self._file = h5py.File(self.path, "x")
        except OSError as error:
            raise RecorderError(f"{self.path} can't be made ({error}): choose another folder or name.") from error
        self._file.attrs.update({"format": FORMAT, "version": VERSION, "created": datetime.now(UTC).isoformat()})
        self._file["metadata"] = described
        self._file.create_group("sweeps")
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self, stimulus: Stimulus, rate: float, provenance: Provenance) -> None:
        """Begin a sweep; one that is not finished stays as it is, marked so.

        Args:
            stimulus: What is put out.
            rate: Sampling rate [kHz].
            provenance: Where the sweep comes from.

        Raises:
            RecorderError: If the recorder is closed.
        """
        self._check_open()
        sweep = self._file["sweeps"].create_group(f"{self._sweeps:06d}")
        start = provenance.start.isoformat() if provenance.start else ""
        sweep.attrs.update({"rate": rate * 1e3, "start": start, "complete": False})
        sweep.attrs["stimulus"] = json.dumps(asdict(stimulus))
        sweep.attrs["provenance"] = json.dumps(asdict(provenance) | {"start": start})
        self._sweep, self._sweeps = sweep, self._sweeps + 1

    def append(self, block: Block) -> None:
        """Add a block to the sweep, and flush where the last flush is 0.1 s ago.

        Args:
            block: What the rig gave.

        Raises:
            RecorderError: If no sweep was started, or a command comes in some blocks only.
        """
        sweep = self._running()
        begun = "response" in sweep
        if begun and ("command" in sweep) != (block.command is not None):
            raise RecorderError("A command came with some blocks of the sweep only: give it with all or with none.")
        for name in ("response", "command"):
            trace = getattr(block, name)
            if trace is not None:
                _extend(sweep, name, trace)
        self.received += block.response.size
        if self._clock() - self._flushed >= _FLUSH:
            self.flush()

    def finish(self, features: Mapping[str, float], summary: Mapping[str, object]) -> None:
        """End the sweep with what was made of it, and bring it to the disk.

        Args:
            features: Value of each, NaN where it is missing.
            summary: Whatever else is kept of the trial; must be JSON.

        Raises:
            RecorderError: If no sweep was started.
        """
        sweep = self._running()
        described = json.dumps(dict(summary), allow_nan=False)
        group = sweep.create_group("features")
        for name, value in features.items():
            group[name] = float(value)
        sweep["summary"] = described
        sweep.attrs["complete"] = True
        self._sweep = None
        self.flush()
        os.fsync(self._file.id.get_vfd_handle())

    def flush(self) -> None:
        """Hand all samples to the operating system, where they survive a kill of this process."""
        self._check_open()
        self._file.flush()
        self.on_disk, self._flushed = self.received, self._clock()

    def close(self) -> None:
        """Flush and close the file; a second time does nothing."""
        if self._file:
            self.flush()
            self._file.close()
            self._sweep = None

    def _check_open(self) -> None:
        if not self._file:
            raise RecorderError(f"{self.path} is closed: open a new recording.")

    def _running(self) -> h5py.Group:
        self._check_open()
        if self._sweep is None:
            raise RecorderError("No sweep was started: call `start` before `append` and `finish`.")
        return self._sweep


def _extend(sweep: h5py.Group, name: str, trace: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """Append to a trace, which is made when its first samples come."""
    if name not in sweep:
        dataset = sweep.create_dataset(name, shape=(0,), maxshape=(None,), chunks=(_CHUNK,), dtype="f8")
        dataset.attrs["unit"], dataset.attrs["conversion"] = _SI[name]
    dataset = sweep[name]
    size = dataset.shape[0]
    dataset.resize((size + trace.size,))
    dataset[size:] = trace
