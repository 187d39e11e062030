"""This file is the cut: slices of a posterior as the pair plot lays them out, whichever way round a pair stands."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from rig_plugin.feed import Sliced
from rig_plugin.widgets import density, joint
from rig_plugin.widgets.corner import Map, Span
from rig_plugin.widgets.number import fixed
from rig_plugin.widgets.shade import image, shades
from rig_plugin.widgets.theme import Theme
from simulators.parameter import Parameter

__all__ = ["Cut"]

Array = npt.NDArray[np.float64]


class Cut:
    """Slices, asked for by the parameters.

    Args:
        sliced: With the trial that they are of.
    """

    def __init__(self, sliced: Sliced) -> None:
        self.trial, self._slices = sliced.trial, sliced.slices
        names = self._slices.names
        self._place = {name: k for k, name in enumerate(names)}
        self._pair = {pair: m for m, pair in enumerate(combinations(names, 2))}

    def line(self, parameter: Parameter) -> tuple[Array, Array] | None:
        """Give a parameter's density with all others held.

        Args:
            parameter: Which.

        Returns:
            Places on its axis and heights, the highest 1, both shape (n,); None where it was not sliced.
        """
        k = self._place.get(parameter.name)
        if k is None:
            return None
        heights = self._slices.densities[k]
        return density.position(parameter, self._slices.values[k]), heights / heights.max()

    def map(self, across: Parameter, up: Parameter, colour: str, theme: Theme) -> Map | None:
        """Map a pair with all others held.

        Args:
            across: Along the column's axis.
            up: Along the row's.
            colour: Of the highest density.
            theme: Of the rest.

        Returns:
            The map with its correlation; None where the pair was not sliced.
        """
        found = self._plane(across, up)
        if found is None:
            return None
        x, y, plane, related = found
        outlines = [joint.isoline(plane, level) for level in joint.levels(plane)]
        note = f"r {fixed(related, 2)}"
        return Map(image(plane, shades(theme.panel, colour)), _ends(x), _ends(y), outlines, theme.text, note)

    def share(self, across: Parameter, up: Parameter, x: float, y: float) -> float:
        """Tell how high a pair's density is at a point, against the highest.

        Args:
            across: Along the column's axis.
            up: Along the row's.
            x: Place along the first.
            y: Along the second.

        Returns:
            0 to 1; 0 where it was not sliced.
        """
        found = self._plane(across, up)
        if found is None:
            return 0.0
        xs, ys, plane, _ = found
        (left, right), (foot, top) = _ends(xs), _ends(ys)
        if not (left <= x < right and foot <= y < top):
            return 0.0
        i, j = int((x - left) / (right - left) * len(xs)), int((y - foot) / (top - foot) * len(ys))
        return float(plane[i, j] / plane.max())

    def reference(self, chosen: tuple[Parameter, ...]) -> Array | None:
        """Give where the others are held.

        Args:
            chosen: Some parameters.

        Returns:
            Places on their axes, NaN where one was not sliced; None where none was.
        """
        found = np.array([np.nan] * len(chosen))
        for k, parameter in enumerate(chosen):
            if parameter.name in self._place:
                found[k] = density.position(parameter, self._slices.reference[self._place[parameter.name]])
        return found if np.isfinite(found).any() else None

    def _plane(self, across: Parameter, up: Parameter) -> tuple[Array, Array, Array, float] | None:
        """Find a pair and turn it as it stands: places along both axes, the density, the correlation."""
        for first, second in ((across, up), (up, across)):
            m = self._pair.get((first.name, second.name))
            if m is None:
                continue
            rows = [density.position(p, v) for p, v in zip((first, second), self._slices.pair_values[m], strict=True)]
            plane = self._slices.pair_densities[m]
            is_turned = first is not across
            x, y = rows[::-1] if is_turned else rows
            return x, y, plane.T if is_turned else plane, float(self._slices.correlations[m])
        return None


def _ends(middles: Array) -> Span:
    """Give the outer edges of cells whose middles are known."""
    half = (middles[1] - middles[0]) / 2
    return float(middles[0] - half), float(middles[-1] + half)
