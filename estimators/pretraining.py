"""This file is the pretraining: simulate, train, take references, calibrate, and write one checkpoint."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from estimators.calibration import calibrate
from estimators.checkpoint import Checkpoint, CheckpointError, save
from estimators.distortion import Distortion
from estimators.estimator import SweepSetEstimator
from estimators.faults import FAULTS
from estimators.likelihood import Likelihood
from estimators.misfits import misfits
from estimators.novelty import Novelty
from estimators.refit import refit
from estimators.schooling import school
from estimators.sets import Sets
from estimators.simulation import load_sets, simulate_to
from estimators.spec import Spec, SpecError, read_spec
from estimators.strangers import strange_to
from estimators.surprise import Surprise
from estimators.training import Epoch, train
from estimators.watchman import Watchman, lessons
from simulators.parameter import Parameter
from simulators.workers import processes

__all__ = ["pretrain"]

_LESSONS = 6000
_SURPRISES = 6000


def pretrain(
    spec: Spec | str | Path,
    out: str | Path,
    *,
    simulations: int | None = None,
    device: str = "cpu",
    seed: int | None = None,
    workers: int = 1,
) -> Iterator[dict[str, Any]]:
    """Make a network.

    Simulated cells wait beside the result in `OUT.cells`, chunk by chunk, and how training stands in `OUT.training`,
    `OUT.likelihood` and `OUT.predictive`, epoch by epoch, so that a killed run goes on where it was; all are removed
    when the checkpoint is there.

    Args:
        spec: What for, or its file.
        out: The checkpoint to be written.
        simulations: Cells, held-out ones included, or None for what the spec says.
        device: Where to train, "cpu" or "cuda".
        seed: In place of the spec's.
        workers: Processes that simulate the training cells, each on one core; 1 for this process on all its cores.
            The numbers are the same.

    Yields:
        {"event": "progress", "stage", ...} while it goes on, and {"event": "summary", ...} at the end.

    Raises:
        SpecError: If the spec can't be used.
        CheckpointError: If something is at `out` already.
    """
    out = Path(out)
    spec = spec if isinstance(spec, Spec) else read_spec(spec)
    if out.exists():
        raise CheckpointError(f"{out} is there and is never overwritten; choose another name or move it.")
    if device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise SpecError(f"The device {device!r} is not there; cpu always is, cuda where torch finds a GPU.")
    spec = _asked(spec, simulations, seed)
    begun = time.monotonic()
    cells = out.with_name(f"{out.name}.cells")
    wanted = spec.training.cells + spec.training.held_out
    with processes(workers) as executor:
        for there in simulate_to(cells, spec, wanted, executor):
            seconds = round(time.monotonic() - begun, 1)
            yield {"event": "progress", "stage": "simulate", "cells": there, "of": wanted, "seconds": seconds}
    sets = load_sets(cells, wanted)
    held_out = _part(sets, spec.training.cells, wanted)
    sets = _part(sets, 0, spec.training.cells)
    network, epochs = None, []
    bookmark = out.with_name(f"{out.name}.training")
    for item in _trained(spec, sets, held_out, device, bookmark):
        if isinstance(item, SweepSetEstimator):
            network = item
            continue
        epochs.append({"epoch": item.index, "loss": item.loss, "held_out": item.held_out})
        yield _progress(item)
    if network is None:
        raise RuntimeError("Training ended without a network.")
    distortion = Distortion(spec.parameters, network.scaling)
    gain = _refit(spec, network, distortion(held_out, np.random.default_rng([spec.seed, 8])))
    yield {"event": "progress", "stage": "refit", "gain": round(gain, 4)}
    shown = distortion(sets, np.random.default_rng([spec.seed, 9]))
    aside = distortion(held_out, np.random.default_rng([spec.seed, 11]))
    bookmarks = {name: out.with_name(f"{out.name}.{name}") for name in ("likelihood", "predictive")}
    likelihood = yield from _schooled("likelihood", spec, spec.parameters, shown, aside, bookmarks)
    predictive = yield from _schooled("predictive", spec, (), shown, aside, bookmarks)
    yield {"event": "progress", "stage": "reference"}
    references = _references(spec, network, shown)
    watchman = _taught(spec, predictive, distortion)
    references["surprise_scores"] = Surprise.make(predictive, watchman, spec, _rng(spec, 10), _SURPRISES, distortion)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"epochs": epochs, "refit": gain, "seconds": time.monotonic() - begun, "made": made}
    checkpoint = Checkpoint(network, spec, record, {}, references, likelihood, predictive, watchman)
    yield {"event": "progress", "stage": "calibrate", "cells": spec.training.checked}
    calibration = calibrate(network, spec, spec.training.checked, np.random.default_rng([spec.seed, 4]))
    checkpoint = replace(checkpoint, calibration=calibration)
    save(out, checkpoint)
    cells.unlink()
    for path in (bookmark, *bookmarks.values()):
        path.unlink(missing_ok=True)
    yield _summary(out, sets, network, calibration) | {"seconds": round(time.monotonic() - begun, 1)}


def _summary(out: Path, sets: Sets, network: SweepSetEstimator, calibration: dict[str, Any]) -> dict[str, Any]:
    """Tell what was made."""
    return {
        "event": "summary",
        "network": str(out),
        "cells": len(sets),
        "sweeps": len(sets.u),
        "weights": sum(p.numel() for p in network.parameters()),
        "bytes": out.stat().st_size,
        "log_prob": calibration["log_prob"],
        "coverage": calibration["coverage"],
    }


def _asked(spec: Spec, simulations: int | None, seed: int | None) -> Spec:
    """Let what was asked for go before what the spec says."""
    if seed is not None:
        spec = replace(spec, seed=seed)
    if simulations is None:
        return spec
    if simulations < 200:
        raise SpecError(f"{simulations} simulated cells were asked for, at least 200 were wanted.")
    kept = min(spec.training.held_out, simulations // 10)
    checked = min(spec.training.checked, max(2000, simulations // 10))
    return replace(spec, training=replace(spec.training, cells=simulations - kept, held_out=kept, checked=checked))


def _progress(epoch: Epoch) -> dict[str, Any]:
    """Tell how training goes; what is not finite is null, because it is not JSON."""
    return {
        "event": "progress",
        "stage": "train",
        "epoch": epoch.index,
        "of": epoch.of,
        "loss": epoch.loss if math.isfinite(epoch.loss) else None,
        "held_out_log_prob": epoch.held_out if math.isfinite(epoch.held_out) else None,
        "seconds_left": round(epoch.seconds_left, 1),
    }


def _part(sets: Sets, begin: int, end: int) -> Sets:
    """Take some of the cells."""
    rows = slice(sets.first[begin], sets.first[end])
    first = sets.first[begin : end + 1] - sets.first[begin]
    return Sets(sets.u[rows], sets.features[rows], sets.context[rows], first)


def _refit(spec: Spec, network: SweepSetEstimator, held_out: Sets) -> float:
    """Fit the last layer to four fifths of the held-out cells, as long as the others agree."""
    most = math.floor(0.8 * len(held_out))
    rng = np.random.default_rng([spec.seed, 6])
    return refit(network, _part(held_out, 0, most), _part(held_out, most, len(held_out)), rng)


def _schooled(
    stage: str,
    spec: Spec,
    parameters: tuple[Parameter, ...],
    sets: Sets,
    held_out: Sets,
    bookmarks: dict[str, Path],
) -> Generator[dict[str, Any], None, Likelihood]:
    """Train a likelihood, or, without parameters, the prior predictive, and tell how it goes."""
    course = school(parameters, spec.likelihood, sets, held_out, spec.seed, bookmarks[stage])
    while True:
        try:
            epoch = next(course)
        except StopIteration as end:
            return cast(Likelihood, end.value)
        yield _progress(epoch) | {"stage": stage}


def _rng(spec: Spec, part: int) -> np.random.Generator:
    return np.random.default_rng([spec.seed, part])


def _taught(spec: Spec, predictive: Likelihood, distortion: Distortion) -> Watchman:
    """Teach a watchman all faults, and what is strange to the process."""
    watchman = Watchman((*FAULTS, *strange_to(spec.process)))
    watchman.learn(lessons(spec, _LESSONS, _rng(spec, 12), distortion), predictive.scaling, _rng(spec, 13))
    return watchman


def _references(spec: Spec, network: SweepSetEstimator, sets: Sets) -> dict[str, npt.NDArray[Any]]:
    """Take what trust is measured against."""
    rng = np.random.default_rng([spec.seed, 3])
    return Novelty.make(network.scaling, sets, rng) | misfits(network, spec, rng)


def _trained(
    spec: Spec, sets: Sets, held_out: Sets, device: str, bookmark: Path
) -> Iterator[Epoch | SweepSetEstimator]:
    """Train in a thread, so that progress can be told epoch by epoch; the network comes last."""
    told: queue.Queue[Epoch | SweepSetEstimator | Exception] = queue.Queue()

    def work() -> None:
        try:
            told.put(train(spec, sets, held_out, lambda epoch, _: told.put(epoch), device, bookmark))
        except Exception as error:  # noqa: BLE001 - raised again by who waits
            told.put(error)

    threading.Thread(target=work, name="training", daemon=True).start()
    while True:
        item = told.get()
        if isinstance(item, Exception):
            raise item
        yield item
        if isinstance(item, SweepSetEstimator):
            return
