"""This file is the spec: what a network is to be pretrained for, as a small commented TOML file."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from estimators.cell import halved
from estimators.changes import Changes
from estimators.designs import Designs
from estimators.nuisances import OFF, Nuisances
from estimators.outlook import Outlook
from estimators.process import CORTICAL, PROCESSES, Process, process_of
from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["Adaptation", "Schooling", "Spec", "SpecError", "Training", "blind", "read_spec", "spec_from"]

_BOUNDS = {
    "scale": (1.0, 20_000.0),
    "duration": (20.0, 10_000.0),
    "baseline": (50.0, 250.0),
    "tail": (5.0, 300.0),
    "interval": (0.01, 3600.0),
    "sweeps": (1, 40),
    "holding": (0.0, 1.0),
    "prepulse": (0.0, 1.0),
    "share": (0.01, 0.9),
    "E_Na": (0.0, 150.0),
    "E_K": (-150.0, 0.0),
    "corner": (1.0, 16.0),
    "white": (1e-4, 10.0),
    "hum": (0.0, 10.0),
    "drift": (0.0, 10.0),
    "walk": (1.0, 1e12),
    "series": (0.1, 200.0),
    "capacitance": (0.0, 50.0),
    "flicker": (0.0, 10.0),
    "junction": (-50.0, 50.0),
    "adc_range": (50.0, 10_000.0),
    "adc_step": (0.0, 10.0),
    "E_Ca": (0.0, 250.0),
    "temperature": (0.0, 45.0),
    "membrane_noise": (1e-3, 100.0),
    "learning_rate": (1e-7, 0.1),
    "weight_decay": (0.0, 1.0),
    "cells": (180, 100_000_000),
    "held_out": (20, 1_000_000),
    "rundown": (0.0, 1.0),
    "wash": (0.0, 1.0),
    "jump": (0.0, 1.0),
    "lasting": (1.0, 1e5),
    "size": (1e-3, 2.0),
    "members": (2, 16),
    "windows": (1, 4),
}

T = TypeVar("T", Designs, Nuisances, Changes, "Training", "Schooling", "Adaptation", Outlook)
N = TypeVar("N", "Training", "Adaptation")


class SpecError(Refusal):
    """A pretraining spec can't be used; the message names the file, the key and what was wanted."""


@dataclass(frozen=True)
class Training:
    """How the network is made.

    Args:
        cells: Cells to simulate.
        held_out: Cells kept for choosing the epoch, and for fitting the last layer again.
        checked: Fresh cells that its calibration is measured on.
        epochs: Passes over the cells.
        batch: Cells in a step.
        learning_rate: Largest step size; it warms up and falls to nothing along a cosine.
        weight_decay: Pull of the weights to zero.
        width: Width of the encoder.
        layers: Attention layers among the sweeps of a set.
        transforms: Coupling layers of the flow.
        hidden: Width of the flow's networks.
        bins: Bins of its splines.
        windows: Means that the encoder takes of the latest 3, 6, 12 sweeps and so on, for cells that change.
        network: An earlier network with whose weights it begins, by its name or its path from the spec's folder; it
            begins anew where this is empty.
    """

    cells: int = 100_000
    held_out: int = 2_000
    checked: int = 5_000
    epochs: int = 60
    batch: int = 512
    learning_rate: float = 1.0e-3
    weight_decay: float = 1.0e-4
    width: int = 160
    layers: int = 1
    transforms: int = 4
    hidden: int = 96
    bins: int = 8
    windows: int = 0
    network: str = ""


@dataclass(frozen=True)
class Schooling:
    """How the likelihood is made, and beside it the prior predictive.

    Args:
        rows: Sweeps in an epoch, of those there are.
        epochs: How often so many are taken.
        batch: Sweeps in a step.
        learning_rate: Largest step size; it warms up and falls to nothing along a cosine.
        width: Width of the layers that look at theta and the design.
        layers: How many.
        hidden: Width of the layer that sums up the features so far.
        components: Logistic distributions that the density of a feature is made of.
    """

    rows: int = 500_000
    epochs: int = 7
    batch: int = 1024
    learning_rate: float = 2.0e-3
    width: int = 128
    layers: int = 3
    hidden: int = 80
    components: int = 3


