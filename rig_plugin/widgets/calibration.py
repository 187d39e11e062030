"""This file is the calibration's picture: how often intervals of a network hold what they promise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from estimators.aims import DEVIATION, POOLED
from rig_plugin.scorecard import Score
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import fixed
from rig_plugin.widgets.qt import QtWidgets, pg
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["CalibrationPlots"]

_WITHIN, _AT_MOST = 100.0 * POOLED, 100.0 * DEVIATION
_FEW = 10

_Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]


class CalibrationPlots(QtWidgets.QWidget):
    """Coverage less what was promised, deviation of the ranks, and z-scores against the contraction.

    Each parameter is a line or a point, with the aims shaded; the mouse names the nearest, and one can be marked.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores: tuple[Score, ...] = ()
        self._marked = ""
        self._theme = DARK
        self.coverage = Chart(("promised", "%"), ("off by", "%"))
        self.ranks = Chart(("rank", "%"), ("off by", "%"))
        self.spread = Chart(("contraction", ""), ("z-score's sd", ""))
        self.coverage.setToolTip(
            "Coverage less what was promised: of fresh simulated cells, how many more or fewer lay inside their\n"
            f"intervals. One line a parameter; the aim is to stay within {_WITHIN:g} %."
        )
        self.ranks.setToolTip(
            "Simulation-based calibration: the distribution of the truth's rank among draws, less the uniform one.\n"
            f"One line a parameter; the aim is to stay within {_AT_MOST:g} %."
        )
        self.spread.setToolTip(
            "How far the truth lies from the posterior's mean, in its standard deviations: 1 is right, more is too\n"
            "sure. Contraction 0 learns nothing of a parameter, 1 all. One point a parameter."
        )
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for chart in (self.coverage, self.ranks, self.spread):
            row.addWidget(chart, 1)
        self.coverage.reader = lambda x, y: _nearest(self._coverages(), x, y, "%")
        self.ranks.reader = lambda x, y: _nearest(self._deviations(), x, y, "%")
        self.spread.reader = self._point

    def show_scores(self, scores: Sequence[Score]) -> None:
        """Draw what a network's calibration says.

        Args:
            scores: One a parameter; nothing is drawn of what was not checked.
        """
        self._scores, self._marked = tuple(scores), ""
        self._draw()

    def mark(self, name: str) -> None:
        """Draw one parameter before the others.

        Args:
            name: Which; empty for none.
        """
        if name != self._marked:
            self._marked = name
            self._draw()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        for chart in (self.coverage, self.ranks, self.spread):
            chart.wear(theme)
        self._draw()

    def lines(self) -> tuple[int, int, int]:
        """Count what is drawn: of coverage, of ranks, of z-scores."""
        return len(self._coverages()), len(self._deviations()), len(self._points())

    def _coverages(self) -> _Lines:
        return {
            score.name: (list(score.coverage), [share - level for level, share in score.coverage.items()])
            for score in self._scores
            if score.coverage
        }

    def _deviations(self) -> _Lines:
        return {
            score.name: (np.linspace(0.0, 100.0, len(score.ranks) + 1)[1:].tolist(), score.ranks)
            for score in self._scores
            if score.ranks
        }

    def _points(self) -> dict[str, tuple[float, float]]:
        return {
            score.name: (score.contraction, score.z_sd)
            for score in self._scores
            if math.isfinite(score.contraction) and math.isfinite(score.z_sd)
        }

    def _draw(self) -> None:
        self._draw_lines(self.coverage, self._coverages(), _WITHIN, (45.0, 100.0))
        self._draw_lines(self.ranks, self._deviations(), _AT_MOST, (0.0, 100.0))
        points = self._points()
        self.spread.plot.clear()
        self.spread.plot.addItem(pg.InfiniteLine(1.0, 0.0, pen=pg.mkPen(self._theme.past)))
        for name in self._last(points):
            self._dotted(self.spread.plot.plot(*([value] for value in points[name]), pen=None), name, 6)
        far = max((abs(y - 1.0) for _, y in points.values()), default=0.0)
        least = min((x for x, _ in points.values()), default=0.0)
        self.spread.span(x=(min(least, 0.0) - 0.05, 1.05), y=(1.0 - max(1.2 * far, 0.1), 1.0 + max(1.2 * far, 0.1)))

    def _draw_lines(self, chart: Chart, lines: _Lines, reach: float, x: tuple[float, float]) -> None:
        """Draw one line a parameter over the shaded aim."""
        chart.plot.clear()
        shade = pg.mkColor(self._theme.past)
        shade.setAlpha(50)
        aim = pg.LinearRegionItem((-reach, reach), "horizontal", shade, movable=False)
        for edge in aim.lines:
            edge.setPen(pg.mkPen(None))
        chart.plot.addItem(aim)
        for name in self._last(lines):
            xs, ys = lines[name]
            line = chart.plot.plot(xs, ys, pen=pg.mkPen(self._colour(name), width=2 if name == self._marked else 1))
            if len(xs) < _FEW:
                self._dotted(line, name, 4)
        widest = max((abs(y) for _, ys in lines.values() for y in ys), default=0.0)
        room = max(1.2 * widest, 1.6 * reach)
        chart.span(x=x, y=(-room, room))

    def _dotted(self, line: pg.PlotDataItem, name: str, size: int) -> None:
        line.setSymbol("o")
        line.setSymbolSize(size + 3 if name == self._marked else size)
        line.setSymbolBrush(self._colour(name))
        line.setSymbolPen(None)

    def _last(self, names: Mapping[str, object]) -> list[str]:
        """Put the marked one last, over all others."""
        return sorted(names, key=lambda name: name == self._marked)

    def _colour(self, name: str) -> str:
        return self._theme.now if self._marked in ("", name) else self._theme.past

    def _point(self, x: float, y: float) -> str:
        """Name the point that is nearest, by what is visible."""
        points = self._points()
        wide, high = (high - low or 1.0 for low, high in self.spread.plot.vb.viewRange())
        if not points:
            return ""
        name = min(points, key=lambda n: math.hypot((points[n][0] - x) / wide, (points[n][1] - y) / high))
        return f"{name}  {fixed(points[name][0], 2)}, sd {fixed(points[name][1], 2)}"


def _nearest(lines: _Lines, x: float, y: float, unit: str) -> str:
    """Name the line that is nearest above or below the mouse, with its height there."""
    heights = {name: float(np.interp(x, xs, ys)) for name, (xs, ys) in lines.items()}
    if not heights:
        return ""
    name = min(heights, key=lambda one: abs(heights[one] - y))
    return f"{name}  {fixed(heights[name], 1)} {unit} at {fixed(x, 0)} %"
