"""This file is the benchmark of the window: how soon it is there, how late it shows what it shows, and what it keeps.

An engine with a simulated cell runs behind it, as for a user. The start is that of the whole program in a process of
its own, once without any compiled kernel and then with. The delay of a posterior is from a sweep's last sample in the
engine until it is painted with its trust, as these are before the other panels; `window_ms` is until all are. Esc is
pressed in the middle of a sweep, and the session over when the rig is in its exit state. A frame is what four channels
of 50 kHz cost until they are painted where the last 60 s are scrolled through. An hour's worth of sweeps is played as
fast as can be for what memory grows by.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from estimators.features import FEATURES
from estimators.pretrained import FIRST
from estimators.title import read_title
from rig_plugin.display import check_display
from rig_plugin.engine.client import Client
from rig_plugin.lull import lull
from rig_plugin.settings import ProtocolSettings, RigSettings, Settings
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.first_trace import first_trace
from rig_plugin.tasks.scroll_back import scroll_back
from rig_plugin.tasks.stopwatch import Stopwatch, timed
from rig_plugin.window import Window

__all__ = ["measure"]

_START, _DELAY, _ESCAPE, _FRAME = 3.0, 50.0, 50.0, 33.0
_GROWTH = 20.0
_PATIENCE = 300.0
_FAMILY = ProtocolSettings(onset=100.0, duration=300.0, tail=100.0, test_pulse=-20.0)
_EVERY = 5.0
"""From sweep to sweep in the accelerated hour, as it is by default [s]."""


@dataclass(frozen=True)
class _Seen:
    """The window over an engine, and how to go on."""

    window: Window
    client: Client
    look: Callable[[], None]


def measure(peers: bool = True, sweeps: int = 100, hours: float = 1.0, starts: int = 5) -> list[dict[str, Any]]:
    """Measure the window on the simulated cell.

    Args:
        peers: There is none that shows a posterior.
        sweeps: How many are waited for, and a tenth of it how often Esc is pressed.
        hours: Length of the accelerated run [h].
        starts: How often the program is started after the first time.

    Returns:
        Figures, as in every benchmark.

    Raises:
        DisplayError: If there is nowhere to show a window.
    """
    check_display()
    with tempfile.TemporaryDirectory() as folder:
        first = first_trace(Path(folder))
        again = [first_trace(Path(folder)) for _ in range(starts)]
        delays, wholes = _delays(Path(folder) / "delays", sweeps)
        escapes = _escapes(Path(folder) / "escapes", max(sweeps // 10, 1))
        before, after, trials = _hour(Path(folder) / "hour", hours)
    frames = scroll_back().tolist()
    grown = None if before is None or after is None else after - before
    return [
        Figure("first_start_s", first, "s", 1).row(),
        Figure("second_start_s", float(np.median(again)), "s", starts, aim=_START).row(),
        *_shares("posterior_ms", delays, _DELAY),
        *_shares("window_ms", wholes),
        *_shares("escape_ms", escapes, _ESCAPE),
        *_shares("frame_ms", frames, _FRAME),
        Figure("memory_mib", before, "MiB", 1).row(),
        Figure("memory_growth_mib", grown, "MiB", trials, aim=_GROWTH).row(),
    ]


def _shares(name: str, values: list[float], aim: float | None = None) -> list[dict[str, Any]]:
    p50, p99 = np.percentile(values, [50, 99]).tolist()
    n = len(values)
    return [Figure(f"{name}_p50", p50, "ms", n).row(), Figure(f"{name}_p99", p99, "ms", n, aim=aim).row()]


@contextmanager
def _seen(notes: Path, protocol: ProtocolSettings, pace: str) -> Iterator[_Seen]:
    """Show a window over an engine."""
    from rig_plugin.widgets.qt import QtWidgets

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    spec = read_title(FIRST).spec
    settings = Settings(rig=RigSettings(seed=1, pace=pace), protocol=protocol)
    client = Client(partial(timed, settings, notes), spec.parameters)
    window = Window(client, spec.parameters, FEATURES, spec.name, "simulated cell", feed=client)
    try:
        window.show()
        # As the app does.
        with lull():
            yield _Seen(window, client, application.processEvents)
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()
        client.close()


def _until(seen: _Seen, is_so: Callable[[], bool]) -> None:
    """Let Qt go on until something is so."""
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The window did not come so far within {_PATIENCE:g} s.")
        seen.look()
        time.sleep(2e-4)


def _delays(notes: Path, sweeps: int) -> tuple[list[float], list[float]]:
    """Measure from the last sample of each sweep until its posterior is painted, and until the window is [ms]."""
    amplitudes = tuple(float(pA) for pA in np.resize(np.arange(-100.0, 301.0, 50.0), sweeps))
    judged: dict[int, float] = {}
    painted: dict[int, float] = {}
    with _seen(notes, replace(_FAMILY, amplitudes=amplitudes, interval=0.0), "real") as seen:

        def note(trials: tuple[Any, ...]) -> None:
            judged.update(dict.fromkeys((trial.index for trial in trials), time.perf_counter()))

        def note_all(trials: tuple[Any, ...]) -> None:
            seen.window.repaint()
            painted.update(dict.fromkeys((trial.index for trial in trials), time.perf_counter()))

        seen.window.judged.connect(note)
        # Connected last, so that all panels have drawn it.
        seen.window.bridge.finished.connect(note_all)
        seen.window.start()
        _until(seen, lambda: not seen.window.is_running)
    came, _ = Stopwatch.read(notes)
    # The first sweep of a session fills caches.
    waited = [[1e3 * (shown[index] - came[index]) for index in sorted(shown) if index] for shown in (judged, painted)]
    return waited[0], waited[1]


def _escapes(notes: Path, times: int) -> list[float]:
    """Measure from Esc in the middle of a sweep until the rig is in its exit state [ms]."""
    from rig_plugin.widgets.qt import QtCore, QtTest

    pressed = []
    with _seen(notes, replace(_FAMILY, amplitudes=(100.0,), duration=500.0), "real") as seen:
        # Keys go to the window that is looked at, and without a window manager nobody makes it that.
        seen.window.activateWindow()
        _until(seen, seen.window.isActiveWindow)
        for _ in range(times):
            seen.window.start()
            _until(seen, lambda: seen.window.scope.shown.size > 0)
            pressed.append(time.perf_counter())
            QtTest.QTest.keyClick(seen.window, QtCore.Qt.Key.Key_Escape)
            _until(seen, lambda: not seen.window.is_running)
    _, ended = Stopwatch.read(notes)
    return [1e3 * (end - press) for press, end in zip(pressed, ended, strict=True)]


def _hour(notes: Path, hours: float) -> tuple[float | None, float | None, int]:
    """Play an hour's sweeps as fast as can be; memory at its middle and at its end [MiB]."""
    sweeps = max(round(hours * 3600.0 / _EVERY), 20)
    amplitudes = tuple(float(pA) for pA in np.resize(np.arange(-100.0, 301.0, 50.0), sweeps))
    with _seen(notes, replace(_FAMILY, amplitudes=amplitudes), "max") as seen:
        shown = seen.window.evolution
        seen.window.start()
        _until(seen, lambda: len(shown.medians) >= sweeps // 2)
        before = _resident()
        _until(seen, lambda: not seen.window.is_running)
        return before, _resident(), len(shown.medians)


def _resident() -> float | None:
    """Tell how much memory this process has [MiB]; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
