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
        self._aims = []
        for chart, reach in ((self.coverage, _WITHIN), (self.ranks, _AT_MOST)):
            aim = pg.LinearRegionItem((-reach, reach), "horizontal", movable=False)
            for edge in aim.lines:
                edge.setPen(pg.mkPen(None))
            chart.plot.addItem(aim)
            self._aims.append(aim)
        self._right = pg.InfiniteLine(1.0, 0.0)
        self.spread.plot.addItem(self._right)
        charts = (self.coverage, self.ranks, self.spread)
        self._items = {chart: (chart.plot.plot(), chart.plot.plot()) for chart in charts}
        self._shade()
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
        self._shade()
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
        self._put(self.spread, {name: ([x], [y]) for name, (x, y) in points.items()}, 6)
        far = max((abs(y - 1.0) for _, y in points.values()), default=0.0)
        least = min((x for x, _ in points.values()), default=0.0)
        room = max(1.2 * far, 0.1)
        self.spread.span(x=(min(least, 0.0) - 0.05, 1.05), y=(1.0 - room, 1.0 + room))

    def _draw_lines(self, chart: Chart, lines: _Lines, reach: float, x: tuple[float, float]) -> None:
        """Draw one line a parameter over the shaded aim."""
        self._put(chart, lines, 4 if chart is self.coverage else 0)
        widest = max((abs(y) for _, ys in lines.values() for y in ys), default=0.0)
        room = max(1.2 * widest, 1.6 * reach)
        chart.span(x=x, y=(-room, room))

    def _put(self, chart: Chart, lines: _Lines, dots: int) -> None:
        """Draw the marked line over all others, which are one broken line: a plot item each takes a tenth of a second.

        Args:
            chart: Where.
            lines: By the parameter's name.
            dots: Diameter of what stands at each point, 0 for nothing [pixels].
        """
        others = [line for name, line in lines.items() if name != self._marked]
        chosen = [lines[self._marked]] if self._marked in lines else []
        quiet = self._theme.past if self._marked else self._theme.now
        styles = ((others, quiet, 1, dots), (chosen, self._theme.now, 2, dots and dots + 3))
        for item, (drawn, colour, width, size) in zip(self._items[chart], styles, strict=True):
            item.setData(
                *_broken(drawn),
                connect="finite",
                pen=pg.mkPen(colour, width=width) if chart is not self.spread else None,
                symbol="o" if size else None,
                symbolSize=size or 1,
                symbolBrush=colour,
                symbolPen=None,
            )

    def _shade(self) -> None:
        """Shade the aims, and draw the line on which z-scores should be."""
        colour = pg.mkColor(self._theme.past)
        colour.setAlpha(50)
        for aim in self._aims:
            aim.setBrush(pg.mkBrush(colour))
        self._right.setPen(pg.mkPen(self._theme.past))

    def _point(self, x: float, y: float) -> str:
        """Name the point that is nearest, by what is visible."""
        points = self._points()
        wide, high = (high - low or 1.0 for low, high in self.spread.plot.vb.viewRange())
        if not points:
            return ""
        name = min(points, key=lambda n: math.hypot((points[n][0] - x) / wide, (points[n][1] - y) / high))
        return f"{name}  {fixed(points[name][0], 2)}, sd {fixed(points[name][1], 2)}"


def _broken(lines: Sequence[tuple[Sequence[float], Sequence[float]]]) -> tuple[list[float], list[float]]:
    """Put lines behind one another, with a gap after each."""
    xs, ys = ([value for line in lines for value in (*line[k], math.nan)] for k in (0, 1))
    return xs, ys


def _nearest(lines: _Lines, x: float, y: float, unit: str) -> str:
    """Name the line that is nearest above or below the mouse, with its height there."""
    heights = {name: float(np.interp(x, xs, ys)) for name, (xs, ys) in lines.items()}
    if not heights:
        return ""
    name = min(heights, key=lambda one: abs(heights[one] - y))
    return f"{name}  {fixed(heights[name], 1)} {unit} at {fixed(x, 0)} %"
