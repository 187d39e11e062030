"""This file is the kept segment: a stretch of gap-free recording, with any number of channels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import h5py  # type: ignore[import-untyped]

from hardware.hdf5 import text
from hardware.kept.channel import KeptChannel, kept_channel
from hardware.kept.loss import Gap, Loss
from hardware.kept.sweep import gaps_of, moment
from hardware.kept.trace import child

__all__ = ["KeptChannel", "KeptSegment", "kept_segment"]


@dataclass(frozen=True, eq=False)
class KeptSegment:
    """One stretch, of which only the descriptions are in memory.

    Args:
        index: Number in the file, from 0.
        rate: Sampling rate [kHz].
        start: When the first sample was taken (aware), or None.
        complete: Whether it was finished.
        channels: By name.
        gaps: Lost samples, which the channels hold as NaN.
    """

    index: int
    rate: float
    start: datetime | None
    complete: bool
    channels: Mapping[str, KeptChannel]
    gaps: tuple[Gap, ...]

    @property
    def samples(self) -> int:
        """Length of its longest channel."""
        return max(channel.trace.samples for channel in self.channels.values())

    @property
    def losses(self) -> list[Loss]:
        """What of it is missing."""
        where = f"segment {self.index}"
        found = [Loss(where, "These samples never came; NaN is in their place.", g.first, g.count) for g in self.gaps]
        for name, channel in self.channels.items():
            reason = f"Channel '{name}' is damaged here; NaN is in its place."
            found += [Loss(where, reason, g.first, g.count) for g in channel.trace.holes]
        if not self.complete:
            reason = f"It was not finished; {self.samples} samples are there, what came after them is not known."
            found.append(Loss(where, reason, self.samples))
        return found


def kept_segment(group: h5py.Group, index: int, *, thorough: bool) -> KeptSegment | None:
    """Look at one segment.

    Args:
        group: The `h5py.Group`.
        index: Its number.
        thorough: As `kept_trace`.

    Returns:
        The segment without the channels that have no sample, or None where none has one.

    Raises:
        RecordingError: If a trace can't be used.
        LookupError: If a description is missing.
        ValueError: If a description can't be used.
    """
    rate = float(group.attrs["rate"]) / 1e3
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"its sampling rate is {rate} kHz")
    names = sorted(set(group) - {"gaps"})
    gaps = gaps_of(group, max((child(group, name).shape[0] for name in names), default=0))
    channels = {}
    for name in names:
        channel = kept_channel(group, name, gaps=gaps, thorough=thorough)
        if channel is not None:
            channels[name] = channel
    if not channels:
        return None
    return KeptSegment(
        index,
        rate,
        moment(text(group.attrs.get("start"))),
        bool(group.attrs.get("complete", False)),
        channels,
        gaps,
    )
