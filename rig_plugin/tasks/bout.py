"""This file is the bout: one method that learns the eLife task in a process of its own, and what that takes.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from rig_plugin.quiet import quiet
from rig_plugin.tasks.elife import ELIFE
from rig_plugin.tasks.trained import Train

__all__ = ["DRAWS", "Bout", "Setting", "fight"]

DRAWS, DRAWS_EACH = 1000, 100
"""Of one observation, and of each where there are many."""

_FRESH = 1_000_000

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """How much is measured.

    Args:
        simulations: To learn from.
        seed: Of simulations and training.
        held_out: Fresh simulations for the density.
        observations: That are drawn for one after the other.
        batched: That are drawn for at once.
        patience: How long that may take [s].
    """

    simulations: int
    seed: int = 0
    held_out: int = 2000
    observations: int = 200
    batched: int = 5000
    patience: float = 600.0


@dataclass(frozen=True)
class Bout:
    """What one method reached.

    Args:
        log_q: Mean log density of theta on fresh simulations.
        train_s: Wall time.
        train_cpu_s: Processor time.
        times: For 1,000 draws of each observation [ms].
        batched_s: For 100 draws of each of many observations at once; None where they did not end in time.
        peak: Most memory that its process ever held [MB], its libraries included; None where the system can't tell.
    """

    log_q: float
    train_s: float
    train_cpu_s: float
    times: Numbers
    batched_s: float | None
    peak: float | None


def fight(method: str, setting: Setting) -> Bout:
    """Train and measure in a fresh process, so that its memory is its own.

    Args:
        method: Module and function that train, as in "rig_plugin.tasks.own:train".
        setting: How much is measured.

    Returns:
        What it reached.

    Raises:
        RuntimeError: If the process failed or died before all but the last was measured.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_fight, args=(theirs, method, setting), daemon=True)
    process.start()
    theirs.close()
    try:
        told = _heard(ours, None)
        # Draws that are rejected where they leave the prior may never end for one of many observations.
        last = _heard(ours, setting.patience) if "error" not in told else {}
    finally:
        process.kill()
        process.join()
        ours.close()
    if "log_q" not in told:
        raise RuntimeError(told.get("error", "Its process died."))
    times = np.array(told["times"])
    peak = last.get("peak", told["peak"])
    return Bout(told["log_q"], told["train_s"], told["train_cpu_s"], times, last.get("batched_s"), peak)


def _heard(ours: Connection, patience: float | None) -> dict[str, Any]:
    """Wait for what the process tells; nothing where it died or took too long."""
    try:
        told: dict[str, Any] = json.loads(ours.recv_bytes()) if ours.poll(patience) else {}
    except EOFError:
        return {}
    return told


def _fight(theirs: Connection, method: str, setting: Setting) -> None:
    """Work in the process of its own; what libraries print goes nowhere."""
    with quiet():
        try:
            for told in _measured(method, setting):
                theirs.send_bytes(json.dumps(told).encode())
        except Exception as error:  # noqa: BLE001 - whatever a method does, the other process has to tell it
            theirs.send_bytes(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())


def _measured(method: str, setting: Setting) -> Iterator[dict[str, Any]]:
    """Measure all but the batch, and then the batch."""
    module, function = method.split(":")
    train: Train = getattr(importlib.import_module(module), function)
    theta, x = _drawn(setting.simulations, setting.seed)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    trained = train(theta, x, ELIFE.prior, setting.seed)
    train_s, train_cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    fresh_theta, fresh = _drawn(max(setting.held_out, setting.batched), _FRESH + setting.seed)
    density = trained.log_prob(fresh_theta[: setting.held_out], fresh[: setting.held_out])
    trained.draw(fresh[0], DRAWS)
    times = []
    for observed in fresh[: setting.observations]:
        begun = time.perf_counter()
        trained.draw(observed, DRAWS)
        times.append(1e3 * (time.perf_counter() - begun))
    yield {
        "log_q": float(np.mean(density)),
        "train_s": train_s,
        "train_cpu_s": train_cpu_s,
        "times": times,
        "peak": _peak(),
    }
    begun = time.perf_counter()
    trained.draw_many(fresh[: setting.batched], DRAWS_EACH)
    yield {"batched_s": time.perf_counter() - begun, "peak": _peak()}


def _drawn(n: int, seed: int) -> tuple[Numbers, Numbers]:
    """Simulate; cells that blew up are left out, as every method would."""
    theta, x = ELIFE.draw(n, seed)
    whole = np.isfinite(x).all(1)
    return theta[whole], x[whole]


def _peak() -> float | None:
    """Ask for the most memory that this process held [MB]; Windows does not know."""
    if sys.platform == "win32":
        return None
    resource = importlib.import_module("resource")
    most: float = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)
