"""This file is the generation: fresh cells with their sets of sweeps, drawn as a network is to see them.

Theta walks slowly from sweep to sweep, in the space where its prior is the standard normal, as a stationary process:
at every sweep it is a draw from the prior, and what is asked for is its value at the latest one. Where a spec wants
cells that change within minutes, this holds as well (`estimators.changes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from estimators.cell import CELL
from estimators.changes import changed
from estimators.conditioning import tables
from estimators.context import CONTEXT
from estimators.designs import Designs, draw_set
from estimators.measuring import measure_all
from estimators.nuisances import Nuisances, Rigs, rigs
from estimators.process import Sweeps, process_of
from estimators.sets import Sets
from simulators.compiled import ENTRY
from simulators.injected import Injected
from simulators.parameter import Parameter

__all__ = [
    "Spoil",
    "features_of",
    "generate",
    "respond",
    "simulate",
    "voltages",
    "walk",
]

Spoil = Callable[[npt.NDArray[np.float32], npt.NDArray[np.int64], dict[str, npt.NDArray[np.float64]]], None]
"""What goes wrong between a cell and its features."""


def generate(
    parameters: Sequence[Parameter],
    designs: Designs,
    nuisances: Nuisances,
    cells: int,
    rng: np.random.Generator,
    *,
    chunk: int = 150,
    sweeps: int | None = None,
    kind: str | None = None,
) -> Iterator[Sets]:
    """Draw cells, simulate their sets of sweeps and measure the features, in chunks of bounded memory.

    Args:
        parameters: Of a cell of one of `estimators.process.PROCESSES`, in its order.
        designs: Ranges of the designs.
        nuisances: Ranges of the nuisances.
        cells: How many cells.
        rng: Source of randomness; the same generator and chunk give the same numbers.
        chunk: Cells at a time.
        sweeps: Sweeps of each, or None to draw.
        kind: Of the designs, one of `estimators.designs.KINDS`, or None to draw.

    Yields:
        The sets of at most `chunk` cells.
    """
    names = [parameter.name for parameter in parameters]
    for begin in range(0, cells, chunk):
        some = min(chunk, cells - begin)
        contexts = [draw_set(designs, rng, sweeps, kind) for _ in range(some)]
        first = np.concatenate([[0], np.cumsum([len(table) for table in contexts])])
        context = np.concatenate(contexts)
        walks = [walk(table[:, CONTEXT.index("start")], len(names), nuisances, rng, names) for table in contexts]
        u = np.concatenate(walks)
        of_cell = np.repeat(np.arange(some), np.diff(first))
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(parameters)], axis=1)
        features = simulate(theta, context, nuisances, rng, of_cell, names)
        context[:, CONTEXT.index("holding")] *= context[:, CONTEXT.index("holding_known")]
        context[:, CONTEXT.index("excluded")] = np.isnan(features).all(axis=1)
        yield Sets(u.astype(np.float32), features.astype(np.float32), context.astype(np.float32), first)


def walk(
    start: npt.NDArray[np.float64],
    p: int,
    nuisances: Nuisances,
    rng: np.random.Generator,
    names: Sequence[str] = (),
) -> npt.NDArray[np.float64]:
    """Draw theta at each sweep of a cell: a stationary process whose every value is standard normal.

    Args:
        start: Of each sweep, ascending, shape (sweeps,) [s].
        p: Parameters.
        nuisances: For the time in which theta forgets itself, and what becomes of it within minutes.
        rng: Source of randomness.
        names: Of the parameters, by which those that change are known; of no meaning where none does.

    Returns:
        Unconstrained theta, shape (sweeps, p).

    Raises:
        ValueError: If parameters may change and are not named.
    """
    if nuisances.changes.are_there and len(names) != p:
        raise ValueError(f"Of {p} parameters that may change {len(names)} are named; name each.")
    u = np.empty((len(start), p))
    u[-1] = rng.standard_normal(p)
    forget = np.exp(rng.uniform(*np.log(nuisances.walk)))
    for k in range(len(start) - 2, -1, -1):
        keep = np.exp(-(start[k + 1] - start[k]) / forget)
        u[k] = keep * u[k + 1] + np.sqrt(1.0 - keep * keep) * rng.standard_normal(p)
    return changed(u, start, names, nuisances.changes, rng) if nuisances.changes.are_there else u


def simulate(
    theta: npt.NDArray[np.float64],
    context: npt.NDArray[np.float64],
    nuisances: Nuisances,
    rng: np.random.Generator,
    of_cell: npt.NDArray[np.int64] | None = None,
    names: Sequence[str] = CELL,
    spoil: Spoil | None = None,
) -> npt.NDArray[np.float64]:
    """Simulate one sweep for each row and measure it.

    Args:
        theta: Parameters, shape (s, p).
        context: Contexts, shape (s, c); the holding must be the true one.
        nuisances: Ranges of what else is drawn.
        rng: Source of randomness.
        of_cell: Which cell each row belongs to: rows of one cell share its nuisances; None: each its own.
        names: Of the parameters, by which the process is known, in its order.
        spoil: Called with the samples, shape (s, n) [mV], how many of its row each sweep has, and the context's
            columns, to change the samples before they are measured.

    Returns:
        Features, shape (s, f), NaN where missing.

    Raises:
        ProcessError: If the names are those of no process.
        ValueError: If theta has another number of parameters than there are names.
    """
    return respond(theta, context, rigs(theta, nuisances, rng, of_cell, names), rng, names, spoil)


def respond(
    theta: npt.NDArray[np.float64],
    context: npt.NDArray[np.float64],
    rigs: Rigs,
    rng: np.random.Generator,
    names: Sequence[str] = CELL,
    spoil: Spoil | None = None,
    injected: Injected | None = None,
) -> npt.NDArray[np.float64]:
    """Simulate sweeps whose rigs are drawn, and measure them.

    Args:
        theta: As `simulate`.
        context: As `simulate`.
        rigs: Of these sweeps.
        rng: Source of randomness, of the noise alone.
        names: As `simulate`.
        spoil: As `simulate`.
        injected: What a dynamic clamp adds from the start of each sweep, or None.

    Returns:
        Features, shape (s, f), NaN where missing.

    Raises:
        ValueError: As `simulate`.
    """
    samples, counts = voltages(theta, context, rigs, rng, names, injected)
    column = {name: context[:, k] for k, name in enumerate(CONTEXT)}
    if spoil is not None:
        spoil(samples, counts, column)
    return features_of(samples, counts, column)


def voltages(
    theta: npt.NDArray[np.float64],
    context: npt.NDArray[np.float64],
    rigs: Rigs,
    rng: np.random.Generator,
    names: Sequence[str] = CELL,
    injected: Injected | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record sweeps whose rigs are drawn: baseline, step and tail of each, as features are measured from them.

    Args:
        theta: As `simulate`.
        context: As `simulate`.
        rigs: Of these sweeps.
        rng: Source of randomness, of the noise alone.
        names: As `simulate`.
        injected: As `respond`.

    Returns:
        Samples, shape (s, n) [mV], and how many of its row each sweep has, shape (s,); what lies behind is not set.

    Raises:
        ValueError: As `simulate`.
    """
    if theta.shape[1] != len(names):
        raise ValueError(f"Theta has {theta.shape[1]} parameters; {len(names)} were named: {', '.join(names)}.")
    column = {name: context[:, k] for k, name in enumerate(CONTEXT)}
    ends, levels, skip = _epochs(column)
    sweeps = Sweeps(rigs.electrodes, ends, levels, skip, column["rate"], injected)
    return process_of(names).recorded(theta, names, rigs.bath, sweeps, rng)


