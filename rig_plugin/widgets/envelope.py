"""This file is the envelope: a long trace as the few points that a screen can show, with no spike left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["envelope"]


def envelope(
    samples: npt.NDArray[np.float64], rate: float, start: float, end: float, pixels: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Cut a trace to what is visible and keep the lowest and the highest sample of each pixel.

    Args:
        samples: Trace, shape (n,).
        rate: Sampling rate [kHz].
        start: Left edge of what is visible [ms].
        end: Right edge [ms].
        pixels: Width of what is visible.

    Returns:
        Times [ms] and values, shape (m,) each, with m at most 2 * pixels and a few more; every sample
        where there are fewer than that.
    """
    first = min(max(int(start * rate) - 1, 0), samples.size)
    last = max(min(int(end * rate) + 2, samples.size), first)
    seen = samples[first:last]
    # Bins as wide as a pixel, both ends above one another: a raster leaves out pieces of lines that are shorter.
    bin_size = -(-seen.size // max(pixels, 1))
    if bin_size < 2:
        return np.arange(first, last) / rate, seen
    whole = seen.size // bin_size * bin_size
    bins = seen[:whole].reshape(-1, bin_size)
    values = np.column_stack([bins.min(axis=1), bins.max(axis=1)]).ravel()
    times = (first + np.repeat(np.arange(len(bins)) + 0.5, 2) * bin_size) / rate
    rest = np.arange(first + whole, last) / rate
    return np.concatenate([times, rest]), np.concatenate([values, seen[whole:]])
