"""This file is the pretraining: simulate, train, take references, calibrate, and write one checkpoint."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from estimators.adaptation import adapt_to, adapted, chooser, weights_of
from estimators.calibration import calibrate
from estimators.checkpoint import Checkpoint, CheckpointError, save
from estimators.estimator import SweepSetEstimator
from estimators.head_start import head_start
from estimators.judges import appoint, appoint_ahead, places
from estimators.likelihood import Likelihood
from estimators.misfits import misfits
from estimators.novelty import Novelty
from estimators.predecessor import predecessor
from estimators.prospect import Prospect
from estimators.prospecting import prospect_of
from estimators.sets import Sets
from estimators.simulation import CHECKING, load_sets, simulate_to
from estimators.spec import Spec, SpecError, blind, read_spec
from estimators.stillness import still_limits
from estimators.training import Epoch, train
from simulators.workers import processes

__all__ = ["pretrain"]

_PATIENCE = 10.0


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

    Simulated cells wait beside the result in `OUT.cells`, `OUT.adaptive` and `OUT.checked`, chunk by chunk, and how
    training stands in `OUT.training`, `OUT.likelihood`, `OUT.predictive` and `OUT.watchman`, epoch by epoch, so that a
    killed run goes on where it was, but for the prospect, which begins anew; all are removed when the checkpoint is
    there. On a CPU each training has one thread, because the rounding of sums depends on how many there are: the same
    seed gives the same numbers on any number of cores.

    Args:
        spec: What for, or its file.
        out: The checkpoint to be written.
        simulations: Cells, held-out ones included, or None for what the spec says.
        device: Where to train, "cpu" or "cuda".
        seed: In place of the spec's.
        workers: Processes that simulate the training cells, each on one core; 1 for this process on all its cores.
            With more than one, likelihood, prior predictive, watchman and the cells to check by are made beside the
            network, in one of their own. The numbers are the same.

    Yields:
        {"event": "progress", "stage", ...} while it goes on, and {"event": "summary", ...} at the end.

    Raises:
        SpecError: If the spec can't be used.
        CheckpointError: If something is at `out` already, or the network that chooses steps, or with whose weights
            training begins, can't be read.
    """
    out = Path(out)
    folder = Path() if isinstance(spec, Spec) else Path(spec).parent
    spec = spec if isinstance(spec, Spec) else read_spec(spec)
    if out.exists():
        raise CheckpointError(f"{out} is there and is never overwritten; choose another name or move it.")
    if device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise SpecError(f"The device {device!r} is not there; cpu always is, cuda where torch finds a GPU.")
    with _one_thread():
        policy, former = chooser(spec, folder), predecessor(spec, folder)
        yield from _made(_asked(spec, simulations, seed), out, device, workers, policy, former)


def _made(
    spec: Spec, out: Path, device: str, workers: int, policy: Path | None, former: Path | None
) -> Iterator[dict[str, Any]]:
    """Make it and tell how it goes."""
    begun = time.monotonic()
    cells, following = (out.with_name(f"{out.name}.{kind}") for kind in ("cells", "adaptive"))
    known, aside = blind(spec)
    wanted = known + aside
    with processes(workers) as executor:
        for there in simulate_to(cells, spec, wanted, executor):
            seconds = round(time.monotonic() - begun, 1)
            yield {"event": "progress", "stage": "simulate", "cells": there, "of": wanted, "seconds": seconds}
        if policy is not None:
            yield from _followed(spec, following, policy, executor, begun)
    sets = load_sets(cells, wanted)
    held_out = sets.cells(known, wanted)
    sets = sets.cells(0, known)
    network, epochs = None, []
    bookmark = out.with_name(f"{out.name}.training")
    with head_start(partial(appoint_ahead, spec, cells, out)) if workers > 1 else _nothing() as over:
        for item in _trained(spec, *_with(spec, sets, held_out, following), device, bookmark, former):
            if isinstance(item, SweepSetEstimator):
                network = item
                continue
            epochs.append({"epoch": item.index, "loss": item.loss, "held_out": item.held_out})
            yield item.progress("train")
        while not over(_PATIENCE):
            yield {"event": "progress", "stage": "judges", "seconds": round(time.monotonic() - begun, 1)}
    if network is None:
        raise RuntimeError("Training ended without a network.")
    judges = yield from appoint(spec, sets, held_out, network.scaling, out)
    references = _references(spec, network, judges.shown) | {"surprise_scores": judges.surprises}
    made = datetime.now(UTC).isoformat(timespec="seconds")
    record: dict[str, Any] = {"epochs": epochs, "seconds": time.monotonic() - begun, "made": made}
    if former is not None:
        record["former"] = {"weights": weights_of(former)}
    if policy is not None:
        record["adaptive"] = {"cells": spec.adaptive.of(spec.training.cells), "weights": weights_of(policy)}
    trusted = (judges.likelihood, judges.predictive, judges.watchman)
    prospect = yield from _foreseen(spec, network, judges.likelihood, record)
    checkpoint = Checkpoint(network, spec, record, {}, references, *trusted, prospect)
    yield {"event": "progress", "stage": "calibrate", "cells": spec.training.checked}
    rng = np.random.default_rng([spec.seed, 4])
    calibration = calibrate(network, spec, _checked(spec, out), rng, judges.likelihood)
    checkpoint = replace(checkpoint, calibration=calibration)
    save(out, checkpoint)
    for path in (cells, following, bookmark, *places(out).values()):
        path.unlink(missing_ok=True)
    yield _summary(out, sets, network, calibration) | {"seconds": round(time.monotonic() - begun, 1)}


