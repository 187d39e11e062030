"""This file is the trace: a long curve on a chart, drawn at the width of the screen however often it is sampled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.envelope import envelope
from rig_plugin.widgets.number import fixed

__all__ = ["Trace"]


class Trace:
    """Samples on a time axis; what is visible of them is cut to its envelope whenever the view moves.

    A frame costs the same for every sampling rate and no spike is lost. Lines are one pixel wide: wider
    ones are drawn many times slower.

    Args:
        chart: Where it is drawn; times are in ms.
        pen: Colour and style, as pyqtgraph takes it.
    """

    def __init__(self, chart: Chart, pen: object) -> None:
        self._chart = chart
        self._curve = chart.plot.plot(pen=pen)
        self.samples: npt.NDArray[np.float64] = np.empty(0)
        self.rate = 1.0
        chart.moved.connect(self.draw)

    def show(self, samples: npt.NDArray[np.float64], rate: float) -> None:
        """Draw other samples.

        Args:
            samples: Trace, shape (n,); none take the curve away.
            rate: Sampling rate [kHz].
        """
        self.samples, self.rate = samples, rate
        self.draw()

    def draw(self) -> None:
        """Draw what is visible."""
        if self.samples.size == 0:
            self._curve.clear()
            return
        self._curve.setData(*envelope(self.samples, self.rate, *self._chart.visible, self._chart.pixels))

    def wear(self, pen: object) -> None:
        """Change colour.

        Args:
            pen: As pyqtgraph takes it.
        """
        self._curve.setPen(pen)

    def read(self, time: float, unit: str) -> str:
        """Write the sample at a time.

        Args:
            time: From the start of the trace [ms].
            unit: Of the samples.

        Returns:
            Time and value with units; the time alone where there is no sample.
        """
        index = round(time * self.rate)
        if not 0 <= index < self.samples.size:
            return f"{fixed(time, 1)} ms"
        return f"{fixed(time, 1)} ms  {fixed(float(self.samples[index]), 1)} {unit}"
