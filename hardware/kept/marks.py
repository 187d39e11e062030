"""This file is the marks: moments that the user found worth finding again, with their notes."""

from __future__ import annotations

from dataclasses import dataclass

import h5py  # type: ignore[import-untyped]

from hardware.hdf5 import text
from hardware.kept.trace import child

__all__ = ["Mark", "marks_of"]

_MOST = 1_000_000


@dataclass(frozen=True)
class Mark:
    """One moment.

    Args:
        sample: Samples received since the session began.
        sweep: Number of the sweep, -1 for none.
        time: ISO 8601.
        text: The note, or nothing.
    """

    sample: int
    sweep: int
    time: str
    text: str


def marks_of(file: h5py.File) -> tuple[Mark, ...]:
    """Read the marks of a recording.

    Args:
        file: The `h5py.File`.

    Returns:
        In the order in which they were made; none where the file has no list.

    Raises:
        ValueError: If the list is no such list.
    """
    if "marks" not in file:
        return ()
    dataset = child(file, "marks")
    if dataset.ndim != 1 or dataset.size > _MOST:
        raise ValueError(f"its marks have the shape {dataset.shape}")
    if not dataset.size:
        return ()
    rows = dataset[()]
    return tuple(Mark(int(row["sample"]), int(row["sweep"]), text(row["time"]), text(row["text"])) for row in rows)