def _foreseen(
    spec: Spec, network: SweepSetEstimator, likelihood: Likelihood, record: dict[str, Any]
) -> Generator[dict[str, Any], None, Prospect | None]:
    """Learn what a sweep would teach, where the spec asks for it, and note the share that is foretold of it."""
    if not spec.prospect.cells:
        return None
    course = prospect_of(network, likelihood, spec, spec.prospect)
    while True:
        try:
            epoch = next(course)
        except StopIteration as over:
            return cast(Prospect, over.value)
        record["prospect"] = {"cells": spec.prospect.cells, "foretold": epoch.held_out}
        yield epoch.progress("prospect")


def _followed(
    spec: Spec, path: Path, policy: Path, executor: Executor | None, begun: float
) -> Iterator[dict[str, Any]]:
    """Simulate the cells whose steps an earlier network chooses."""
    wanted = spec.adaptive.of(spec.training.cells) + spec.adaptive.of(spec.training.held_out)
    for there in adapt_to(path, spec, policy, wanted, executor):
        seconds = round(time.monotonic() - begun, 1)
        yield {"event": "progress", "stage": "adapt", "cells": there, "of": wanted, "seconds": seconds}


def _with(spec: Spec, sets: Sets, held_out: Sets, path: Path) -> tuple[Sets, Sets]:
    """Add those cells to the others; who judges trust is taught by the others alone."""
    if not spec.adaptive.network:
        return sets, held_out
    known, aside = spec.adaptive.of(spec.training.cells), spec.adaptive.of(spec.training.held_out)
    more = adapted(path, known + aside)
    return Sets.join([sets, more.cells(0, known)]), Sets.join([held_out, more.cells(known, known + aside)])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch sum on one thread for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _nothing() -> Iterator[Callable[[float], bool]]:
    """Have no head start: it is over at once."""
    yield lambda _: True


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


def _checked(spec: Spec, out: Path) -> Sets:
    """Simulate the cells that check the network, as far as that was not done beside its training."""
    path, wanted = places(out)["checked"], spec.training.checked
    for _ in simulate_to(path, spec, wanted, purpose=CHECKING):
        continue
    return load_sets(path, wanted).cells(0, wanted)


def _references(spec: Spec, network: SweepSetEstimator, sets: Sets) -> dict[str, npt.NDArray[Any]]:
    """Take what trust is measured against."""
    rng = np.random.default_rng([spec.seed, 3])
    references = Novelty.make(network.scaling, sets, rng) | misfits(network, spec, rng)
    return references | still_limits(network, spec, np.random.default_rng([spec.seed, 18]))


def _trained(
    spec: Spec, sets: Sets, held_out: Sets, device: str, bookmark: Path, former: Path | None
) -> Iterator[Epoch | SweepSetEstimator]:
    """Train in a thread, so that progress can be told epoch by epoch; the network comes last."""
    told: queue.Queue[Epoch | SweepSetEstimator | Exception] = queue.Queue()

    def work() -> None:
        try:
            told.put(train(spec, sets, held_out, lambda epoch, _: told.put(epoch), device, bookmark, former))
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
