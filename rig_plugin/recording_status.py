"""This file is the recording's status: how a session is being written, as of its newest word."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RecordingStatus"]


@dataclass(frozen=True)
class RecordingStatus:
    """How the recording is doing.

    Args:
        recording: Whether samples go to a file.
        path: That file, or None where nothing is written.
        expected: Samples that the clock of the session says there should be.
        received: Samples that came.
        on_disk: Samples that are safely in the file.
        lost: Samples known to be missing: the rig lost them, or neither disk nor memory had room.
        free_bytes: Space left where the file lies, or None where it is unknown.
        elapsed: Time since the session began [s].
        queued: Samples that only memory has.
        alarm: Why nothing reaches the disk, as a sentence with the remedy, or None.
        refusal: Why a recording that was asked for was not begun, or not closed as a whole, or None.
    """

    recording: bool
    path: str | None
    expected: int
    received: int
    on_disk: int
    lost: int
    free_bytes: int | None
    elapsed: float
    queued: int = 0
    alarm: str | None = None
    refusal: str | None = None
