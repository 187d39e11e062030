"""This file is the kept session: one of our recordings, open and looked through, its samples still on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import h5py  # type: ignore[import-untyped]

from hardware.decision import Decision
from hardware.hdf5 import open_hdf5, text
from hardware.kept.decisions import decisions_of
from hardware.kept.loss import Loss
from hardware.kept.marks import Mark, marks_of
from hardware.kept.segment import KeptSegment, kept_segment
from hardware.kept.sweep import KeptSweep, kept_sweep, moment
from hardware.kept.trace import child
from hardware.recorder import FORMAT
from hardware.recording import RecordingError

__all__ = ["LATEST", "KeptSession", "kept_session"]

LATEST = 2
"""Highest version of the format that can be read."""

_DAMAGE = (LookupError, TypeError, ValueError, AttributeError, OSError, RuntimeError, OverflowError)
_Value = TypeVar("_Value")
_Part = TypeVar("_Part", KeptSweep, KeptSegment)


@dataclass(frozen=True, eq=False)
class KeptSession:
    """What one recording holds.

    Args:
        path: Where it lies.
        version: Of its format.
        created: When it was begun (aware).
        software: Version of the program that wrote it, or nothing.
        metadata: What describes the session.
        sweeps: In order.
        segments: Gap-free stretches, in order.
        marks: Of the user, in order.
        losses: What can't be read at all.
        decisions: Of a script, in order.
        tests: Membrane tests, in order.
    """

    path: Path
    version: int
    created: datetime
    software: str
    metadata: Mapping[str, Any]
    sweeps: tuple[KeptSweep, ...]
    segments: tuple[KeptSegment, ...]
    marks: tuple[Mark, ...]
    losses: tuple[Loss, ...]
    decisions: tuple[Decision, ...] = ()
    tests: tuple[KeptSweep, ...] = ()


@contextmanager
def kept_session(path: Path, *, thorough: bool = False) -> Iterator[KeptSession]:
    """Open a recording for reading; nothing in it is ever changed.

    Args:
        path: The file.
        thorough: Whether to read every sample once and go on where the file is damaged, with the loss told; else
            damage is refused.

    Yields:
        The session, for as long as the file is open.

    Raises:
        RecordingError: If it is no recording of this program, of a later version, damaged, or has no sample.
    """
    with open_hdf5(path) as file:
        try:
            session = _session(path, file, thorough)
        except RecordingError:
            raise
        except _DAMAGE as error:
            remedy = "copy it again from the rig" if thorough else "run `recover` on it"
            raise RecordingError(f"{path} is a damaged recording ({error}): {remedy}.") from error
        yield session


def _session(path: Path, file: h5py.File, thorough: bool) -> KeptSession:
    if text(file.attrs.get("format")) != FORMAT:
        raise RecordingError(f"{path} is no recording of this program: give a file that `run` or the app has made.")
    version = int(file.attrs["version"])
    if not 1 <= version <= LATEST:
        raise RecordingError(f"{path} has format version {version}, up to {LATEST} is known: update the program.")
    losses: list[Loss] = []
    metadata: Any = _or_lost("metadata", lambda: json.loads(text(child(file, "metadata")[()])), {}, losses, thorough)

    def sweep(group: h5py.Group, k: int) -> KeptSweep | None:
        return kept_sweep(group, k, version=version, thorough=thorough)

    def test(group: h5py.Group, k: int) -> KeptSweep | None:
        return kept_sweep(group, k, version=version, thorough=thorough, role="membrane test")

    def segment(group: h5py.Group, k: int) -> KeptSegment | None:
        return kept_segment(group, k, thorough=thorough)

    sweeps = _parts(file, "sweeps", sweep, losses, thorough)
    segments = _parts(file, "continuous", segment, losses, thorough) if "continuous" in file else ()
    tests = _parts(file, "tests", test, losses, thorough) if "tests" in file else ()
    if not sweeps and not segments and not tests:
        why = losses[0].reason.rstrip(".") if losses else "nothing was recorded in it"
        raise RecordingError(f"{path} holds no samples to write ({why}): give another recording.")
    nothing: tuple[Decision, ...] = ()
    decided = _or_lost("decisions", lambda: decisions_of(file), nothing, losses, thorough)
    return KeptSession(
        path=path,
        version=version,
        created=moment(text(file.attrs["created"])) or datetime.fromtimestamp(0, UTC),
        software=text(file.attrs.get("software")),
        metadata=metadata if isinstance(metadata, dict) else {"metadata": metadata},
        sweeps=sweeps,
        segments=segments,
        marks=_or_lost("marks", lambda: marks_of(file) or _early_marks(sweeps), (), losses, thorough),
        losses=tuple(losses),
        decisions=decided,
        tests=tests,
    )


def _or_lost(where: str, read: Callable[[], _Value], otherwise: _Value, losses: list[Loss], thorough: bool) -> _Value:
    """Read what describes the session; the samples are not given up because it is damaged."""
    try:
        return read()
    except _DAMAGE as error:
        if not thorough:
            raise
        losses.append(Loss(where, f"They can't be read ({error})."))
        return otherwise


def _early_marks(sweeps: Sequence[KeptSweep]) -> tuple[Mark, ...]:
    """Find the marks of the first version, which each summary lists from the beginning of the session."""
    lists = [sweep.summary["marks"] for sweep in sweeps if isinstance(sweep.summary.get("marks"), list)]
    samples = [int(sample) for sample in lists[-1]] if lists else []
    if any(not 0 <= sample < 1 << 63 for sample in samples):
        raise ValueError("a mark stands at no sample")
    return tuple(Mark(sample, -1, "", "") for sample in samples)


def _parts(
    file: h5py.File, name: str, look: Callable[[h5py.Group, int], _Part | None], losses: list[Loss], thorough: bool
) -> tuple[_Part, ...]:
    """Look at every sweep, test or segment; one that was opened and never filled is lost, not damaged."""
    found = []
    whole, where = child(file, name), {"sweeps": "sweep", "tests": "membrane test"}.get(name, "segment")
    for k, key in enumerate(sorted(whole)):
        try:
            part = look(child(whole, key), k)
            if part is None:
                losses.append(Loss(f"{where} {k}", "It was begun, and none of its samples reached the disk.", 0))
            else:
                found.append(part)
        except _DAMAGE as error:
            if not thorough:
                if isinstance(error, RecordingError):
                    raise
                raise RecordingError(
                    f"{file.filename} is damaged in {where} {k} ({error}): run `recover` on it."
                ) from error
            losses.append(Loss(f"{where} {k}", f"It can't be read ({error})."))
    return tuple(found)