@dataclass(frozen=True)
class Adaptation:
    """Whose choice of steps some of the cells follow.

    Args:
        network: An earlier network of the same process, by its name or its path from the spec's folder; none where
            this is empty.
        share: Of the cells, held-out ones included.
        sweeps: Fewest and most of such a cell, their logarithm uniform.
    """

    network: str = ""
    share: float = 0.2
    sweeps: tuple[int, int] = (3, 20)

    def of(self, cells: int) -> int:
        """Tell how many of some cells that are."""
        return round(self.share * cells) if self.network else 0


@dataclass(frozen=True)
class Spec:
    """A network to be made.

    Args:
        name: Its name.
        seed: Of everything that is random.
        parameters: Those of its process, with their priors: what every spec of it has, then what comes besides.
        designs: Ranges of the stimuli.
        nuisances: Ranges of what is marginalized.
        training: How it is made.
        likelihood: How its likelihood is made.
        text: The file as it was read; kept in the checkpoint.
        adaptive: Whose choice of steps some of its cells follow.
        prospect: How it is learned what a sweep would teach.
    """

    name: str
    seed: int
    parameters: tuple[Parameter, ...]
    designs: Designs = field(default_factory=Designs)
    nuisances: Nuisances = field(default_factory=Nuisances)
    training: Training = field(default_factory=Training)
    likelihood: Schooling = field(default_factory=Schooling)
    text: str = ""
    adaptive: Adaptation = field(default_factory=Adaptation)
    prospect: Outlook = field(default_factory=Outlook)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def process(self) -> Process:
        """Whose cells it is about, as its parameters tell."""
        return process_of(self.names)


def blind(spec: Spec) -> tuple[int, int]:
    """Count the cells whose steps nobody chooses.

    Args:
        spec: What is to be made.

    Returns:
        Those to learn from, and those that are held out.
    """
    cells, held_out = spec.training.cells, spec.training.held_out
    return cells - spec.adaptive.of(cells), held_out - spec.adaptive.of(held_out)


def read_spec(path: str | Path) -> Spec:
    """Read a spec from its file.

    Args:
        path: A TOML file.

    Returns:
        The spec.

    Raises:
        SpecError: If the file is missing, is not TOML, or has an unknown key or an unusable value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} can't be read ({error}); give the path of a pretraining spec (TOML).") from error
    return spec_from(text, str(path))


def spec_from(text: str, origin: str) -> Spec:
    """Read a spec from its text.

    Args:
        text: TOML.
        origin: What errors call it.

    Returns:
        The spec.

    Raises:
        SpecError: As `read_spec`.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin} is not TOML ({error}); mend that line.") from error
    known = {"name", "model", "seed", "prior", "designs", "nuisances", "training", "likelihood", "adaptive", "prospect"}
    _only(table, known, origin, "")
    name, seed = table.get("name"), table.get("seed")
    if not isinstance(name, str) or not name:
        raise SpecError(f"{origin}: name is {name!r}, a word was wanted.")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise SpecError(f"{origin}: seed is {seed!r}, an integer from 0 was wanted.")
    model = table.get("model", CORTICAL.name)
    if not isinstance(model, str) or model not in PROCESSES:
        raise SpecError(f"{origin}: model is {model!r}, {' or '.join(map(repr, PROCESSES))} was wanted.")
    process = PROCESSES[model]
    return Spec(
        name,
        seed,
        _prior(process, _table(table, "prior", origin), origin),
        _section(Designs, _table(table, "designs", origin), origin, "designs"),
        _nuisances(process, _table(table, "nuisances", origin), origin),
        _naming(Training, table, origin, "training"),
        _section(Schooling, _table(table, "likelihood", origin), origin, "likelihood"),
        text,
        _naming(Adaptation, table, origin, "adaptive") if "adaptive" in table else Adaptation(),
        _section(Outlook, _table(table, "prospect", origin), origin, "prospect"),
    )


def _table(table: dict[str, Any], key: str, origin: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise SpecError(f"{origin}: {key} is {value!r}, a table [{key}] was wanted.")
    return value


def _only(table: dict[str, Any], known: set[str], origin: str, where: str) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"{origin}: the key {where}{key} is unknown; known are {', '.join(sorted(known))}.")


def _prior(process: Process, table: dict[str, Any], origin: str) -> tuple[Parameter, ...]:
    """Read the prior: every parameter of the process and any of those besides, each with unit, bounds and scale."""
    _only(table, set(process.within), origin, "prior.")
    missing = [name for name in process.names if name not in table]
    if missing:
        raise SpecError(f"{origin}: prior.{missing[0]} is missing; give its unit, low, high and scale.")
    half = halved(list(table))
    if half is not None:
        raise SpecError(f"{origin}: prior.{half[0]} is half a dendrite; give prior.{half[1]} too, or neither.")
    return tuple(_parameter(within, table, origin) for name, within in process.within.items() if name in table)


