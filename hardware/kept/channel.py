"""This file is the kept channel: a trace that is neither response nor command by nature, with its gain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import h5py  # type: ignore[import-untyped]

from hardware.hdf5 import text
from hardware.kept.loss import Gap
from hardware.kept.trace import Trace, child, kept_trace, unit_of

__all__ = ["KeptChannel", "kept_channel"]


@dataclass(frozen=True, eq=False)
class KeptChannel:
    """One channel of a segment, or a further one of a sweep.

    Args:
        trace: Its samples.
        gain: Of the amplifier, NaN where it is unknown.
        gain_source: Where the gain came from, or nothing.
        gain_unit: Of the gain, or nothing.
    """

    trace: Trace
    gain: float
    gain_source: str
    gain_unit: str = ""


def kept_channel(group: h5py.Group, name: str, *, gaps: Sequence[Gap], thorough: bool) -> KeptChannel | None:
    """Look at one channel.

    Args:
        group: The sweep or segment.
        name: Of the channel.
        gaps: What is known to be lost.
        thorough: As `kept_trace`.

    Returns:
        The channel, or None where none of its samples reached the disk.

    Raises:
        RecordingError: If it can't be used.
        LookupError: If it does not say its unit.
    """
    dataset = child(group, name)
    unit, conversion = unit_of(dataset)
    trace = kept_trace(group, name, unit=unit, conversion=conversion, gaps=gaps, thorough=thorough)
    if not trace.samples:
        return None
    gain = dataset.attrs.get("gain")
    said = (text(dataset.attrs.get(key)) for key in ("gain_source", "gain_unit"))
    return KeptChannel(trace, math.nan if gain is None else float(gain), *said)
