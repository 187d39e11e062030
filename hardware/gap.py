"""This file is the gap: where samples of a sweep were lost, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["lost_samples", "missing"]

_NAMED = 3


def missing(trace: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Find where a trace holds NaN.

    Args:
        trace: Shape (n,).

    Returns:
        Of each gap, the index of the first sample and how many.

    Example:
        >>> missing(np.array([1.0, np.nan, np.nan, 2.0, np.nan]))
        [(1, 2), (4, 1)]
    """
    edges = np.flatnonzero(np.diff(np.isnan(trace), prepend=False, append=False))
    return [(int(first), int(end - first)) for first, end in edges.reshape(-1, 2)]


def lost_samples(gaps: Sequence[tuple[int, int]], rate: float) -> str:
    """Say how many samples of a sweep were lost, and where.

    Args:
        gaps: Of each, the index of the first sample and how many; at least one.
        rate: Sampling rate [kHz].

    Returns:
        A sentence with the remedy.

    Example:
        >>> lost_samples([(2047, 17)], 20.0)
        '17 samples were lost at 102.35 ms (from sample 2047): record the sweep again.'
    """
    total = sum(count for _, count in gaps)
    places = [f"{first / rate:.2f} ms (from sample {first})" for first, _ in gaps[:_NAMED]]
    if len(gaps) > _NAMED:
        places.append(f"{len(gaps) - _NAMED} more places")
    where = f"{', '.join(places[:-1])} and {places[-1]}" if len(places) > 1 else places[0]
    noun = "sample was" if total == 1 else "samples were"
    return f"{total} {noun} lost at {where}: record the sweep again."
