"""This file is a feature's history: what was measured on each trial, over what the sweeps before had predicted."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rig_plugin.trial import Trial
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import MISSING, significant, with_unit
from rig_plugin.widgets.qt import QtWidgets, pg
from rig_plugin.widgets.theme import DARK, Theme

__all__ = ["Feature", "FeatureHistory"]

_KEPT = 2000
_FEWEST = 7
_Range = tuple[float, float, float]


class Feature(Protocol):
    """What a panel needs to know of a feature."""

    @property
    def name(self) -> str:
        """Snake case."""

    @property
    def unit(self) -> str:
        """As it is shown."""

    @property
    def meaning(self) -> str:
        """Its definition."""


@dataclass(frozen=True, eq=False)
class _Row:
    """What a trial says of all features, in a tenth of the memory that its mappings take.

    Args:
        index: Of the trial.
        names: Of the features; the same tuple for all trials.
        table: Value, 5 and 95 % of what was predicted of each, shape (f, 3), NaN where missing.
    """

    index: int
    names: tuple[str, ...]
    table: npt.NDArray[np.float64]

    def of(self, name: str) -> tuple[float, float, float]:
        """Give value, 5 and 95 % of a feature, NaN where there is none."""
        if name not in self.names:
            return math.nan, math.nan, math.nan
        value, low, high = self.table[self.names.index(name)].tolist()
        return value, low, high


def _table(features: Mapping[str, float], predicted: Mapping[str, _Range]) -> npt.NDArray[np.float64]:
    nothing = (math.nan, math.nan, math.nan)
    told = [(value, *predicted.get(name, nothing)[::2]) for name, value in features.items()]
    return np.array(told, dtype=np.float64).reshape(-1, 3)


class FeatureHistory(QtWidgets.QWidget):
    """Points over the trials with the predicted 5 to 95 % behind each; where a sweep does not have it, there is a gap.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self._feature: Feature | None = None
        self._rows: deque[_Row] = deque(maxlen=_KEPT)
        self._title = QtWidgets.QLabel("")
        self._title.setObjectName("quiet")
        self._chart = Chart(("", ""), ("", ""))
        self._bars = pg.ErrorBarItem(beam=0.0)
        self._chart.plot.addItem(self._bars)
        self._line = self._chart.plot.plot(symbol="o", symbolSize=6, connect="finite")
        self._high = self._chart.plot.plot(pen=None, symbol="t1", symbolSize=9)
        self._low = self._chart.plot.plot(pen=None, symbol="t", symbolSize=9)
        self._gaps = self._chart.plot.plot(pen=None, symbol="x", symbolSize=7)
        self._chart.reader = self._read
        self._chart.reset.connect(self.draw)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._title)
        column.addWidget(self._chart, 1)
        self.setMinimumSize(150, 84)

    @property
    def followed(self) -> str:
        """Name of the feature whose history is shown; empty where there is none."""
        return self._feature.name if self._feature is not None else ""

    @property
    def title(self) -> str:
        """What stands over the chart: feature, unit, and that it goes by trial."""
        return self._title.text()

    @property
    def values(self) -> tuple[float, ...]:
        """What is drawn as points, one a trial, NaN where it is missing."""
        return tuple(row.of(self.followed)[0] for row in self._rows)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """What is drawn as bars, one a trial: 5 and 95 %, NaN where nothing was predicted."""
        return tuple(row.of(self.followed)[1:] for row in self._rows)

    def choose(self, feature: Feature | None) -> None:
        """Follow another feature, or none.

        Args:
            feature: Which.
        """
        if feature is not self._feature:
            self._chart.is_zoomed = False
        self._feature = feature
        self.draw()

    def push(self, trial: Trial) -> None:
        """Keep what a trial says of all features.

        Args:
            trial: The newest.
        """
        names = tuple(trial.features)
        if self._rows and self._rows[-1].names == names:
            names = self._rows[-1].names
        self._rows.append(_Row(trial.index, names, _table(trial.features, trial.predictive)))

    def clear(self) -> None:
        """Forget all trials; the same feature is followed."""
        self._rows.clear()
        self._chart.is_zoomed = False

    def draw(self) -> None:
        """Bring the chart up to what was kept."""
        feature = self._feature
        if feature is None:
            return
        words = feature.name.replace("_", " ")
        unit = with_unit("", feature.unit).strip()
        self._title.setText(f"{words}{f' ({unit})' if unit else ''} by trial")
        self._chart.name(("", unit))
        self._chart.setToolTip(
            f"{words}: {feature.meaning}\nPoints: measured. Bars: 5 to 95 % of what the sweeps before predicted. "
            "▲ ▼: outside of it. ×: the sweep does not have it."
        )
        xs = np.array([float(row.index) for row in self._rows])
        values, ends = np.array(self.values, dtype=np.float64), np.array(self.ranges, dtype=np.float64).reshape(-1, 2)
        known, predicted = np.isfinite(values), np.isfinite(ends).all(axis=1)
        low, high = ends.T
        self._line.setData(*((xs, values) if known.any() else ([], [])))
        middle = 0.5 * (low + high)
        half = (high - middle)[predicted]
        self._bars.setData(x=xs[predicted], y=middle[predicted], top=half, bottom=half)
        for marks, outside in ((self._high, values > high), (self._low, values < low)):
            marks.setData(xs[outside], values[outside])
        foot, head = _room(np.concatenate([values[known], low[predicted], high[predicted]]))
        self._gaps.setData(xs[~known], np.full(int((~known).sum()), foot + 0.05 * (head - foot)))
        first = float(xs[0]) if xs.size else 0.0
        last = float(xs[-1]) if xs.size else 0.0
        self._chart.span(x=(first - 0.6, max(last, first + _FEWEST) + 0.6), y=(foot, head))

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.theme = theme
        self._chart.wear(theme)
        self._line.setPen(pg.mkPen(theme.now, width=1))
        self._line.setSymbolBrush(theme.now)
        self._line.setSymbolPen(None)
        self._bars.setData(pen=pg.mkPen(theme.past, width=4))
        for marks in (self._high, self._low):
            marks.setSymbolBrush(theme.caution)
            marks.setSymbolPen(None)
        self._gaps.setSymbolPen(pg.mkPen(theme.quiet))
        self._gaps.setSymbolBrush(theme.quiet)

    def _read(self, x: float, y: float) -> str:
        feature = self._feature
        for row in self._rows:
            if feature is not None and row.index == round(x):
                value, low, high = row.of(feature.name)
                told = with_unit(significant(value), feature.unit) if math.isfinite(value) else MISSING
                usual = f"  {significant(low)}…{significant(high)}" if math.isfinite(low) else ""
                return f"trial {row.index}  {told}{usual}"
        return f"trial {round(x)}"


def _room(known: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    """Give lower and upper edge with some air."""
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    air = 0.12 * (high - low) or max(0.05 * abs(high), 0.1)
    return low - air, high + air
