"""This file is the benchmark of the simulators: sweeps of the eLife cell a second, beside jaxley, brian2 and NEURON.

`elife_sweeps_per_s` is 120 ms in steps of 0.025 ms, with noise, seeds and the seven published statistics included,
on every core that the process may use; no trace is stored, and no electrode stands before it.
`recorded_sweeps_per_s` is what pretraining waits for: 200 ms to settle, the electrode, samples at 20 kHz and every
measured feature. The peers solve the same equations at the same step in what each does best, without noise, for
their solvers take none here, and count spikes only; brian2 uses one core, the others all. `cuda_steps_per_s` is the
eLife cell as ours has it, on a CUDA device where there is one. All take turns in one run and a figure is the median
of its turns.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads

from estimators.conditioning import weights
from estimators.measuring import measure_all
from rig_plugin.peers import cuda
from rig_plugin.peers.elife import CELL, DENSITY, DURATION, OFFSET, ONSET, STEPS, batch
from simulators import device
from simulators.batch import record
from simulators.compiled import ENTRY, threads
from simulators.electrode import KNOBS
from simulators.moments import summarize
from simulators.peak import operations_per_second

__all__ = ["OPERATIONS", "measure"]

PEERS = ("jaxley", "brian2", "neuron")
_AIM = 15.0
_CUDA = "cuda"
_CUDA_AIM = 1e10
_TURN = 0.5
_RATE = 20.0

OPERATIONS = 200
"""Additions, multiplications and divisions in float32 of one step of one cell with its statistics, each counted as
one, and of two branches only the one that is taken; integers, comparisons and moves are not counted. The peak is one
of multiply-adds, which count as two, and a division takes a core as long as tens of them: the share never comes near
one."""


@dataclass
class _Turns:
    """Something that is timed in turns with others: what simulates so many sweeps, and how fast it was [1/s]."""

    run: Callable[[], Any]
    sweeps: int
    cores: int
    rates: list[float] = field(default_factory=list)

    def take(self) -> None:
        """Run for half a second at least."""
        done = 0
        begun = time.perf_counter()
        with threads(self.cores):
            while not done or time.perf_counter() - begun < _TURN:
                self.run()
                done += self.sweeps
        self.rates.append(done / (time.perf_counter() - begun))

    @property
    def rate(self) -> float:
        return float(np.median(self.rates))


def measure(
    peers: bool = True, sweeps: int = 100_000, turns: int = 5, peer_sweeps: int | None = None
) -> list[dict[str, Any]]:
    """Measure sweeps a second, after a call that compiles.

    Args:
        peers: Whether to measure the other simulators beside.
        sweeps: The largest batch; growth starts at a hundredth of it.
        turns: How often each is measured.
        peer_sweeps: Sweeps a call of the peers; None for as many as suit each best.

    Returns:
        Figures: ours beside jaxley with the aim of 15 times its speed; each peer's own, with how many times faster
            ours is; batches of a hundredth, a tenth and all; one core and all; the recorded sweeps; time a step and
            core [ns]; steps a second, and their operations as a share of the cores' peak; steps a second of a CUDA
            device with the aim of 10^10, or None and the reason.
    """
    cores = get_num_threads()
    ours: dict[str, _Turns] = {}
    for size in sorted({max(1, sweeps // 100), max(1, sweeps // 10), sweeps}):
        ours[f"elife_sweeps_per_s_batch_{size}"] = _Turns(_summarized(size), size, cores)
    for count in sorted({1, cores}):
        ours[f"elife_sweeps_per_s_threads_{count}"] = _Turns(_summarized(sweeps), sweeps, count)
    ours["recorded_sweeps_per_s"] = _Turns(_recorded(max(1, sweeps // 10)), max(1, sweeps // 10), cores)
    found, failed = _peers((*(PEERS if peers else ()), _CUDA), peer_sweeps)
    peaks = []
    for timed in (*ours.values(), *found.values()):
        timed.run()
    for _ in range(turns):
        for timed in (*ours.values(), *found.values()):
            timed.take()
        peaks.append(operations_per_second())
    return _figures(ours, found, failed, float(np.median(peaks)), turns, PEERS if peers else ())


def _figures(
    ours: dict[str, _Turns],
    found: dict[str, _Turns],
    failed: dict[str, str],
    peak: float,
    turns: int,
    names: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Lay the figures out; a peer that is missing keeps its place, with the reason for its version."""
    cores = max(timed.cores for timed in ours.values())
    best, single = (ours[f"elife_sweeps_per_s_threads_{count}"].rate for count in (cores, 1))

    def figure(name: str, value: float | None, unit: str, peer: str | None = None) -> dict[str, Any]:
        there = found[peer].rate if peer in found else None
        aim = _AIM * there if there and name == "elife_sweeps_per_s" else None
        return {
            "name": name,
            "value": value,
            "unit": unit,
            "n": turns,
            "peer": peer,
            "peer_version": None if peer is None else _version(peer, failed.get(peer)),
            "ratio": best / there if there else None,
            "aim": aim,
            "met": best >= aim if aim else None,
        }

    return [
        figure("elife_sweeps_per_s", best, "1/s", names[0] if names else None),
        *(figure(f"{peer}_sweeps_per_s", found[peer].rate if peer in found else None, "1/s", peer) for peer in names),
        *(figure(name, timed.rate, "1/s") for name, timed in ours.items()),
        figure("step_ns_per_core", 1e9 / (single * STEPS), "ns"),
        figure("steps_per_s", best * STEPS, "1/s"),
        figure("operations_per_step", float(OPERATIONS), "1"),
        figure("peak_operations_per_s", peak, "1/s"),
        figure("share_of_peak", best * STEPS * OPERATIONS / peak, "1"),
        _device_figure(found.get(_CUDA), failed.get(_CUDA), turns),
    ]


