"""This file is the axis that reads logarithms as plain numbers."""

from __future__ import annotations

import numpy as np

from rig_plugin.widgets.number import significant
from rig_plugin.widgets.qt import pg

__all__ = ["LogAxis"]


class LogAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks at round numbers: where it `is_log`, positions are decimal logarithms and labels what they stand for."""

    is_log = False

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float | None, list[float]]]:
        """Choose where ticks go.

        Args:
            minVal: Lower end of the axis.
            maxVal: Upper end.
            size: Length [pixels].

        Returns:
            As pyqtgraph has it, spacing and positions.
        """
        if not self.is_log or maxVal - minVal > 30:
            ticks: list[tuple[float | None, list[float]]] = super().tickValues(minVal, maxVal, size)
            return ticks[:1] if size < 150 and ticks and len(ticks[0][1]) > 1 else ticks[:2]
        low, high = 10.0**minVal, 10.0**maxVal
        if maxVal - minVal < 0.8:
            even = super().tickValues(low, high, size)[:1]
            return [(None, [float(np.log10(v)) for _, values in even for v in values if v > 0])]
        decades = range(int(np.floor(minVal)), int(np.ceil(maxVal)) + 1)
        steps = (1, 2, 5) if maxVal - minVal < 2.5 else (1,)
        places = [decade + float(np.log10(step)) for decade in decades for step in steps]
        return [(None, [place for place in places if minVal <= place <= maxVal])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Write the labels.

        Args:
            values: Positions.
            scale: Factor on linear positions.
            spacing: Between linear positions.

        Returns:
            One label a tick.
        """
        if self.is_log:
            return [significant(float(f"{10.0**value:.6g}")) for value in values]
        labels: list[str] = super().tickStrings(values, scale, spacing)
        return labels
