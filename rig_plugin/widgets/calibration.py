"""This file is the calibration's picture: how often intervals of a network hold what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.qt import QtWidgets, pg
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["CalibrationPlots"]

_WITHIN = 2.0
_AT_MOST = 3.0
_FEW = 10


class CalibrationPlots(QtWidgets.QWidget):
    """Coverage less what was promised, and the deviation of the ranks, one line a parameter, with the aims shaded.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Mapping[str, Any] = {}
        self._theme = DARK
        self.coverage = Chart(("promised", "%"), ("coverage − promised", "%"))
        self.ranks = Chart(("rank", "%"), ("deviation", "%"))
        self.coverage.setToolTip(
            "Of fresh simulated cells, how many more or fewer than promised lay inside their intervals, pooled.\n"
            f"One line a parameter; the aim is to stay within {_WITHIN:g} %."
        )
        self.ranks.setToolTip(
            "Simulation-based calibration: the distribution of the truth's rank among draws, less the uniform one.\n"
            f"One line a parameter; the aim is to stay within {_AT_MOST:g} %."
        )
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for chart in (self.coverage, self.ranks):
            row.addWidget(chart, 1)

    def show_found(self, found: Mapping[str, Any]) -> None:
        """Draw what `check` found.

        Args:
            found: As a checkpoint holds it; nothing is drawn of what is not in it.
        """
        self._found = found
        self._draw()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        for chart in (self.coverage, self.ranks):
            chart.wear(theme)
        self._draw()

    def lines(self) -> tuple[int, int]:
        """Count what is drawn: of coverage, of ranks."""
        return len(self._coverages()), len(self._deviations())

    def _coverages(self) -> dict[str, tuple[list[float], list[float]]]:
        told = self._found.get("coverage", {})
        return {
            name: (
                [float(level) for level in levels],
                [100.0 * value - float(level) for level, value in levels.items()],
            )
            for name, levels in told.items()
        }

    def _deviations(self) -> dict[str, tuple[list[float], list[float]]]:
        lines = {}
        for name, counts in self._found.get("rank_counts", {}).items():
            share = np.cumsum(counts) / max(sum(counts), 1)
            even = np.arange(1, len(counts) + 1) / len(counts)
            lines[name] = ((100.0 * even).tolist(), (100.0 * (share - even)).tolist())
        return lines

    def _draw(self) -> None:
        theme = self._theme
        for chart, lines, reach, x in (
            (self.coverage, self._coverages(), _WITHIN, (45.0, 100.0)),
            (self.ranks, self._deviations(), _AT_MOST, (0.0, 100.0)),
        ):
            chart.plot.clear()
            shade = pg.mkColor(theme.past)
            shade.setAlpha(50)
            aim = pg.LinearRegionItem((-reach, reach), "horizontal", shade, movable=False)
            for edge in aim.lines:
                edge.setPen(pg.mkPen(None))
            chart.plot.addItem(aim)
            for xs, ys in lines.values():
                line = chart.plot.plot(xs, ys, pen=pg.mkPen(theme.now))
                if len(xs) < _FEW:
                    line.setSymbol("o")
                    line.setSymbolSize(4)
                    line.setSymbolBrush(theme.now)
                    line.setSymbolPen(None)
            widest = max((abs(y) for _, ys in lines.values() for y in ys), default=0.0)
            room = max(1.2 * widest, 1.6 * reach)
            chart.span(x=x, y=(-room, room))