def _device_figure(timed: _Turns | None, failure: str | None, turns: int) -> dict[str, Any]:
    """Lay the device's steps out; without one the reason stands where its name would."""
    value = None if timed is None else timed.rate * cuda.STEPS
    return {
        "name": "cuda_steps_per_s",
        "value": value,
        "unit": "1/s",
        "n": turns,
        "peer": _CUDA,
        "peer_version": f"could not be measured: {failure}" if timed is None else device.name(),
        "ratio": None,
        "aim": _CUDA_AIM,
        "met": None if value is None else value >= _CUDA_AIM,
    }


def _summarized(sweeps: int) -> Callable[[], npt.NDArray[np.float64]]:
    """Make what simulates a batch with its seven statistics."""
    cells, reversals, levels = batch(sweeps)
    rng = np.random.default_rng(0)
    durations = (ONSET, OFFSET - ONSET, DURATION - OFFSET)
    return lambda: summarize(cells, reversals, durations, levels, rng)


def _recorded(sweeps: int) -> Callable[[], npt.NDArray[np.float64]]:
    """Make what records a batch through an electrode and measures every feature."""
    cells, reversals, levels = batch(sweeps)
    rng = np.random.default_rng(0)
    knobs = {"corner": 6.0, "white": 0.05, "hum_frequency": 50.0}
    electrodes = np.tile([knobs.get(name, 0.0) for name in KNOBS], (sweeps, 1))
    ends = np.tile([ONSET, OFFSET, DURATION], (sweeps, 1))
    rates = np.full(sweeps, _RATE)
    step = [np.full(sweeps, value) for value in (ONSET, OFFSET - ONSET, DURATION - OFFSET, DENSITY * CELL["C"])]
    tables, which = weights(_RATE)[None], np.zeros(sweeps, dtype=np.int64)

    def run() -> npt.NDArray[np.float64]:
        samples, counts = record(cells, reversals, electrodes, ends, levels, np.zeros(sweeps), rates, rng)
        with ENTRY:
            values: npt.NDArray[np.float64] = measure_all(samples, counts, rates, tables, which, *step)
        return values

    return run


def _peers(names: tuple[str, ...], sweeps: int | None) -> tuple[dict[str, _Turns], dict[str, str]]:
    """Prepare the peers that are there, and tell what the others failed of."""
    found: dict[str, _Turns] = {}
    failed: dict[str, str] = {}
    for name in names:
        try:
            peer = importlib.import_module(f"rig_plugin.peers.{name}")
            size = sweeps or peer.SWEEPS
            run = peer.prepare(size)
            run()
        except Exception as error:  # noqa: BLE001 - whatever one peer dies of, the others are measured
            failed[name] = " ".join(f"{type(error).__name__}: {error}".split())
        else:
            found[name] = _Turns(run, size, get_num_threads())
    return found, failed


def _version(peer: str, failure: str | None) -> str:
    """Name the version, and why it could not be measured."""
    try:
        installed = version(peer)
    except PackageNotFoundError:
        return "not installed"
    return installed if failure is None else f"{installed} could not be measured: {failure}"
