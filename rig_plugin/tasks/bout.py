"""This file is the bout: one method that learns the eLife task in a process of its own, and what that takes.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

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
    """

    simulations: int
    seed: int = 0
    held_out: int = 2000
    observations: int = 200
    batched: int = 5000


@dataclass(frozen=True)
class Bout:
    """What one method reached.

    Args:
        log_q: Mean log density of theta on fresh simulations.
        train_s: Wall time.
        train_cpu_s: Processor time.
        times: For 1,000 draws of each observation [ms].
        batched_s: For 100 draws of each of many observations at once.
        peak: Most memory that its process ever held [MB], its libraries included; None where the system can't tell.
    """

    log_q: float
    train_s: float
    train_cpu_s: float
    times: Numbers
    batched_s: float
    peak: float | None


def fight(method: str, setting: Setting) -> Bout:
    """Train and measure in a fresh process, so that its memory is its own.

    Args:
        method: Module and function that train, as in "rig_plugin.tasks.own:train".
        setting: How much is measured.

    Returns:
        What it reached.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(_fight, method, setting).result()


def _fight(method: str, setting: Setting) -> Bout:
    """Work in the process of its own; what libraries print goes nowhere."""
    module, function = method.split(":")
    with quiet():
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
        begun = time.perf_counter()
        trained.draw_many(fresh[: setting.batched], DRAWS_EACH)
        batched_s = time.perf_counter() - begun
    return Bout(float(np.mean(density)), train_s, train_cpu_s, np.array(times), batched_s, _peak())


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
