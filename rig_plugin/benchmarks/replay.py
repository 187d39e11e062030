"""This file is the benchmark of the replay: how long after a sweep's end its features and its posterior are there.

Simulated sweeps of a second at 20 kHz go through a real session at its highest speed, in sets of up to twenty, so
what is measured is what a recording waits for: `features_ms` is what is left to do when the sweep ends, because the
low-pass went along with it. `features_whole_ms` reads the sweep at once, which is what eFEL does in turns with it.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from estimators.follower import Follower
from estimators.observer import Observer
from estimators.prequential import Prediction
from rig_plugin.opening import network
from rig_plugin.protocol import family
from rig_plugin.rigs import model_cell
from rig_plugin.session import Session
from rig_plugin.settings import RigSettings, Settings
from rig_plugin.trial import Trial
from simulators.stimulus import step

__all__ = ["measure"]

_SET = 20
_AIM = 15.0
_PEER = "efel"
_PEERS = ("spike_count", "AP_begin_voltage", "peak_voltage", "voltage_base", "time_to_first_spike", "AP_amplitude")

Times = npt.NDArray[np.float64]


class _Timed(Observer):
    """An observer that notes how long its predictions take."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(*arguments, **options)
        self.times: list[float] = []

    def expect(self, *arguments: Any) -> Prediction | None:  # noqa: ANN401 - handed on as they are
        begun = time.perf_counter()
        prediction = super().expect(*arguments)
        if prediction is not None:
            self.times.append(1e3 * (time.perf_counter() - begun))
        return prediction


def measure(peers: bool = True, sweeps: int = 200) -> list[dict[str, Any]]:
    """Measure latencies per sweep, after a set that warms everything up.

    Args:
        peers: Whether to measure eFEL beside it.
        sweeps: How many sweeps.

    Returns:
        Figures: features, the same of a whole sweep, posterior (1,000 draws, with the checks of the sweep),
            their total, and the prediction made
        before the sweep, medians and 99th percentiles [ms].
    """
    checkpoint = network()
    read = _peer() if peers else None
    trials: list[Trial] = []
    predictions: list[float] = []
    peer: list[float] = []
    whole: list[float] = []
    for k in range(-1, -(-sweeps // _SET)):
        count = min(_SET, sweeps - k * _SET) if k >= 0 else 2
        observer = _Timed(checkpoint, seed=k + 1)
        rig = model_cell(Settings(rig=RigSettings(seed=k + 1, pace="max")))
        stimuli = [step(float(pA)) for pA in np.linspace(-100.0, 300.0, _SET)]
        for trial in Session(rig, observer, checkpoint.spec.parameters, family(stimuli, count)).trials():
            taken = read(trial) if read else 0.0
            if k >= 0:
                trials.append(trial)
                peer.append(taken)
                whole.append(_whole(trial))
        predictions += observer.times if k >= 0 else []
    features = np.array([trial.latency.features for trial in trials])
    posterior = np.array([trial.latency.posterior for trial in trials], dtype=np.float64)
    total = np.array([trial.latency.total for trial in trials])
    return [
        *_figures("features_ms", features, np.array(peer) if read else None, named=peers),
        *_figures("features_whole_ms", np.array(whole), np.array(peer) if read else None, named=peers),
        *_figures("posterior_1000_ms", posterior, aim=_AIM),
        *_figures("total_ms", total),
        *_figures("prediction_ms", np.array(predictions)),
    ]


def _figures(
    name: str, times: Times, peer: Times | None = None, *, named: bool = False, aim: float | None = None
) -> list[dict[str, Any]]:
    """Lay out median and 99th percentile; the aim is for the median, the ratio how many times longer the peer takes."""
    figures = []
    for label, q in (("p50", 50.0), ("p99", 99.0)):
        value = float(np.percentile(times, q)) if times.size else None
        goal = aim if label == "p50" else None
        figures.append(
            {
                "name": f"{name}_{label}",
                "value": value,
                "unit": "ms",
                "n": int(times.size),
                "peer": _PEER if named else None,
                "peer_version": _version() if named else None,
                "ratio": float(np.percentile(peer, q)) / value if peer is not None and value else None,
                "aim": goal,
                "met": value <= goal if goal is not None and value is not None else None,
            }
        )
    return figures


def _whole(trial: Trial) -> float:
    """Read all features of a trial's sweep at once [ms]."""
    sweep = trial.sweep
    if sweep is None or sweep.stimulus is None:
        return 0.0
    response = sweep.corrected
    begun = time.perf_counter()
    follower = Follower(sweep.stimulus, sweep.rate)
    follower.push(response)
    follower.row()
    return 1e3 * (time.perf_counter() - begun)


def _version() -> str:
    try:
        return version(_PEER)
    except PackageNotFoundError:
        return "not installed"


def _peer() -> Callable[[Trial], float] | None:
    """Make what times eFEL on a trial's sweep: spikes, thresholds, peaks and rest [ms]; None where it is missing."""
    try:
        efel = importlib.import_module(_PEER)
    except ImportError:
        return None
    efel.reset()
    efel.set_setting("Threshold", -20.0)

    def read(trial: Trial) -> float:
        sweep = trial.sweep
        if sweep is None or sweep.stimulus is None:
            return 0.0
        trace = {
            "T": np.arange(sweep.response.size) / sweep.rate,
            "V": sweep.corrected,
            "stim_start": [sweep.stimulus.onset],
            "stim_end": [sweep.stimulus.onset + sweep.stimulus.step_duration],
        }
        begun = time.perf_counter()
        efel.get_feature_values([trace], list(_PEERS), raise_warnings=False)
        return 1e3 * (time.perf_counter() - begun)

    return read
