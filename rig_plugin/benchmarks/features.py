"""This file is the benchmark of the features: one long sweep, read by ours and by eFEL in turns.

The sweep is 1.45 s at 50 kHz, a simulated cell that fires through a step of a second. Ours reads all features of the
catalogue at once, eFEL the six that both have; how far these lie apart is told too. `features_ms` is what is left to
do when the sweep ends, for a recording's low-pass goes along with it; `features_whole_ms` reads the sweep at once.

References:
    Rossler et al. (2025), eFEL, eNeuro. https://github.com/openbraininstitute/eFEL
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
from rig_plugin.tasks.figure import Figure
from simulators.cortical import Cortical
from simulators.stimulus import Stimulus, step

__all__ = ["RATE", "STEP", "measure"]

RATE = 50.0
STEP = step(150.0, onset=205.0, duration=1000.0, tail=245.0)
"""As long as the sweeps of the Allen Cell Types Database are when cropped."""

_CELL = (100.0, 0.1, 50.0, 5.0, 0.07, 600.0, -60.0, -70.0, 1.0, 0.1, 0.0, 0.0)
_BLOCK = 1000
_PEER = "efel"
_AIM = 20.0
_SHARED = {
    "spike_count": ("spike_count_stimint", "1"),
    "rest": ("voltage_base", "mV"),
    "threshold": ("AP_begin_voltage", "mV"),
    "peak": ("peak_voltage", "mV"),
    "half_width": ("AP_duration_half_width", "ms"),
    "trough": ("AHP_depth_abs", "mV"),
}
"""Ours, and what eFEL calls it."""

Numbers = npt.NDArray[np.float64]


def measure(peers: bool = True, turns: int = 100) -> list[dict[str, Any]]:
    """Measure both on the same samples, after a turn that warms them up.

    Args:
        peers: Whether to measure eFEL beside.
        turns: How often each is measured.

    Returns:
        Figures: the whole sweep and what is left at its end, medians and 99th percentiles, the medians with the aim
            of a twentieth of eFEL's; and how far each shared feature lies from eFEL's.
    """
    response = Cortical().simulate(np.array([_CELL]), STEP, RATE, np.random.default_rng(0))[0]
    read = _peer(response) if peers else None
    whole, left, theirs = [], [], []
    features: dict[str, float] = {}
    said: dict[str, float] = {}
    for turn in range(-1, turns):
        whole_ms, features = _whole(response)
        left_ms = _left(response)
        peer_ms, said = read() if read else (0.0, {})
        if turn >= 0:
            whole.append(whole_ms)
            left.append(left_ms)
            theirs.append(peer_ms)
    peer, said_version = (_PEER, _version()) if peers else (None, None)
    figures = []
    for name, times in (("features_whole_ms", whole), ("features_ms", left)):
        for label, q in (("p50", 50.0), ("p99", 99.0)):
            value = float(np.percentile(times, q))
            there = float(np.percentile(theirs, q)) if read else None
            aim = there / _AIM if there and label == "p50" else None
            figures.append(Figure(f"{name}_{label}", value, "ms", turns, peer, said_version, there, aim))
    figures += [
        Figure(f"{name}_apart", abs(features[name] - said[name]) if read else None, unit, 1, peer, said_version)
        for name, (_, unit) in _SHARED.items()
        if peers
    ]
    return [figure.row() for figure in figures]


def _whole(response: Numbers) -> tuple[float, dict[str, float]]:
    """Read the sweep at once [ms]."""
    begun = time.perf_counter()
    follower = Follower(STEP, RATE)
    follower.push(response)
    features = follower.features()
    return 1e3 * (time.perf_counter() - begun), features


def _left(response: Numbers) -> float:
    """Follow the sweep in blocks of 20 ms, and time what its last block leaves to do [ms]."""
    follower = Follower(STEP, RATE)
    last = len(response) - _BLOCK
    for start in range(0, last, _BLOCK):
        follower.push(response[start : min(start + _BLOCK, last)])
    begun = time.perf_counter()
    follower.push(response[last:])
    follower.row()
    return 1e3 * (time.perf_counter() - begun)


def _version() -> str:
    try:
        return version(_PEER)
    except PackageNotFoundError:
        return "not installed"


def _peer(response: Numbers, stimulus: Stimulus = STEP) -> Callable[[], tuple[float, dict[str, float]]] | None:
    """Make what times eFEL [ms], and gives what it says of the first spike; None where it is missing."""
    try:
        efel = importlib.import_module(_PEER)
    except ImportError:
        return None
    efel.reset()
    efel.set_setting("Threshold", -20.0)
    end = stimulus.onset + stimulus.step_duration
    trace = {"T": np.arange(len(response)) / RATE, "V": response, "stim_start": [stimulus.onset], "stim_end": [end]}
    names = [name for name, _ in _SHARED.values()]

    def read() -> tuple[float, dict[str, float]]:
        begun = time.perf_counter()
        (values,) = efel.get_feature_values([trace], names, raise_warnings=False)
        taken = 1e3 * (time.perf_counter() - begun)
        return taken, {ours: float(values[name][0]) for ours, (name, _) in _SHARED.items()}

    return read
