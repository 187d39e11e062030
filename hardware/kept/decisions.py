"""This file is the decisions that a recording keeps: what a script decided, and why, in order."""

from __future__ import annotations

from pathlib import Path

import h5py  # type: ignore[import-untyped]

from hardware.decision import EVENTS, Decision
from hardware.hdf5 import open_hdf5, text
from hardware.kept.trace import child
from hardware.recorder import FORMAT
from hardware.recording import RecordingError

__all__ = ["decisions", "decisions_of"]

_MOST = 1_000_000
_TEXTS = ("kind", "said", "criterion", "unit", "time")


def decisions(path: Path) -> list[Decision]:
    """List the decisions of a recording, whole or left behind by a program that died.

    Args:
        path: A recording of this program.

    Returns:
        In the order in which they were made; none where no script was played.

    Raises:
        RecordingError: If it is no recording of this program, or is damaged.
    """
    with open_hdf5(path) as file:
        if text(file.attrs.get("format")) != FORMAT:
            raise RecordingError(f"{path} is no recording of this program: give a file that `run` or the app has made.")
        try:
            return list(decisions_of(file))
        except RecordingError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, OSError, RuntimeError, OverflowError) as error:
            raise RecordingError(f"{path} is a damaged recording ({error}): run `recover` on it.") from error


def decisions_of(file: h5py.File) -> tuple[Decision, ...]:
    """Read the decisions of an open recording.

    Args:
        file: The `h5py.File`.

    Returns:
        In the order in which they were made; none where the file has no list.

    Raises:
        ValueError: If the list is no such list.
    """
    if "decisions" not in file:
        return ()
    dataset = child(file, "decisions")
    if dataset.ndim != 1 or dataset.size > _MOST:
        raise ValueError(f"its decisions have the shape {dataset.shape}")
    return tuple(_decision(row) for row in dataset[()]) if dataset.size else ()


def _decision(row: h5py.Dataset) -> Decision:
    known = {event: event for event in EVENTS}
    event = text(row["event"])
    if event not in known:
        raise ValueError(f"a decision is called '{event}'")
    words = {name: text(row[name]) for name in _TEXTS}
    numbers = {name: float(row[name]) for name in ("measured", "bound")}
    places = {name: int(row[name]) for name in ("stage", "sample", "sweeps")}
    return Decision.of({**words, **numbers, **places, "event": known[event]})
