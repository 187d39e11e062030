"""This file is the preview: all sweeps of a family over one another, as they would be played."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import significant
from rig_plugin.widgets.qt import QtCore, QtWidgets, pg
from rig_plugin.widgets.theme import Theme
from simulators.limits import Limits
from simulators.stimulus import Stimulus

__all__ = ["Preview"]

Array = npt.NDArray[np.float64]


class Preview(QtWidgets.QWidget):
    """Commands over time: grey what is played, dashed amber what is played and not read, bright what is next.

    Args:
        limits: What may be put into the cell; drawn as dotted lines.
        parent: Owner, as in Qt.
    """

    def __init__(self, limits: Limits, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._limits = limits
        self._stimuli: tuple[Stimulus, ...] = ()
        self._unread: frozenset[int] = frozenset()
        self._next: Stimulus | None = None
        self._room, self._longest = (0.0, 0.0), 0.0
        self.chart = Chart(("time", "ms"), ("", "pA"))
        self.chart.setToolTip(
            "All sweeps as they would be played. Dashed: played, and outside what the network was trained on.\n"
            "Bright: the next one. Dotted: the limits of what may be put into the cell."
        )
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.chart)
        self._read, self._odd, self._bright = (self.chart.plot.plot(connect="finite") for _ in range(3))
        self._edges = [pg.InfiniteLine(level, angle=0) for level in (limits.low, limits.high)]
        for edge in self._edges:
            self.chart.plot.addItem(edge, ignoreBounds=True)
        self.chart.reader = self._tell
        self.chart.reset.connect(self._draw)

    @property
    def shown(self) -> tuple[Stimulus, ...]:
        """What is drawn."""
        return self._stimuli

    def show_family(self, stimuli: Sequence[Stimulus], unread: Collection[int] = ()) -> None:
        """Draw another family.

        Args:
            stimuli: Its sweeps; none leave the chart away.
            unread: Which of them can't be read.
        """
        self._stimuli, self._unread = tuple(stimuli), frozenset(unread)
        self._draw()

    def show_next(self, stimulus: Stimulus | None) -> None:
        """Draw what is next.

        Args:
            stimulus: Or None where nothing is.
        """
        self._next = stimulus
        self._frame()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.chart.wear(theme)
        self._read.setPen(pg.mkPen(theme.past))
        self._odd.setPen(pg.mkPen(theme.caution, style=QtCore.Qt.PenStyle.DashLine))
        self._bright.setPen(pg.mkPen(theme.now, width=2))
        for edge in self._edges:
            edge.setPen(pg.mkPen(theme.quiet, style=QtCore.Qt.PenStyle.DotLine))

    def _draw(self) -> None:
        read = [s for k, s in enumerate(self._stimuli) if k not in self._unread]
        self._read.setData(*_lines(read))
        self._odd.setData(*_lines([self._stimuli[k] for k in sorted(self._unread)]))
        levels = [epoch.level for stimulus in self._stimuli for epoch in stimulus.epochs]
        self._room = (min(levels, default=0.0), max(levels, default=0.0))
        self._longest = max((stimulus.duration for stimulus in self._stimuli), default=0.0)
        self._frame()

    def _frame(self) -> None:
        """Draw what is next, and hold all of it inside the axes."""
        following = () if self._next is None else (self._next,)
        self.chart.setVisible(bool(self._stimuli or following))
        self._bright.setData(*_lines(following))
        levels = [*self._room, *(epoch.level for stimulus in following for epoch in stimulus.epochs)]
        low, high = min(levels), max(levels)
        air = max(0.12 * (high - low), 5.0)
        longest = max([self._longest, *(stimulus.duration for stimulus in following)])
        if longest > 0.0:
            self.chart.span(x=(0.0, longest), y=(low - air, high + air))

    def _tell(self, time: float, level: float) -> str:
        """Say which sweep is nearest."""
        if not self._stimuli:
            return ""
        distances = [abs(_level(stimulus, time) - level) for stimulus in self._stimuli]
        nearest = int(np.argmin(distances))
        stimulus = self._stimuli[nearest]
        odd = ", not read" if nearest in self._unread else ""
        return f"{nearest + 1} of {len(self._stimuli)}: {significant(stimulus.amplitude)} pA{odd}"


def _lines(stimuli: Sequence[Stimulus]) -> tuple[Array, Array]:
    """Lay stimuli out as one line with gaps."""
    times: list[float] = []
    levels: list[float] = []
    for stimulus in stimuli:
        now = 0.0
        for epoch in stimulus.epochs:
            times += [now, now + epoch.duration]
            levels += [epoch.level, epoch.level]
            now += epoch.duration
        times.append(now)
        levels.append(np.nan)
    return np.array(times), np.array(levels)


def _level(stimulus: Stimulus, time: float) -> float:
    """Look the command up [pA]."""
    now = 0.0
    for epoch in stimulus.epochs:
        now += epoch.duration
        if time < now:
            return epoch.level
    return stimulus.epochs[-1].level
