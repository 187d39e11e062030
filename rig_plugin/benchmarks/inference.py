"""This file is the benchmark of inference on the eLife cell: ours beside sbi, from the same simulations.

Quality is the mean log density of the parameters of fresh simulations; speed is what a user waits for, training, 1,000
draws for one sweep, and 100 draws of each of 5,000. Each method has a process of its own, whose memory is told. The
network that ships answers a larger question (any step, any number of sweeps), so only its speed stands here.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch

from estimators.generation import generate
from rig_plugin.opening import network
from rig_plugin.tasks.bout import DRAWS, Bout, Setting, fight
from rig_plugin.tasks.bout_ledger import BoutLedger
from rig_plugin.tasks.figure import Figure

__all__ = ["measure"]

_METHODS = MappingProxyType(
    {
        "single": "rig_plugin.tasks.own:train_single",
        "ensemble": "rig_plugin.tasks.own:train",
        "distilled": "rig_plugin.tasks.own:train_distilled",
        "sbi": "rig_plugin.peers.sbi:train",
    }
)
_OWN, _PEER = "rig-plugin", "sbi"
_BUDGETS = (10_000, 100_000)
_LONGER = MappingProxyType({"single": 1.0, "ensemble": 3.0, "distilled": 3.0})
"""How many times the peer's training ours may take; one that is distilled has its ensemble's in it."""

_SHIPPED_AIM = 5.0


def measure(
    peers: bool = True,
    simulations: int | None = None,
    held_out: int = 2000,
    observations: int = 200,
    batched: int = 5000,
    sweeps: int = 200,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure, method after method.

    Args:
        peers: Whether to measure sbi beside.
        simulations: To learn from; 10,000 and 100,000 where none are given.
        held_out: Fresh simulations for the density.
        observations: That are drawn for one after the other.
        batched: That are drawn for at once.
        sweeps: Cells for the speed of the network that ships.
        out: The ledger of what each method reached, which is gone on with; None for none.

    Returns:
        Figures of each budget and method: log q, training in processor seconds, median and 99th percentile for 1,000
            draws, the batch, and memory; of ours with the aims of a better density in no more time (an ensemble three
            times, and so one that is distilled from it), and of the network that ships the time for 1,000 draws.

    Raises:
        Refusal: If the file is no ledger of bouts.
    """
    ledger = BoutLedger(out)
    figures: list[Figure] = []
    for budget in _BUDGETS if simulations is None else (simulations,):
        bouts: dict[str, Bout] = {}
        said = _version(_PEER) if peers else None
        for name, method in _METHODS.items():
            if name == _PEER and said in (None, "not installed"):
                continue
            try:
                bouts[name] = _bout(ledger, name, method, Setting(budget, 0, held_out, observations, batched))
            except Exception as error:
                if name != _PEER:
                    raise
                said = " ".join(f"{said} could not be measured: {type(error).__name__}: {error}".split())
        figures += _figures(budget, bouts, said, observations, batched)
    times = _shipped(sweeps)
    figures += [
        Figure(f"shipped_1000_ms_{label}", float(np.percentile(times, q)), "ms", sweeps, aim=aim)
        for label, q, aim in (("p50", 50.0, _SHIPPED_AIM), ("p99", 99.0, None))
    ]
    return [figure.row() for figure in figures]


def _bout(ledger: BoutLedger, name: str, method: str, setting: Setting) -> Bout:
    """Look a bout up, or fight it, keep it and tell it."""
    whose = _version(_PEER if name == _PEER else _OWN)
    known = ledger.find(method, whose, setting)
    if known is not None:
        return known
    bout = fight(method, setting)
    ledger.add(method, whose, setting, bout)
    told = f"{setting.simulations} simulations  {name}  log q {bout.log_q:.3f}  {bout.train_cpu_s:.0f} s"
    click.echo(told, err=True)
    return bout


def _shipped(observations: int) -> npt.NDArray[np.float64]:
    """Time 1,000 draws of the network that ships, for one to ten sweeps of cells of its own process [ms]."""
    checkpoint = network()
    spec, rng = checkpoint.spec, np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    designs = replace(spec.designs, sweeps=(1, 10))
    times = []
    for sets in generate(spec.parameters, designs, spec.nuisances, observations + 1, rng):
        for cell in range(len(sets)):
            rows = slice(sets.first[cell], sets.first[cell + 1])
            features, context = sets.features[rows].astype(np.float64), sets.context[rows].astype(np.float64)
            begun = time.perf_counter()
            checkpoint.network.draw(features, context, DRAWS, generator)
            times.append(1e3 * (time.perf_counter() - begun))
    # The first has a compiler in it.
    return np.array(times[1:])


def _figures(budget: int, bouts: dict[str, Bout], said: str | None, observations: int, batched: int) -> list[Figure]:
    """Lay out what each method reached; a peer that is missing keeps its place."""
    peer = bouts.get(_PEER)
    figures = []
    for name in _METHODS:
        if name == _PEER and said is None:
            continue
        bout = bouts.get(name)
        ours = name != _PEER
        there = {label: value for label, (value, _, _) in _numbers(peer, observations, batched).items()} if ours else {}
        for label, (value, unit, n) in _numbers(bout, observations, batched).items():
            held = there.get(label)
            figures.append(
                Figure(
                    f"{label}_{name}_{budget}",
                    value,
                    unit,
                    n,
                    None if said is None else _PEER,
                    said,
                    there=None if unit == "nat" else held,
                    aim=_aim(name, label, held),
                    better="more" if unit == "nat" else "less",
                )
            )
    return figures


def _aim(name: str, label: str, held: float | None) -> float | None:
    """Give the aim of a figure of ours, from the peer's."""
    if held is None or name not in _LONGER:
        return None
    return {"log_q": held, "train_cpu_s": _LONGER[name] * held}.get(label)


def _numbers(bout: Bout | None, observations: int, batched: int) -> dict[str, tuple[float | None, str, int]]:
    """List what is told of a bout: value, unit, and of how many."""
    values: list[float | None] = [None] * 7
    if bout is not None:
        p50, p99 = (float(value) for value in np.percentile(bout.times, [50.0, 99.0]))
        values = [bout.log_q, bout.train_cpu_s, bout.train_s, p50, p99, bout.batched_s, bout.peak]
    told = (
        ("log_q", "nat", 1),
        ("train_cpu_s", "s", 1),
        ("train_s", "s", 1),
        ("draws_1000_ms_p50", "ms", observations),
        ("draws_1000_ms_p99", "ms", observations),
        (f"batch_of_{batched}_s", "s", 1),
        ("peak_MB", "MB", 1),
    )
    return {label: (value, unit, n) for value, (label, unit, n) in zip(values, told, strict=True)}


def _version(program: str) -> str:
    try:
        return version(program)
    except PackageNotFoundError:
        return "not installed"
