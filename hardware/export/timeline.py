"""This file is the timeline: when each sweep and segment begins, in seconds from the beginning of an NWB file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hardware.kept.session import KeptSession

__all__ = ["Timeline", "timeline"]


@dataclass(frozen=True)
class Timeline:
    """Starts of what a session holds.

    Args:
        zero: Time zero (aware): when the recording was made, or its first sample was taken if that was earlier.
        sweeps: Start of each sweep [s].
        segments: Start of each segment [s].
        tests: Start of each membrane test [s].
    """

    zero: datetime
    sweeps: tuple[float, ...]
    segments: tuple[float, ...]
    tests: tuple[float, ...]


def timeline(session: KeptSession) -> Timeline:
    """Place sweeps, segments and membrane tests in time.

    A sweep whose start is unknown begins where the one before it ends, so that the order at least is kept.

    Args:
        session: The recording.

    Returns:
        The timeline.
    """
    sweeps, tests = (
        [(s.provenance.start, s.response.samples / s.rate / 1e3) for s in parts]
        for parts in (session.sweeps, session.tests)
    )
    segments = [(s.start, s.samples / s.rate / 1e3) for s in session.segments]
    zero = min([session.created, *(start for start, _ in sweeps + segments + tests if start)])
    return Timeline(zero, _placed(sweeps, zero), _placed(segments, zero), _placed(tests, zero))


def _placed(parts: Sequence[tuple[datetime | None, float]], zero: datetime) -> tuple[float, ...]:
    starts, end = [], 0.0
    for start, duration in parts:
        starts.append((start - zero).total_seconds() if start else end)
        end = starts[-1] + duration
    return tuple(starts)