def _parameter(within: Parameter, table: dict[str, Any], origin: str) -> Parameter:
    """Read one parameter of the prior, in its unit and no other, inside its widest bounds."""
    entry, where = _table(table, within.name, origin), f"{origin}: prior.{within.name} can't be used: "
    _only(entry, {"unit", "low", "high", "scale", "meaning"}, origin, f"prior.{within.name}.")
    if entry.get("unit") != within.unit:
        raise SpecError(f"{where}its unit is {entry.get('unit')!r}, {within.unit!r} was wanted.")
    try:
        given = Parameter(within.name, **entry)
    except (TypeError, ValueError) as error:
        raise SpecError(f"{where}{error}") from error
    if not within.low <= given.low < given.high <= within.high:
        raise SpecError(
            f"{where}it lies between {given.low:g} and {given.high:g}, bounds from {within.low:g} to {within.high:g} "
            f"(unit {within.unit}) were wanted."
        )
    return given


def _nuisances(process: Process, table: dict[str, Any], origin: str) -> Nuisances:
    """Read the nuisances; what surrounds other cells than these is refused, for it would change nothing."""
    foreign = [name for name in table if name not in process.bath and any(name in p.bath for p in PROCESSES.values())]
    if foreign:
        raise SpecError(
            f"{origin}: nuisances.{foreign[0]} is nothing that the model '{process.name}' has; leave it out."
        )
    within = _table(table, "changes", f"{origin}: nuisances")
    changes = _section(Changes, within, origin, "nuisances.changes")
    rest = {key: value for key, value in table.items() if key != "changes"}
    return replace(_section(Nuisances, rest, origin, "nuisances"), changes=changes)


def _naming(kind: type[N], table: dict[str, Any], origin: str, where: str) -> N:
    """Read a section that names a network; that it is there is seen when it is asked."""
    entry = dict(_table(table, where, origin))
    network = entry.pop("network", "")
    if not isinstance(network, str) or (kind is Adaptation and not network):
        raise SpecError(f"{origin}: {where}.network is {network!r}, the name or the path of a network was wanted.")
    return replace(_section(kind, entry, origin, where), network=network)


def _section(kind: type[T], table: dict[str, Any], origin: str, where: str) -> T:
    """Fill a section from its table, each value of the kind and order that its default has."""
    defaults = kind()
    _only(table, {entry.name for entry in fields(kind)}, origin, f"{where}.")
    values: dict[str, Any] = {}
    for key, value in table.items():
        default = getattr(defaults, key)
        values[key] = _pair(value, f"{origin}: {where}.{key}") if isinstance(default, tuple) else value
        low, high = _BOUNDS.get(key, (-math.inf, math.inf))
        # What is off by default may be switched off in so many words, whatever its bounds.
        if default == OFF and values[key] == OFF:
            continue
        if isinstance(default, tuple) and not all(low <= v <= high and math.isfinite(v) for v in values[key]):
            raise SpecError(f"{origin}: {where}.{key} is {value!r}, numbers from {low:g} to {high:g} were wanted.")
        if isinstance(default, tuple) and isinstance(default[0], int) and not all(isinstance(v, int) for v in value):
            raise SpecError(f"{origin}: {where}.{key} is {value!r}, two integers were wanted.")
        if not isinstance(default, tuple) and (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or (isinstance(default, int) and not isinstance(value, int))
            or not math.isfinite(value)
            or not max(low, 0) <= value <= high
            or (value == 0 and isinstance(default, int))
        ):
            whole = f"an integer from {low:g} to {high:g}" if math.isfinite(high) else "a positive integer"
            wanted = whole if isinstance(default, int) else f"a number from {max(low, 0):g} to {high:g}"
            raise SpecError(f"{origin}: {where}.{key} is {value!r}, {wanted} was wanted.")
    return kind(**values)


def _pair(value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401 - a value of a file may be anything
    numbers = isinstance(value, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    if not numbers or len(value) != 2 or not value[0] <= value[1]:
        raise SpecError(f"{where} is {value!r}, a pair [low, high] was wanted.")
    return tuple(value)
