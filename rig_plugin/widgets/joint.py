"""This file is the joint: the density of two parameters, from draws, and the regions that hold most of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CELLS", "REGIONS", "drawn", "isoline", "levels"]

CELLS = 48
"""Cells along either axis of a density from draws."""

REGIONS = (0.5, 0.9)
"""Shares of the mass that the outlined regions hold."""

_LEAST = 0.3

Array = npt.NDArray[np.float64]


def drawn(x: Array, y: Array, across: tuple[float, float], up: tuple[float, float]) -> Array:
    """Estimate the density of draws: a histogram smoothed by a normal kernel as oblique as the draws themselves.

    The kernel is multiplied where it is smooth, among frequencies; mass that it would carry over an edge is reflected.

    Args:
        x: Places of the draws along the first axis, shape (s,).
        y: Along the second, shape (s,).
        across: Ends of the first axis; draws beyond are not counted.
        up: Ends of the second.

    Returns:
        Shape (CELLS, CELLS), the first axis along the rows; as many in all as draws were counted.

    References:
        Scott (1992), Multivariate Density Estimation, section 6.3.
    """
    counts, _, _ = np.histogram2d(x, y, bins=CELLS, range=(across, up))
    sizes = np.array([across[1] - across[0], up[1] - up[0]]) / CELLS
    kernel = np.cov(x, y) / np.outer(sizes, sizes) * len(x) ** (-1.0 / 3.0) + _LEAST * np.eye(2)
    margin = CELLS // 2
    padded = np.pad(counts, margin, mode="symmetric")
    f, g = np.fft.fftfreq(len(padded))[:, None], np.fft.rfftfreq(len(padded))[None, :]
    bent = kernel[0, 0] * f**2 + 2.0 * kernel[0, 1] * f * g + kernel[1, 1] * g**2
    smooth = np.fft.irfft2(np.fft.rfft2(padded) * np.exp(-2.0 * np.pi**2 * bent), padded.shape)
    return np.asarray(np.clip(smooth[margin:-margin, margin:-margin], 0.0, None))


def levels(density: Array, regions: tuple[float, ...] = REGIONS) -> tuple[float, ...]:
    """Find how high a density is at the edge of the smallest regions that hold these shares of it.

    Args:
        density: Any shape, in cells of one size.
        regions: Shares of the mass.

    Returns:
        One height a share.
    """
    high = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(high)
    return tuple(float(high[min(int(np.searchsorted(mass, share * mass[-1])), high.size - 1)]) for share in regions)


def isoline(density: Array, level: float) -> tuple[Array, Array]:
    """Draw the line along which a density has a height, by marching squares; beyond the edges there is nothing.

    Args:
        density: Shape (n, m), the first axis along the rows, at the middles of cells.
        level: The height.

    Returns:
        Places along both axes, 0 to 1 from edge to edge, two after each other for each piece of the line.

    References:
        Lorensen & Cline (1987), Marching cubes. ACM SIGGRAPH Computer Graphics 21, 163-169.
    """
    z = np.pad(density, 1) - level
    n, m = density.shape
    x, y = ((np.arange(count + 2) - 0.5) / count for count in (n, m))
    is_above = z > 0
    across, up = is_above[1:] != is_above[:-1], is_above[:, 1:] != is_above[:, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed_x = x[:-1, None] + z[:-1] / (z[:-1] - z[1:]) / n
        crossed_y = y[None, :-1] + z[:, :-1] / (z[:, :-1] - z[:, 1:]) / m
    # Of each square: below, left, above, right. A line enters by one side and leaves by the next that is crossed.
    is_crossed = np.stack([across[:, :-1], up[:-1], across[:, 1:], up[1:]], axis=-1)
    sides = np.broadcast_to(x[:, None], crossed_y.shape)
    floors = np.broadcast_to(y[None], crossed_x.shape)
    xs = np.stack([crossed_x[:, :-1], sides[:-1], crossed_x[:, 1:], sides[1:]], axis=-1)
    ys = np.stack([floors[:, :-1], crossed_y[:-1], floors[:, 1:], crossed_y[1:]], axis=-1)
    return np.asarray(xs[is_crossed]), np.asarray(ys[is_crossed])
