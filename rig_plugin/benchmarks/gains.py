"""This file is the benchmark of the gains: what each group of features tells of each parameter, from 1 sweep and 4.

One small network is trained with groups hidden at random and asked for every subset; for two groups it stands beside
networks that were trained without them from the start. It is no network that ships: what is told is how much a group
is worth beside the others, and the level of all is that of few cells and a small network.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import click
import numpy as np

from estimators.gains import Gains, mean_of
from estimators.panel import Panel
from estimators.probe import Probe, Score
from estimators.probing import Lesson, probe
from estimators.spec import Spec, spec_from
from rig_plugin.tasks.figure import Figure

__all__ = ["CHECKED", "EXPECTED", "measure", "shipped_spec"]

CHECKED = ("charging", "first_spike")
"""Groups for which networks are trained without them."""

EXPECTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"C": ("charging", "passive"), "V_T": ("first_spike", "firing"), "g_M": ("adaptation", "after")}
)
"""What an electrophysiologist expects: onset slope and tau/Rin, threshold and rheobase, adaptation and the AHP."""

_SIZES = (1, 4)
_FIRST = 3


def measure(
    peers: bool = True,
    simulations: int = 20_000,
    held_out: int = 4_000,
    epochs: int = 22,
    spec: Spec | None = None,
) -> dict[str, Any]:
    """Measure.

    Args:
        peers: There are none.
        simulations: Cells of four sweeps to learn from.
        held_out: Fresh cells.
        epochs: Passes over the cells.
        spec: What cells are drawn from; that of the network that ships where none is given.

    Returns:
        Figures of the check; matrices of what is lost without a group and gained by it alone, with standard errors,
            for sets of 1 and 4 sweeps; what was expected and whether it holds; and a sentence a parameter.
    """
    spec = shipped_spec() if spec is None else spec
    panel = Panel.draw(spec, simulations, max(_SIZES), np.random.default_rng([spec.seed, 21]))
    test = Panel.draw(spec, held_out, max(_SIZES), np.random.default_rng([spec.seed, 22]))
    asked = _trained(spec, panel, Lesson(epochs=epochs, groups=True), "with groups hidden at random")
    gains = {size: Gains.of(asked, test.latest(size), spec.names) for size in _SIZES}
    tables: dict[str, Any] = {"figures": _check(spec, panel, test, asked, epochs)}
    for size, found in gains.items():
        for what in ("lost", "alone"):
            tables[f"{what}_{size}"] = found.rows(what)
            tables[f"{what}_{size}_error"] = found.rows(what, errors=True)
        tables[f"expected_{size}"] = _expected(found)
        tables[f"known_by_{size}"] = [found.sentence(name) for name in spec.names]
    return tables


def shipped_spec() -> Spec:
    """Read the spec of the network that ships."""
    origin = files("estimators.pretrained") / "cortical-steps.toml"
    return spec_from(origin.read_text(encoding="utf-8"), str(origin))


def _trained(spec: Spec, panel: Panel, lesson: Lesson, what: str) -> Probe:
    begun = time.monotonic()
    network = probe(Probe.fresh(len(spec.parameters), lesson.seed), panel, lesson)
    click.echo(f"A network {what}: {time.monotonic() - begun:.0f} s", err=True)
    return network


def _check(spec: Spec, panel: Panel, test: Panel, asked: Probe, epochs: int) -> list[dict[str, Any]]:
    """Hold the network that hides groups beside ones that never did, and ones that never saw a group."""
    plain = _trained(spec, panel, Lesson(epochs=epochs), "that saw all groups always")
    without = {
        group: _trained(spec, panel, Lesson(epochs=epochs, without=group), f"without {group}") for group in CHECKED
    }
    rows = []
    for size in _SIZES:
        some = test.latest(size)
        hid, full = asked.score(some), plain.score(some)
        rows.append(_figure(f"log_q_{size}/hiding", hid))
        rows.append(_figure(f"log_q_{size}/always_shown", full))
        for group, network in without.items():
            never, hidden = network.score(some, [group]), asked.score(some, [group])
            for name, better, worse in (
                (f"lost_{size}/{group}/hidden", hid, hidden),
                (f"lost_{size}/{group}/trained_without", full, never),
                (f"trained_without_over_hidden_{size}/{group}", never, hidden),
            ):
                rows.append(_figure(name, Score(better.joint - worse.joint, better.marginal - worse.marginal)))
    return rows


def _figure(name: str, score: Score) -> dict[str, Any]:
    """Lay a mean over cells out, with its standard error beside."""
    mean, error = mean_of(score.table()[:, :1])
    return Figure(name, float(mean[0]), "nat", len(score.joint)).row() | {"error": float(error[0])}


def _expected(gains: Gains) -> list[dict[str, Any]]:
    """Tell whether the groups that are expected to constrain a parameter are among the first three that do."""
    rows = []
    for name, groups in EXPECTED.items():
        share = gains.share(name)
        lost, alone = (next(row for row in gains.rows(what) if row["parameter"] == name) for what in ("lost", "alone"))
        for group in groups:
            rows.append(
                {
                    "parameter": name,
                    "group": group,
                    "lost": lost[group],
                    "alone": alone[group],
                    "holds": group in list(share)[:_FIRST],
                    "first": ", ".join(list(share)[:_FIRST]),
                }
            )
    return rows
