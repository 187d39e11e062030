"""This file is the pyramid: the newest samples of a channel, and above them their lowest and highest, ever coarser.

Each level up keeps a sixteenth as many pairs for the same time and reaches further back, so that a whole session of any
length costs a fixed memory, and whatever part of it is looked at costs the same.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["Pyramid"]

_FACTOR = 16
_LEVELS = 3
_SAMPLES = 1 << 22
"""Samples that are kept themselves: 84 s at 50 kHz."""
_SHRINK = 4
"""How many times fewer pairs each level up has room for, which lets it reach four times as far back."""

Array = npt.NDArray[np.float64]
_Kept = npt.NDArray[np.float32]


class Pyramid:
    """A channel's samples on an even grid of time, NaN where there are none.

    Samples are kept in single precision, which holds all that a converter of 24 bit tells. Envelopes are cut where the
    grid's own blocks end and not where the view begins: a trace that is scrolled moves and does not flicker. No block
    is narrower than a pixel, and its two ends lie above one another: of a line whose pieces are shorter than a pixel,
    a raster leaves some out.

    Args:
        samples: How many are kept themselves, a power of two.

    Raises:
        ValueError: If they are no power of two, or too few for all levels.
    """

    def __init__(self, samples: int = _SAMPLES) -> None:
        least = (_FACTOR * _SHRINK) ** _LEVELS // _FACTOR
        if samples < least or samples & (samples - 1):
            raise ValueError(f"A pyramid over {samples} samples was asked; a power of two from {least} was wanted.")
        self._count = 0
        self._samples: _Kept = np.empty(samples, np.float32)
        sizes = [samples // _SHRINK ** (level + 1) for level in range(_LEVELS)]
        self._lows: list[_Kept] = [self._samples, *(np.empty(size, np.float32) for size in sizes)]
        self._highs: list[_Kept] = [self._samples, *(np.empty(size, np.float32) for size in sizes)]
        # The means need no finer blocks than the second level's.
        self._sums, self._known = np.empty(sizes[1]), np.empty(sizes[1], np.int64)

    @property
    def count(self) -> int:
        """How many samples came since the beginning, gaps included."""
        return self._count

    @property
    def oldest(self) -> int:
        """The first sample of which at least the envelope is still there."""
        return self._first(_LEVELS)

    @property
    def oldest_sample(self) -> int:
        """The first sample that is still there itself."""
        return self._first(0)

    def append(self, values: Array) -> None:
        """Add samples after those that are there.

        Args:
            values: Shape (n,); NaN is missing.
        """
        most = self._samples.size // 4
        for first in range(0, values.size, most):
            self._append(values[first : first + most])

    def skip(self, count: int) -> None:
        """Leave a gap.

        Args:
            count: Its samples.
        """
        # Of a gap that is longer than all that is kept, no more than that has to be written.
        whole = self._lows[-1].size * _FACTOR**_LEVELS
        if count > 2 * whole:
            self._count += (count - whole) // whole * whole
            count -= (count - whole) // whole * whole
        most = self._samples.size // 4
        missing = np.full(min(count, most), np.nan)
        for first in range(0, count, most):
            self._append(missing[: count - first])

    def read(self, first: int, last: int) -> Array | None:
        """Copy samples.

        Args:
            first: Place of the first, counted from the beginning.
            last: Place after the last.

        Returns:
            Shape (last - first,), or None where some are not there yet or not any more.
        """
        if not self.oldest_sample <= first <= last <= self._count:
            return None
        return self._taken(self._samples, first, last).astype(np.float64)

    def envelope(self, first: int, last: int, pixels: int) -> tuple[Array, Array]:
        """Cut a stretch to the lowest and the highest sample of each pixel.

        Args:
            first: Place of its first sample; what is not there is left out.
            last: Place after its last.
            pixels: How wide it is shown.

        Returns:
            Places and values, shape (m,) each, with m at most 2 * pixels and a few more, NaN where samples are missing
            for a whole pixel; every sample where there are fewer than that and they are still there.
        """
        first, last = max(first, self.oldest), min(last, self._count)
        if last <= first:
            return np.empty(0), np.empty(0)
        wide = (last - first) / max(pixels, 1)
        level = max(k for k in range(_LEVELS + 1) if k == 0 or _FACTOR**k <= wide)
        # Where the finer levels do not reach that far back any more, the coarser ones do.
        level = next(k for k in range(level, _LEVELS + 1) if self._first(k) <= first or k == _LEVELS)
        unit = _FACTOR**level
        bins = max(math.ceil(wide / unit), 1)
        if level == 0 and bins < 2:
            return np.arange(first, last, dtype=np.float64), self._taken(self._samples, first, last).astype(np.float64)
        size = unit * bins
        start, stop = first // size, -(-last // size)
        low, high = self._blocks(level, start * bins, stop * bins, bins)
        places = np.repeat((np.arange(start, stop) + 0.5) * size, 2)
        return places, np.column_stack([low, high]).ravel().astype(np.float64)

    def mean(self, first: int, last: int) -> float:
        """Average samples, exactly, however many they are.

        Args:
            first: Place of the first.
            last: Place after the last.

        Returns:
            Their mean; NaN where all are missing, or some not there any more.
        """
        if not self.oldest_sample <= first < last <= self._count:
            return float("nan")
        unit = _FACTOR**2
        inner, outer = -(-first // unit), last // unit
        if outer <= inner:
            pieces = [self._taken(self._samples, first, last)]
            total, known = 0.0, 0
        else:
            pieces = [self._taken(self._samples, first, inner * unit), self._taken(self._samples, outer * unit, last)]
            places = np.arange(inner, outer) % self._sums.size
            total, known = float(self._sums[places].sum()), int(self._known[places].sum())
        for piece in pieces:
            total += float(np.nansum(piece, dtype=np.float64))
            known += int(np.isfinite(piece).sum())
        return total / known if known else float("nan")

    def _first(self, level: int) -> int:
        """Find the first sample that a level still covers."""
        unit: int = _FACTOR**level
        return unit * max(0, -(-self._count // unit) - self._lows[level].size)

    def _append(self, values: Array) -> None:
        """Write samples, fewer than are kept, and all blocks above that they touch."""
        begin = self._count
        self._count += values.size
        _put(self._samples, begin, values.astype(np.float32))
        unit = 1
        for level in range(1, _LEVELS + 1):
            first, last = begin // (unit * _FACTOR), -(-self._count // (unit * _FACTOR))
            end = -(-self._count // unit)
            lows = self._padded(self._lows[level - 1], first, last, end)
            highs = lows if level == 1 else self._padded(self._highs[level - 1], first, last, end)
            _put(self._lows[level], first, np.fmin.reduce(lows, axis=1))
            _put(self._highs[level], first, np.fmax.reduce(highs, axis=1))
            unit *= _FACTOR
            if level == 2:
                self._add_up(first, last)

    def _add_up(self, first: int, last: int) -> None:
        """Write the sums of the second level's blocks."""
        unit = _FACTOR**2
        samples = self._taken(self._samples, first * unit, min(last * unit, self._count))
        whole = np.full((last - first) * unit, np.nan)
        whole[: samples.size] = samples
        blocks = whole.reshape(-1, unit)
        _put(self._sums, first, np.nansum(blocks, axis=1))
        _put(self._known, first, np.isfinite(blocks).sum(axis=1))

    def _padded(self, kept: _Kept, first: int, last: int, end: int) -> _Kept:
        """Copy what lies under blocks, shape (last - first, 16), NaN where nothing has come yet."""
        below = np.full((last - first) * _FACTOR, np.nan, np.float32)
        taken = self._taken(kept, first * _FACTOR, min(last * _FACTOR, end))
        below[: taken.size] = taken
        return below.reshape(-1, _FACTOR)

    def _blocks(self, level: int, first: int, last: int, bins: int) -> tuple[_Kept, _Kept]:
        """Join every so many blocks of a level; those that are not there are missing."""
        unit = _FACTOR**level
        there, end = max(first, self._first(level) // unit), min(last, -(-self._count // unit))
        joined = []
        for kept, extreme in ((self._lows[level], np.fmin), (self._highs[level], np.fmax)):
            if there == first and end == last:
                blocks = self._taken(kept, first, last)
            else:
                blocks = np.full(last - first, np.nan, np.float32)
                blocks[there - first : end - first] = self._taken(kept, there, end)
            joined.append(blocks if bins == 1 else extreme.reduce(blocks.reshape(-1, bins), axis=1))
        return joined[0], joined[1]

    @staticmethod
    def _taken(kept: _Kept, first: int, last: int) -> _Kept:
        """Give a stretch of a ring; a view of it where it does not run over the ring's end."""
        begin, size = first % kept.size, last - first
        if begin + size <= kept.size:
            return kept[begin : begin + size]
        return np.concatenate([kept[begin:], kept[: begin + size - kept.size]])


def _put(kept: npt.NDArray[np.generic], first: int, values: npt.NDArray[np.generic]) -> None:
    """Write a stretch into a ring."""
    begin = first % kept.size
    ahead = min(values.size, kept.size - begin)
    kept[begin : begin + ahead] = values[:ahead]
    kept[: values.size - ahead] = values[ahead:]
