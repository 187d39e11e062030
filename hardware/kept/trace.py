"""This file is the kept trace: the samples of one channel on the disk, read in pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.hdf5 import text
from hardware.kept.loss import Gap
from hardware.recording import RecordingError

__all__ = ["LONGEST", "Trace", "child", "kept_trace", "unit_of"]

LONGEST = 1 << 32
"""Most samples of one trace: a day at 50 kHz."""

_DEFLATE = 1032  # gzip can't pack more tightly
_PIECE = 1 << 18  # samples that are read at once


@dataclass(frozen=True, eq=False)
class Trace:
    """One channel; what was lost or is not on the disk reads as NaN.

    Args:
        dataset: The `h5py.Dataset`.
        samples: How many there are, holes included.
        unit: What the values become when multiplied by the conversion: "volts", "amperes" or another.
        conversion: To the unit.
        holes: Stretches that can't be read, or were never written though nobody told that they were lost.
        gaps: Stretches that were lost before they could be written.
    """

    dataset: h5py.Dataset
    samples: int
    unit: str
    conversion: float
    holes: tuple[Gap, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def read(self, start: int, stop: int) -> npt.NDArray[np.float64]:
        """Read a piece.

        Args:
            start: Its first sample.
            stop: The one after its last.

        Returns:
            Shape (stop - start,), as stored [mV, pA or as the conversion says].

        Raises:
            RecordingError: If the file is damaged there.
        """
        missing = [gap for gap in (*self.holes, *self.gaps) if gap.first < stop and gap.end > start]
        if not missing:
            return self._stored(start, stop)
        values = np.full(stop - start, np.nan)
        for piece in Gap(start, stop - start).without(missing):
            values[piece.first - start : piece.end - start] = self._stored(piece.first, piece.end)
        return values

    def _stored(self, start: int, stop: int) -> npt.NDArray[np.float64]:
        try:
            return np.asarray(self.dataset[start:stop], dtype=np.float64).reshape(-1)
        except (OSError, RuntimeError) as error:
            raise RecordingError(
                f"{self.dataset.file.filename} is damaged in '{self.dataset.name}' ({error}): run `recover` on it."
            ) from error


def child(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """Take a member that lies in the file itself: a link into another file is not followed.

    Args:
        group: The group.
        name: Of the member.

    Returns:
        The `h5py.Group` or `h5py.Dataset`.

    Raises:
        RecordingError: If the member is a link.
        KeyError: If there is none.
    """
    link = group.get(name, getlink=True)
    if link is None:
        raise KeyError(f"'{group.name.rstrip('/')}/{name}' is missing")
    if not isinstance(link, h5py.HardLink):
        raise RecordingError(
            f"{group.file.filename} has a link for '{group.name.rstrip('/')}/{name}', which this program never writes: "
            "give the recording itself."
        )
    return group[name]


def kept_trace(
    group: h5py.Group, name: str, *, unit: str, conversion: float, gaps: Sequence[Gap], thorough: bool
) -> Trace:
    """Look at a trace without reading more of it than is asked for.

    Args:
        group: The sweep or segment.
        name: Of the trace in it.
        unit: As `Trace`.
        conversion: As `Trace`.
        gaps: What is known to be lost.
        thorough: Whether every sample is read once, and what can't be read becomes a hole.

    Returns:
        The trace; what is missing at its end is not counted.

    Raises:
        RecordingError: If it is no trace, takes its samples from another file, or claims more than its bytes can hold.
    """
    dataset = child(group, name)
    path = group.file.filename
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 1 or dataset.dtype.kind not in "iuf":
        raise RecordingError(f"{path} has no trace in '{dataset.name}': it is damaged, copy it again from the rig.")
    if dataset.external or dataset.is_virtual:
        raise RecordingError(f"{path} takes '{dataset.name}' from another file: give the recording itself.")
    if not math.isfinite(conversion) or not conversion:
        raise RecordingError(f"{path} has the conversion {conversion} for '{dataset.name}', a factor was wanted.")
    samples = dataset.shape[0]
    unwritten = _unwritten(dataset)
    stored = samples - sum(gap.count for gap in unwritten)
    holes = [piece for gap in unwritten for piece in gap.without(gaps)]
    while holes and holes[-1].end >= samples:
        samples = holes.pop().first
    if samples > LONGEST or stored * dataset.dtype.itemsize > _DEFLATE * dataset.id.get_storage_size():
        raise RecordingError(
            f"{path} claims {samples} samples in '{dataset.name}', more than it can hold: copy it again from the rig."
        )
    trace = Trace(dataset, samples, unit, conversion, tuple(holes), tuple(gap for gap in gaps if gap.first < samples))
    return replace(trace, holes=tuple(sorted([*holes, *_unreadable(trace)]))) if thorough else trace


def unit_of(dataset: h5py.Dataset) -> tuple[str, float]:
    """Tell what a trace declares.

    Args:
        dataset: The `h5py.Dataset`.

    Returns:
        Unit and conversion.
    """
    return text(dataset.attrs["unit"]), float(dataset.attrs["conversion"])


def _unwritten(dataset: h5py.Dataset) -> list[Gap]:
    """Find chunks that were promised but never written: HDF5 would read them as zeros, as if they were measured."""
    if not dataset.chunks:
        return []
    chunk, samples = dataset.chunks[0], dataset.shape[0]
    if dataset.id.get_num_chunks() >= -(-samples // chunk):
        return []
    there: list[int] = []
    dataset.id.chunk_iter(lambda info: there.append(int(info.chunk_offset[0])))
    holes, position = [], 0
    for first in [*sorted(there), samples]:
        if first > position:
            holes.append(Gap(position, min(first, samples) - position))
        position = max(position, first + chunk)
    return holes


def _unreadable(trace: Trace) -> list[Gap]:
    """Read everything once; where a piece fails, find out which of its chunks do."""
    chunk = trace.dataset.chunks[0] if trace.dataset.chunks else trace.samples
    piece = max(_PIECE // chunk, 1) * chunk
    found = []
    for start in range(0, trace.samples, piece):
        stop = min(start + piece, trace.samples)
        if not _is_readable(trace, start, stop):
            pieces = [Gap(k, min(chunk, stop - k)) for k in range(start, stop, chunk)]
            found += [gap for gap in pieces if not _is_readable(trace, gap.first, gap.end)]
    return found


def _is_readable(trace: Trace, start: int, stop: int) -> bool:
    try:
        trace.read(start, stop)
    except RecordingError:
        return False
    return True
