"""This file is the benchmark of the rigs: what each driver carries, and how long a cell waits from sweep to sweep.

Each driver talks to its device over its real wire: the simulated rig, the firmware compiled for this computer behind a
pseudo-terminal, and a server of NI-DAQmx with a simulated board. The device's clock tells the round trip, from the last
sample of a sweep to the first of the next, with all that a session does in between: it saves, infers, and plays what a
fixed protocol asks. All of it once on the computer as it is, and once beside one busy program a core.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.observer import Observer
from estimators.pretrained import FIRST
from hardware.recorder import Recorder
from hardware.rig import Rig
from rig_plugin import opening
from rig_plugin.protocol import family
from rig_plugin.session import Session
from rig_plugin.tasks.burden import Burden
from rig_plugin.tasks.figure import Figure
from rig_plugin.tasks.nidaq_stand import NidaqStand
from rig_plugin.tasks.serial_stand import SerialStand
from rig_plugin.tasks.stand import HOLDING, SimulatedStand, Stand
from simulators.refusal import Refusal
from simulators.stimulus import step

__all__ = ["measure"]

_STANDS: tuple[Callable[[], Stand], ...] = (SimulatedStand, SerialStand, NidaqStand)
_STEPS = tuple(
    step(pA, holding=HOLDING, onset=60.0, duration=200.0, tail=60.0) for pA in np.arange(-100.0, 301.0, 50.0)
)
_CORES = 0.5
_ROUND_TRIP = 50.0
_SHARES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


@dataclass(frozen=True)
class _Carried:
    """What came of a held command."""

    samples: int
    lost: int
    time: float
    processor: float


def measure(peers: bool = True, seconds: float = 20.0, sweeps: int = 200) -> list[dict[str, Any]]:
    """Measure every driver that can be measured here.

    Args:
        peers: There is none that infers between two sweeps.
        seconds: For how long a command is held, twice [s].
        sweeps: Of each session; there are two a driver.

    Returns:
        Figures, as in every benchmark; of a driver that could not be measured each is None, with the reason.
    """
    figures: list[Figure] = []
    for make in _STANDS:
        try:
            with make() as stand:
                for suffix, cores in (("", 0), ("_loaded", None)):
                    with Burden(cores):
                        carried = _carried(stand.rig(), seconds)
                        waited, inferred = _waited(stand, sweeps)
                    figures += _of(stand, suffix, carried, waited, inferred)
        except Refusal as error:
            figures.append(_unmeasured(make, error))
    return [figure.row() for figure in figures]


def _carried(rig: Rig, seconds: float) -> _Carried:
    """Hold a command and take what comes."""
    samples = lost = 0
    with rig:
        begun = worked = 0.0
        for block in rig.hold(0.0):
            if not begun:
                # From the first block on: what a device needs to begin is no part of what it carries.
                begun, worked = time.perf_counter(), time.process_time()
            else:
                samples += block.response.size
                lost += block.lost
            if samples + lost >= seconds * rig.rate * 1e3:
                rig.stop()
        taken, worked = time.perf_counter() - begun, time.process_time() - worked
    return _Carried(samples, lost, taken, worked / taken)


def _waited(stand: Stand, sweeps: int) -> tuple[npt.NDArray[np.float64], int]:
    """Play a fixed protocol with inference and recording; give the pauses, and how often there was a posterior."""
    checkpoint = opening.network(FIRST)
    parameters = checkpoint.spec.parameters
    stand.pauses()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "rigs.h5", {})
        session = Session(stand.rig(), Observer(checkpoint), parameters, family(_STEPS, sweeps), recorder)
        trials = list(session.trials())
    return stand.pauses(), sum(trial.posterior is not None for trial in trials)


def _of(stand: Stand, suffix: str, carried: _Carried, waited: npt.NDArray[np.float64], inferred: int) -> list[Figure]:
    """Lay out what was measured of a driver under one load."""
    n = stand.channels * carried.samples

    def figure(name: str, value: float, unit: str, n: int, aim: float | None = None) -> Figure:
        return Figure(f"{stand.name}_{name}{suffix}", value, unit, n, aim=aim)

    return [
        figure("samples_per_s", n / carried.time, "samples/s", n),
        figure("lost_samples", stand.channels * carried.lost, "samples", n, 0.0),
        figure("processor", carried.processor, "cores", n, _CORES),
        *(
            figure(
                f"round_trip_ms_{name}", float(np.percentile(waited, share)), "ms", waited.size,
                _ROUND_TRIP if name == "p99" else None,
            )
            for name, share in _SHARES.items()
        ),
        figure("posteriors", inferred, "sweeps", waited.size + 1),
    ]  # fmt: skip


def _unmeasured(make: Callable[[], Stand], error: Refusal) -> Figure:
    """Name a driver that could not be measured."""
    name = getattr(make, "name", make.__name__)
    return Figure(f"{name}_round_trip_ms_p99", None, "ms", 0, peer_version=str(error), aim=_ROUND_TRIP)
