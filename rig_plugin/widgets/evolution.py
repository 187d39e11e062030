"""This file is the evolution: how one parameter's posterior moved over the sweeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.trial import Trial
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.log_axis import LogAxis
from rig_plugin.widgets.number import interval, with_unit
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets, Signal, pg
from rig_plugin.widgets.verdict import verdict
from simulators.parameter import Parameter

__all__ = ["Evolution"]

_Row = tuple[float, float, float]


class Evolution(Panel):
    """Median and 90 % interval of the chosen parameter over the trials; gaps where the posterior was withheld.

    Args:
        parameters: Those that can be chosen.
        parent: Owner, as in Qt.
    """

    chosen = Signal(str)

    def __init__(self, parameters: Sequence[Parameter], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Over the sweeps", "Median and 90 % interval appear here, one for each sweep.", parent)
        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._rows: list[tuple[int, dict[str, _Row] | None]] = []
        self._choice = QtWidgets.QComboBox()
        self._choice.addItems(list(self._parameters))
        self._choice.setToolTip("Parameter that is followed; clicking its row in the posterior does the same.")
        self._choice.currentTextChanged.connect(self._change)
        self._top.insertWidget(1, self._choice)
        self._axis = LogAxis("left")
        self._chart = Chart(("trial", ""), ("", ""), self._axis)
        self._body.addWidget(self._chart, 1)
        self._bars = pg.ErrorBarItem()
        self._line = self._chart.plot.plot(symbol="o", symbolSize=6, connect="finite")
        self._gaps = self._chart.plot.plot(pen=None, symbol="s", symbolSize=7)
        self._chart.plot.addItem(self._bars)
        self._chart.reset.connect(self._draw)
        self._chart.reader = self._read
        self._chart.setToolTip("Line: median. Bars: 90 % interval. Squares at the foot: posterior withheld.")
        self.wear(self.theme)

    @property
    def medians(self) -> list[float]:
        """What is drawn of the chosen parameter: one median a trial, NaN where it was withheld."""
        name = self._choice.currentText()
        return [row[name][1] if row and name in row else float("nan") for _, row in self._rows]

    @property
    def followed(self) -> str:
        """Name of the parameter that is followed; empty where there is none."""
        return self._choice.currentText()

    def choose(self, name: str) -> None:
        """Follow another parameter.

        Args:
            name: Of the parameter; an unknown one changes nothing.
        """
        self._choice.setCurrentText(name)

    def _change(self, name: str) -> None:
        self._chart.is_zoomed = False
        self._draw()
        self.chosen.emit(name)

    def _take(self, trial: Trial) -> None:
        row = None
        if trial.posterior is not None and verdict(trial) != "withheld":
            table = np.quantile(trial.posterior.draws, [0.05, 0.5, 0.95], axis=0)
            low, middle, high = (line.tolist() for line in table)
            names = [p.name for p in trial.posterior.parameters]
            row = {name: (low[k], middle[k], high[k]) for k, name in enumerate(names)}
        self._rows.append((trial.index, row))

    def _clear(self) -> None:
        self._rows.clear()

    def _draw(self) -> None:
        parameter = self._parameters.get(self._choice.currentText())
        if parameter is None:
            return
        is_log = parameter.scale == "log"
        self._axis.is_log = is_log
        self._chart.name((parameter.name, with_unit("", parameter.unit).strip()))
        self._chart.setVisible(bool(self._rows))
        if not self._rows:
            return
        self.say("")
        xs = np.array([float(index) for index, _ in self._rows])
        nothing = (np.nan, np.nan, np.nan)
        table = np.array([row.get(parameter.name, nothing) if row else nothing for _, row in self._rows])
        table = np.log10(table) if is_log else table
        low, middle, high = table.T
        known = np.isfinite(middle)
        foot, head = self._room(parameter, table[known])
        self._line.setData(*((xs, middle) if known.any() else ([], [])))
        self._bars.setData(
            x=xs[known], y=middle[known], top=(high - middle)[known], bottom=(middle - low)[known], beam=0.0
        )
        self._gaps.setData(xs[~known], np.full(int((~known).sum()), foot + 0.04 * (head - foot)))
        self._chart.span(x=(xs[0] - 0.6, max(xs[-1], xs[0] + 7) + 0.6), y=(foot, head))

    def _room(self, parameter: Parameter, table: npt.NDArray[np.float64]) -> tuple[float, float]:
        bounds = np.array([parameter.low, parameter.high])
        bounds = np.log10(bounds) if parameter.scale == "log" else bounds
        low, high = (float(table.min()), float(table.max())) if table.size else (bounds[0], bounds[1])
        air = 0.15 * (high - low) or 0.1
        return low - air, high + air

    def _read(self, x: float, y: float) -> str:
        name = self._choice.currentText()
        for index, row in self._rows:
            if index == round(x) and row and name in row:
                median, ends = interval(np.array(row[name]))
                return f"trial {index}  {with_unit(median, self._parameters[name].unit)}  {ends}"
        return f"trial {round(x)}"

    def _wear(self) -> None:
        theme = self.theme
        self._choice.setPalette(theme.palette())
        self._chart.wear(theme)
        self._line.setPen(pg.mkPen(theme.now))
        self._line.setSymbolBrush(theme.now)
        self._line.setSymbolPen(None)
        self._bars.setData(pen=pg.mkPen(theme.now))
        self._gaps.setSymbolBrush(theme.caution)
        self._gaps.setSymbolPen(None)
