"""This file is the frames: what the window shows, and what the engine costs, while four channels come.

An engine holds a simulated cell at 50 kHz in real time and records its voltage, its command and two channels more; the
window shows the sweep as it comes. A frame is what one look at the engine costs until all is painted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from estimators.features import FEATURES
from estimators.observer import Observer
from hardware.model_cell import ModelCell
from hardware.recorder import Recorder
from hardware.track import Track
from rig_plugin import opening
from rig_plugin.audience import Listener
from rig_plugin.engine.client import Client
from rig_plugin.protocol import gap_free
from rig_plugin.session import Session
from simulators.stimulus import Stimulus

__all__ = ["Frames", "frames"]

_RATE = 50.0
_MORE = ("Vm 2", "Im 2")
_START, _END = 300.0, 60.0
"""How long a session may take to begin, where kernels have to be compiled first, and to end [s]."""

_INTERVAL = 0.033

Traces = Mapping[str, npt.NDArray[np.float64]]


class _Wide(Recorder):
    """Records two channels more than the cell has."""

    def start_continuous(self, rate: float, tracks: Mapping[str, Track], start: datetime | None = None) -> None:
        """Begin, with two more."""
        super().start_continuous(rate, {**tracks, **dict.fromkeys(_MORE, Track())}, start)

    def append_continuous(self, traces: Traces, lost: int = 0) -> None:
        """Add samples, the same once more."""
        super().append_continuous({**traces, **dict(zip(_MORE, traces.values(), strict=True))}, lost)


def _noise(stimulus: Stimulus, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Answer with what a converter of 16 bit gives of a resting membrane."""
    bit = 400.0 / 2**16
    return bit * np.round(rng.normal(-70.0, 0.1, round(stimulus.duration * rate)) / bit)


def _opened(folder: Path, listener: Listener) -> Session:
    """Open the session in the engine."""
    checkpoint = opening.network()
    recorder = _Wide(folder / "frames.h5", {})
    return Session(
        ModelCell(_noise, rate=_RATE),
        Observer(checkpoint),
        checkpoint.spec.parameters,
        gap_free(0.0),
        recorder,
        [listener],
    )


@dataclass(frozen=True, eq=False)
class Frames:
    """What was seen.

    Args:
        costs: Of each frame, shape (n,) [ms].
        rate: Frames a second.
        engine: Cores that the engine took; None where the system does not say.
        lost: Samples that came and are not on the disk, or were lost.
    """

    costs: npt.NDArray[np.float64]
    rate: float
    engine: float | None
    lost: int


def frames(folder: Path, seconds: float) -> Frames:
    """Look at four channels of 50 kHz for a while.

    Args:
        folder: For the recording.
        seconds: For how long [s].

    Returns:
        What was seen.

    Raises:
        TimeoutError: If no sample came, or the session did not end.
    """
    from rig_plugin.widgets.qt import QtWidgets
    from rig_plugin.window import Window

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    parameters = opening.network().spec.parameters
    costs: list[float] = []
    with closing(Client(partial(_opened, folder), parameters)) as client:
        window = Window(client, parameters, FEATURES, "cortical-steps", "noise", feed=client)
        window.bridge.stop()
        window.show()
        window.start()

        def look() -> None:
            window.bridge.poll()
            application.processEvents()

        _until(lambda: client.status is not None and client.status.received > 0, look, _START, "gave no sample")
        begun, worked = time.monotonic(), _worked(client.process)
        while time.monotonic() - begun < seconds:
            time.sleep(max(0.0, begun + len(costs) * _INTERVAL - time.monotonic()))
            looked = time.perf_counter()
            look()
            costs.append(1e3 * (time.perf_counter() - looked))
        taken = time.monotonic() - begun
        now = _worked(client.process)
        engine = None if now is None or worked is None else (now - worked) / taken
        client.stop()
        _until(lambda: not window.is_running, look, _END, "did not end")
        status = client.status
        lost = 0 if status is None else status.lost + status.received - status.on_disk
        window.close()
        window.deleteLater()
        application.processEvents()
    return Frames(np.array(costs), len(costs) / taken, engine, lost)


def _until(seen: Callable[[], bool], look: Callable[[], None], patience: float, said: str) -> None:
    """Look again and again until something is seen."""
    deadline = time.monotonic() + patience
    while not seen():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The engine {said} within {patience:g} s.")
        look()
        time.sleep(0.01)


def _worked(process: int | None) -> float | None:
    """Tell how long a process has worked so far [s]; None where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
