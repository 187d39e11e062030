"""This file is the shade: a map from nothing to the most, in even steps for the eye, and images in it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rig_plugin.widgets.qt import QtGui, pg

__all__ = ["image", "shades"]

_STEPS = 256


@lru_cache
def shades(nothing: str, most: str) -> npt.NDArray[np.uint8]:
    """Lay colours between two so that equal steps look equally far apart.

    Args:
        nothing: Colour of nothing, as "#rrggbb".
        most: Colour of the most.

    Returns:
        Shape (256, 4): blue, green, red and opacity, as an image of 32 bits has them; to be shared, not changed.
    """
    between = pg.ColorMap(None, [nothing, most]).getLookupTable(nPts=33, mode="qcolor")
    even = pg.ColorMap(None, between)
    even.linearize()
    table = even.getLookupTable(nPts=_STEPS, mode="byte", alpha=True)
    return np.ascontiguousarray(table[:, [2, 1, 0, 3]])


def image(density: npt.NDArray[np.float64], table: npt.NDArray[np.uint8], top: float | None = None) -> QtGui.QImage:
    """Paint a density.

    Args:
        density: Shape (n, m), the first axis across and the second upwards.
        table: As `shades` gives it.
        top: What has the colour of the most; the highest by default.

    Returns:
        An image of n x m pixels.
    """
    top = float(density.max()) if top is None else top
    steps = density.T[::-1] * ((_STEPS - 1) / top if top > 0 else 0.0)
    pixels = np.ascontiguousarray(table[steps.astype(np.intp)])
    height, width = pixels.shape[:2]
    painted = QtGui.QImage(pixels.tobytes(), width, height, 4 * width, QtGui.QImage.Format.Format_ARGB32)
    # The image does not own what it was made of.
    return painted.copy()