def _epochs(
    column: dict[str, npt.NDArray[np.float64]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lay the epochs out: holding, what came before, baseline, step, tail; and what of it is not kept."""
    lead = np.where(column["history_duration"] > 0, 5.0, 0.0)
    lengths = np.stack(
        [
            lead,
            column["history_duration"],
            np.where(column["history_duration"] > 0, column["history_gap"], column["baseline"]),
            column["duration"],
            column["tail"],
        ],
        axis=1,
    )
    ends = np.cumsum(lengths, axis=1)
    holding = column["holding"]
    levels = np.stack(
        [holding, holding + column["history_level"], holding, holding + column["amplitude"], holding], axis=1
    )
    return ends, levels, ends[:, 2] - column["baseline"]


def features_of(
    samples: npt.NDArray[np.float32], counts: npt.NDArray[np.int64], column: dict[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """Measure a batch of sweeps.

    Args:
        samples: Shape (s, n) [mV].
        counts: Samples of each, shape (s,).
        column: The context's columns, each of shape (s,).

    Returns:
        Features, shape (s, f).
    """
    padded, which = tables(column["rate"])
    # A column of a table is not contiguous, and numba would compile everything a second time for it.
    full = {name: np.ascontiguousarray(values) for name, values in column.items()}
    with ENTRY:
        values = measure_all(
            samples,
            counts,
            full["rate"],
            padded,
            which,
            full["baseline"],
            full["duration"],
            full["tail"],
            full["amplitude"],
        )
    return np.asarray(values)
