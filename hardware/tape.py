"""This file is the tape: the layout of a recording in HDF5, format version 2."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.decision import Decision
from hardware.entry import Begun, Ended, Entry, Mark, Samples, Value
from hardware.medium import Medium

__all__ = ["FORMAT", "VERSION", "Tape"]

FORMAT = "rig-plugin recording"
VERSION = 2
_CHUNK = 4096  # samples
_TEXT = h5py.string_dtype()
_MARK = np.dtype([("sample", "i8"), ("sweep", "i8"), ("time", _TEXT), ("text", _TEXT)])
_DECISION = np.dtype(
    [
        ("stage", "i8"), ("kind", _TEXT), ("event", _TEXT), ("said", _TEXT), ("criterion", _TEXT), ("measured", "f8"),
        ("bound", "f8"), ("unit", _TEXT), ("sample", "i8"), ("sweeps", "i8"), ("time", _TEXT),
    ]
)  # fmt: skip


class Tape:
    """An HDF5 file that is written to its end; one thread uses it.

    Traces are packed by shuffle and gzip 1, which lose nothing: of the levels it is the fastest, and of noise there is
    nothing more to be gained. A stretch that is missing takes no room: it is what the file says where nothing was
    written, NaN.

    Args:
        medium: What it is written to.
        metadata: JSON of the session.
        software: Name and version of the program.
    """

    def __init__(self, medium: Medium, metadata: str, software: str) -> None:
        self.count = 0
        """Samples that were written, of one trace."""
        self._file = h5py.File(medium, "w")
        created = datetime.now(UTC).isoformat()
        self._file.attrs.update({"format": FORMAT, "version": VERSION, "created": created, "software": software})
        self._file["metadata"] = metadata
        self._groups = {folder: self._file.create_group(folder) for folder in ("sweeps", "continuous")}
        self._numbers: dict[str, int] = {}
        self._marks = self._file.create_dataset("marks", shape=(0,), maxshape=(None,), chunks=(64,), dtype=_MARK)
        self._decisions: h5py.Dataset | None = None
        self._stretch: _Stretch | None = None
        self.flush()

    def write(self, entries: Iterable[Entry]) -> None:
        """Write what is to be recorded, in its order.

        Args:
            entries: Samples after the beginning that they belong to.
        """
        for entry in entries:
            if isinstance(entry, Begun):
                self._begin(entry)
            elif isinstance(entry, Mark):
                self._mark(entry)
            elif isinstance(entry, Decision):
                self._decide(entry)
            elif self._stretch is not None and isinstance(entry, Samples):
                self._stretch.add(entry)
                self.count += entry.count
            elif self._stretch is not None and isinstance(entry, Ended):
                self._stretch.end(entry)
                self._stretch = None

    def flush(self) -> None:
        """Bring all of it, and what HDF5 keeps to itself, to the medium."""
        if self._stretch is not None:
            self._stretch.write()
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        if self._file:
            self.flush()
            self._file.close()

    def _begin(self, begun: Begun) -> None:
        if self._stretch is not None:
            self._stretch.write()
        if begun.folder not in self._groups:
            # Most recordings have no membrane tests.
            self._groups[begun.folder] = self._file.create_group(begun.folder)
        number = self._numbers.get(begun.folder, 0)
        self._numbers[begun.folder] = number + 1
        group = self._groups[begun.folder].create_group(f"{number:06d}")
        group.attrs.update({**begun.about, "complete": False})
        self._stretch = _Stretch(group, begun.tracks, all_come=begun.folder == "continuous")

    def _mark(self, mark: Mark) -> None:
        size = self._marks.shape[0]
        self._marks.resize((size + 1,))
        self._marks[size] = np.array((mark.sample, mark.sweep, mark.time, mark.text), dtype=_MARK)

    def _decide(self, decision: Decision) -> None:
        # Most recordings have none.
        if self._decisions is None:
            self._decisions = self._file.create_dataset(
                "decisions", shape=(0,), maxshape=(None,), chunks=(64,), dtype=_DECISION
            )
        size = self._decisions.shape[0]
        self._decisions.resize((size + 1,))
        self._decisions[size] = np.array(
            tuple(getattr(decision, name) for name in _DECISION.names or ()), dtype=_DECISION
        )


class _Stretch:
    """A sweep, a membrane test or a continuous stretch as it grows."""

    def __init__(self, group: h5py.Group, tracks: Mapping[str, Mapping[str, Value]], *, all_come: bool) -> None:
        self._group, self._tracks = group, tracks
        self._traces: dict[str, h5py.Dataset] = {}
        self._waiting: list[Samples] = []
        self._size = self._lost = 0
        self._gaps = group.create_dataset("gaps", shape=(0, 2), maxshape=(None, 2), chunks=(64, 2), dtype="i8")
        if all_come:
            for name in tracks:
                self._make(name)

    def add(self, samples: Samples) -> None:
        if samples.lost:
            self.write()
            self._lost += samples.lost
        if samples.count:
            if self._lost:
                self._skip(samples.traces)
            self._waiting.append(samples)

    def write(self) -> None:
        if not self._waiting:
            return
        for name in self._waiting[0].traces:
            trace = self._traces[name] if name in self._traces else self._make(name)
            _extend(trace, self._size, np.concatenate([samples.traces[name] for samples in self._waiting]))
        self._size += sum(samples.count for samples in self._waiting)
        self._waiting.clear()

    def end(self, ended: Ended) -> None:
        self.write()
        if self._lost:
            self._skip(self._traces or ("response",))
        if ended.summary is not None:
            _keep(self._group.create_group("features"), ended.features)
            self._group["summary"] = ended.summary
        self._group.attrs["complete"] = True

    def _skip(self, names: Iterable[str]) -> None:
        """Leave room for what is missing, and note where."""
        for name in names:
            trace = self._traces[name] if name in self._traces else self._make(name)
            trace.resize((self._size + self._lost,))
        count = self._gaps.shape[0]
        self._gaps.resize((count + 1, 2))
        self._gaps[count] = self._size, self._lost
        self._size, self._lost = self._size + self._lost, 0

    def _make(self, name: str) -> h5py.Dataset:
        trace = self._group.create_dataset(
            name, shape=(0,), maxshape=(None,), chunks=(_CHUNK,), dtype="f8",
            shuffle=True, compression="gzip", compression_opts=1, fillvalue=math.nan,
        )  # fmt: skip
        trace.attrs.update(self._tracks[name])
        self._traces[name] = trace
        return trace


def _keep(group: h5py.Group, numbers: Mapping[str, float]) -> None:
    """Write one number a name; by h5py's lower level, which takes a third of the time that a cell waits for it."""
    scalar = h5py.h5s.create(h5py.h5s.SCALAR)
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    for name, number in numbers.items():
        dataset = h5py.h5d.create(group.id, name.encode(), h5py.h5t.IEEE_F64LE, scalar, compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(number, dtype=np.float64))


def _extend(trace: h5py.Dataset, size: int, samples: npt.NDArray[np.float64]) -> None:
    trace.resize((size + samples.size,))
    trace[size:] = samples
