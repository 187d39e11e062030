"""This file is the candidates' chart: what each sweep that was weighed is expected to tell, over its step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rig_plugin.proposal import Candidate
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import fixed, places, significant
from rig_plugin.widgets.qt import QtWidgets, pg
from rig_plugin.widgets.theme import DARK, Theme
from simulators.stimulus import Stimulus

__all__ = ["CandidatesChart", "gain_text"]


class CandidatesChart(QtWidgets.QWidget):
    """Bars of expected gain with standard errors; the one that was chosen bright and with a triangle over it.

    Where nothing was weighed it is not there.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._candidates: tuple[Candidate, ...] = ()
        self._chosen: Stimulus | None = None
        self._theme = DARK
        self.chart = Chart(("step", "pA"), ("gain", "bits"))
        self.chart.setToolTip("How much each sweep is expected to tell of the cell. ▼ and bright: the one proposed.")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.chart)
        self._bars = pg.BarGraphItem(x=[0.0], height=[0.0], width=1.0)
        self._errors = pg.ErrorBarItem()
        self._mark = self.chart.plot.plot(pen=None, symbol="t", symbolSize=9)
        for item in (self._bars, self._errors):
            self.chart.plot.addItem(item)
        self.chart.reader = self._tell
        self.chart.reset.connect(self._draw)
        self.hide()

    @property
    def heights(self) -> dict[float, float]:
        """What is drawn: gain by step [bits, pA]."""
        return {each.stimulus.amplitude: each.gain for each in self._candidates}

    def show_candidates(self, candidates: Sequence[Candidate], chosen: Stimulus | None) -> None:
        """Draw others.

        Args:
            candidates: What was weighed; none take the chart away.
            chosen: What is proposed.
        """
        self._candidates, self._chosen = tuple(candidates), chosen
        self.setVisible(bool(self._candidates))
        self._draw()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        self.chart.wear(theme)
        self.setFixedHeight(theme.pixels(110))
        self._draw()

    def _draw(self) -> None:
        if not self._candidates:
            return
        theme = self._theme
        steps = np.array([each.stimulus.amplitude for each in self._candidates])
        gains = np.array([each.gain for each in self._candidates])
        errors = np.array([each.error for each in self._candidates])
        chosen = np.array([each.stimulus == self._chosen for each in self._candidates])
        apart = np.diff(np.unique(steps))
        wide = 0.7 * float(apart.min()) if apart.size else 10.0
        brushes = [pg.mkBrush(theme.now if bright else theme.past) for bright in chosen]
        self._bars.setOpts(x=steps, height=gains, width=wide, brushes=brushes, pen=pg.mkPen(theme.panel))
        self._errors.setData(x=steps, y=gains, top=errors, bottom=errors, beam=0.3 * wide, pen=pg.mkPen(theme.text))
        top = float((gains + errors).max())
        low, high = min(0.0, float((gains - errors).min())), 1.25 * max(top, 0.1)
        self._mark.setData(steps[chosen], (gains + errors)[chosen] + 0.08 * (high - low))
        self._mark.setSymbolBrush(theme.now)
        self._mark.setSymbolPen(None)
        self.chart.span(x=(steps.min() - wide, steps.max() + wide), y=(low, high))

    def _tell(self, x: float, _: float) -> str:
        if not self._candidates:
            return ""
        each = min(self._candidates, key=lambda candidate: abs(candidate.stimulus.amplitude - x))
        return f"{significant(each.stimulus.amplitude)} pA  {gain_text(each.gain, each.error)}"


def gain_text(gain: float, error: float | None = None) -> str:
    """Write a gain with as many digits as its error deserves.

    Args:
        gain: Expected [bits].
        error: Its standard error, or None where nobody knows [bits].

    Returns:
        With the unit.

    Example:
        >>> gain_text(1.83), gain_text(1.834, 0.2), gain_text(1.834, 0.05)
        ('1.8 bits', '1.83 ± 0.20 bits', '1.83 ± 0.05 bits')
    """
    if not error:
        return f"{fixed(gain, 1)} bits"
    decimals = max(places(-error, error), 0)
    return f"{fixed(gain, decimals)} ± {fixed(error, decimals)} bits"
