"""This file is the benchmark of the traces: features that are learned from them, beside those written by hand.

Single sweeps; small networks that differ in nothing but what they read: the features, the trace, or both. Learning
from few and from many sweeps tells whether more would help; what a trace costs live is told too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor

from estimators.gains import JOINT, mean_of
from estimators.panel import Panel
from estimators.probe import Probe
from estimators.probing import Lesson, probe
from estimators.spec import Spec
from rig_plugin.benchmarks.gains import shipped_spec
from rig_plugin.tasks.figure import Figure

__all__ = ["READS", "measure"]

READS: Mapping[str, tuple[bool, bool]] = MappingProxyType(
    {"features": (True, False), "trace": (False, True), "both": (True, True)}
)
"""What a network reads: the features, the trace."""

_TURNS = 50


def measure(
    peers: bool = True,
    simulations: int = 27_000,
    held_out: int = 3_000,
    epochs: int = 8,
    spec: Spec | None = None,
) -> dict[str, Any]:
    """Measure.

    Args:
        peers: There are none.
        simulations: Sweeps to learn from; the shorter part of the learning curve takes a third of them.
        held_out: Fresh sweeps.
        epochs: Passes over the sweeps.
        spec: What cells are drawn from; that of the network that ships where none is given.

    Returns:
        Figures: log q of each, and what trace and both have over the features alone, for a third of the sweeps and
            for all, with standard errors; time for one sweep; and a table of the same by parameter.
    """
    spec = shipped_spec() if spec is None else spec
    panel = Panel.draw(spec, simulations, 1, np.random.default_rng([spec.seed, 41]), traces=True)
    test = Panel.draw(spec, held_out, 1, np.random.default_rng([spec.seed, 42]), traces=True)
    scores: dict[tuple[int, str], Tensor] = {}
    figures: list[dict[str, Any]] = []
    for count in (simulations // 3, simulations):
        for name, (features, traces) in READS.items():
            begun = time.monotonic()
            network = Probe.fresh(len(spec.parameters), 0, reads_features=features, reads_traces=traces)
            network = probe(network, panel[slice(0, count)], Lesson(epochs=epochs, sizes=(1,)))
            scores[count, name] = network.score(test).table()
            click.echo(f"{name}, {count} sweeps: {time.monotonic() - begun:.0f} s", err=True)
            if count == simulations:
                figures += _times(name, network, test)
    return {"figures": _figures(scores) + figures, "over_features": by_parameter(scores, spec.names)}


def _figures(scores: Mapping[tuple[int, str], Tensor]) -> list[dict[str, Any]]:
    rows = []
    for (count, name), table in scores.items():
        mean, error = mean_of(table[:, :1])
        rows.append(
            Figure(f"log_q_{count}/{name}", float(mean[0]), "nat", len(table)).row() | {"error": float(error[0])}
        )
    return rows


def by_parameter(scores: Mapping[tuple[int, str], Tensor], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Tell what a trace adds to each parameter.

    Args:
        scores: Joint and marginal log q, shape (b, 1 + p), by sweeps learned from and what was read.
        names: Of the parameters.

    Returns:
        One mapping for each number of sweeps, reading and parameter, the joint first: the mean over the features
            alone, sweep by sweep, and its standard error [nat].
    """
    rows: list[dict[str, Any]] = []
    for (count, name), table in scores.items():
        if name != "features":
            mean, error = mean_of(table - scores[count, "features"])
            rows += [
                {"sweeps": count, "reads": name, "parameter": parameter, "over": float(m), "error": float(e)}
                for parameter, m, e in zip((JOINT, *names), mean, error, strict=True)
            ]
    return rows


def _times(name: str, network: Probe, test: Panel) -> list[dict[str, Any]]:
    """Time the network for one sweep after the other [ms]."""
    times = []
    with torch.inference_mode():
        for k in range(min(_TURNS, len(test))):
            begun = time.perf_counter()
            network(test[slice(k, k + 1)])
            times.append(1e3 * (time.perf_counter() - begun))
    return [Figure(f"sweep_ms_p50/{name}", float(np.median(times)), "ms", len(times)).row()]
