"""This file is the scroll back under load: what a frame of the scope costs while it shows the last minute.

Four channels of 50 kHz come in pieces of one frame; the scope stands alone, without an engine. A frame is what it costs
to take the piece in, to draw, and to paint.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from rig_plugin.feed import Live
from simulators.stimulus import Epoch, Stimulus

__all__ = ["scroll_back"]

_RATE = 50.0
_INTERVAL = 33.0
_PAGE = 10_000.0
_SIZE = (1400, 700)
_UNITS = {"bath": "degC", "Im 2": "pA"}


def scroll_back(seconds: float = 60.0, frames: int = 600, *, is_measuring: bool = False) -> npt.NDArray[np.float64]:
    """Scroll through so much of a session while it goes on.

    Args:
        seconds: What is visible at once, and has come before the first frame [s].
        frames: How many.
        is_measuring: Whether the cursors are shown.

    Returns:
        Costs, shape (frames,) [ms].
    """
    from rig_plugin.widgets.qt import QtWidgets
    from rig_plugin.widgets.scope import Scope

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    scope = Scope()
    scope.resize(*_SIZE)
    scope.show()
    scope.scroll_back(True)
    scope.measure(is_measuring)
    rng = np.random.default_rng(1)
    page = Stimulus("current", (Epoch(0.0, _PAGE / 2), Epoch(0.0, _PAGE / 2)))
    # Pages of one held command lie one after the other, whenever they began.
    lives = [Live(page, _RATE, None, _UNITS, begun=0.0)]
    scope.begin(lives[0])
    scope.session.zoom(seconds / 30.0)

    def come(milliseconds: float) -> None:
        if lives[-1].count == lives[-1].expected:
            lives.append(Live(page, _RATE, None, _UNITS, begun=0.0))
            scope.begin(lives[-1])
        size = min(round(milliseconds * _RATE), lives[-1].expected - lives[-1].count)
        noise = rng.normal(0.0, 1.0, (4, size))
        lives[-1].append(-70.0 + 0.1 * noise[0], noise[1], {"bath": 34.0 + 0.01 * noise[2], "Im 2": 5.0 * noise[3]})
        del lives[:-1]

    whole = 0.0
    while whole < seconds * 1e3:
        come(min(_PAGE, seconds * 1e3 - whole))
        scope.chronicle.follow()
        whole += _PAGE
    costs = np.empty(frames)
    for k in range(frames):
        come(_INTERVAL)
        begun = time.perf_counter()
        scope.grow(lives[-1])
        application.processEvents()
        costs[k] = 1e3 * (time.perf_counter() - begun)
    scope.close()
    scope.deleteLater()
    application.processEvents()
    return costs
