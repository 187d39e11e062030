"""This file is the benchmark of the gains: what each group of features tells of each parameter, from 1 sweep and 4.

What is lost without a group is told by networks that were trained without it from the start, each as long as the one
that sees all. One network from which groups are hidden at random would answer for every subset at once, but it learns
the hard ones too slowly and exaggerates what is lost; it serves for a group alone, where it gives less than there is,
and how far it is from networks of their own is told for two groups. These are small networks that saw few cells, none
of them one that ships: what is told is how much a group is worth beside the others, and the level of all is theirs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import click
import numpy as np
from torch import Tensor

from estimators.gains import Gains, mean_of
from estimators.groups import GROUPS
from estimators.panel import Panel
from estimators.probe import Probe
from estimators.probing import Lesson, probe
from estimators.spec import Spec, spec_from
from rig_plugin.tasks.figure import Figure

__all__ = ["CHECKED", "EXPECTED", "measure", "shipped_spec"]

CHECKED = ("charging", "first_spike")
"""Groups for which the network that hides is held beside networks of their own."""

EXPECTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"C": ("charging", "passive"), "V_T": ("first_spike", "firing"), "g_M": ("adaptation", "after")}
)
"""What an electrophysiologist expects: onset slope and tau/Rin, threshold and rheobase, adaptation and the AHP."""

_SIZES = (1, 4)
_FIRST = 3


def measure(
    peers: bool = True,
    simulations: int = 10_000,
    held_out: int = 4_000,
    epochs: int = 16,
    spec: Spec | None = None,
) -> dict[str, Any]:
    """Measure.

    Args:
        peers: There are none.
        simulations: Cells of four sweeps to learn from.
        held_out: Fresh cells.
        epochs: Passes over the cells; the network from which groups are hidden takes twice as many.
        spec: What cells are drawn from; that of the network that ships where none is given.

    Returns:
        Figures of the check; matrices of what is lost without a group and gained by it alone, with standard errors,
            for sets of 1 and 4 sweeps; what was expected and whether it holds; and a sentence a parameter.
    """
    spec = shipped_spec() if spec is None else spec
    panel = Panel.draw(spec, simulations, max(_SIZES), np.random.default_rng([spec.seed, 21]))
    test = Panel.draw(spec, held_out, max(_SIZES), np.random.default_rng([spec.seed, 22]))
    scores = {
        name: _score(spec, panel, test, lesson, name)
        for name, lesson in [
            ("all", Lesson(epochs=epochs)),
            ("all_again", Lesson(epochs=epochs, seed=1)),
            *((f"without_{group}", Lesson(epochs=epochs, hidden=(group,))) for group in GROUPS),
            *((f"only_{group}", Lesson(epochs=epochs, hidden=_others(group))) for group in CHECKED),
        ]
    }
    asked = _trained(spec, panel, Lesson(epochs=2 * epochs, groups=True), "hiding groups at random")
    return tell(spec.names, test, scores, asked)


def tell(names: Sequence[str], test: Panel, scores: Mapping[str, Mapping[int, Tensor]], asked: Probe) -> dict[str, Any]:
    """Lay out what the networks know.

    Args:
        names: Of the parameters.
        test: Cells that none was trained on.
        scores: Joint and marginal log q of each network, by its name and the number of sweeps.
        asked: The one from which groups were hidden.

    Returns:
        As `measure`.
    """
    tables: dict[str, Any] = {"figures": _check(test, scores, asked)}
    for size in _SIZES:
        some = test.latest(size)
        only = {group: asked.score(some, list(_others(group))).table() for group in GROUPS}
        without = {group: scores[f"without_{group}"][size] for group in GROUPS}
        found = Gains.of(some.u, scores["all"][size], without, only, names)
        for what in ("lost", "alone"):
            tables[f"{what}_{size}"] = found.rows(what)
            tables[f"{what}_{size}_error"] = found.rows(what, errors=True)
        tables[f"expected_{size}"] = _expected(found)
        tables[f"known_by_{size}"] = [found.sentence(name) for name in names]
    return tables


def shipped_spec() -> Spec:
    """Read the spec of the network that ships."""
    origin = files("estimators.pretrained") / "cortical-steps.toml"
    return spec_from(origin.read_text(encoding="utf-8"), str(origin))


def _others(group: str) -> tuple[str, ...]:
    return tuple(name for name in GROUPS if name != group)


def _trained(spec: Spec, panel: Panel, lesson: Lesson, what: str) -> Probe:
    begun = time.monotonic()
    network = probe(Probe.fresh(len(spec.parameters), lesson.seed), panel, lesson)
    click.echo(f"The network {what}: {time.monotonic() - begun:.0f} s", err=True)
    return network


def _score(spec: Spec, panel: Panel, test: Panel, lesson: Lesson, what: str) -> dict[int, Tensor]:
    network = _trained(spec, panel, lesson, what)
    return {size: network.score(test.latest(size), list(lesson.hidden)).table() for size in _SIZES}


def _check(test: Panel, scores: Mapping[str, Mapping[int, Tensor]], asked: Probe) -> list[dict[str, Any]]:
    """Tell how much networks of their own know more than the one that hides, and what another seed makes."""
    rows = []
    for size in _SIZES:
        some = test.latest(size)
        full = scores["all"][size]
        hid = asked.score(some).table()
        rows.append(_figure(f"log_q_{size}/all", full))
        rows.append(_figure(f"another_seed_{size}/all", scores["all_again"][size] - full))
        rows.append(_figure(f"over_hiding_{size}/all", full - hid))
        for group in CHECKED:
            without = asked.score(some, [group]).table()
            only = asked.score(some, list(_others(group))).table()
            rows.append(_figure(f"lost_{size}/{group}", full - scores[f"without_{group}"][size]))
            rows.append(_figure(f"lost_{size}/{group}/by_hiding", hid - without))
            rows.append(_figure(f"over_hiding_{size}/without_{group}", scores[f"without_{group}"][size] - without))
            rows.append(_figure(f"over_hiding_{size}/only_{group}", scores[f"only_{group}"][size] - only))
    return rows


def _figure(name: str, table: Tensor) -> dict[str, Any]:
    """Lay the joint's mean over cells out, with its standard error beside."""
    mean, error = mean_of(table[:, :1])
    return Figure(name, float(mean[0]), "nat", len(table)).row() | {"error": float(error[0])}


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
