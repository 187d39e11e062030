"""This file is the generation: fresh cells with their sets of sweeps, drawn as a network is to see them.

Theta walks slowly from sweep to sweep, in the space where its prior is the standard normal, as a stationary process:
at every sweep it is a draw from the prior, and what is asked for is its value at the latest one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.cell import BESIDE, CELL
from estimators.conditioning import weights
from estimators.context import CONTEXT
from estimators.designs import Designs, draw_set
from estimators.measuring import measure_all
from simulators.batch import record
from simulators.compiled import ENTRY
from simulators.electrode import KNOBS
from simulators.parameter import Parameter
from simulators.wide_cell import E_H, columns

__all__ = [
    "BESIDE",
    "CELL",
    "OFF",
    "Nuisances",
    "Rigs",
    "Sets",
    "Spoil",
    "features_of",
    "generate",
    "respond",
    "rigs",
    "simulate",
    "tables",
    "voltages",
    "walk",
]

OFF = (0.0, 0.0)
"""Range of a nuisance that is not there."""

Spoil = Callable[[npt.NDArray[np.float32], npt.NDArray[np.int64], dict[str, npt.NDArray[np.float64]]], None]
"""What goes wrong between a cell and its features."""


@dataclass(frozen=True)
class Nuisances:
    """Ranges of what is drawn and not asked for.

    The last five are off at (0, 0), as they are by default, and then draw no random number: what a spec without them
    makes stays what it was.

    Args:
        E_Na: Sodium reversal potential [mV].
        E_K: Potassium reversal potential [mV].
        corner: Corner of the amplifier's low-pass, log-uniform [kHz].
        white: White noise behind it, log-uniform [mV rms].
        hum: Amplitude of the mains hum [mV].
        drift: Standard deviation of a sweep's drift [mV/s].
        walk: Time in which theta forgets itself, log-uniform [s].
        series: Series resistance before compensation [MOhm]; drawn where there is a capacitance, for it shows by it.
        capacitance: Of the pipette, less what is neutralized [pF].
        flicker: 1/f noise between 1 Hz and 1 kHz [mV rms].
        junction: Junction potential that nobody has subtracted [mV].
        adc_range: Largest magnitude that the digitizer takes [mV].
        adc_step: From one of its codes to the next [mV].
    """

    E_Na: tuple[float, float] = (45.0, 70.0)
    E_K: tuple[float, float] = (-107.0, -80.0)
    corner: tuple[float, float] = (2.0, 10.0)
    white: tuple[float, float] = (0.02, 0.5)
    hum: tuple[float, float] = (0.0, 0.2)
    drift: float = 0.3
    walk: tuple[float, float] = (3e4, 3e7)
    series: tuple[float, float] = (5.0, 25.0)
    capacitance: tuple[float, float] = OFF
    flicker: tuple[float, float] = OFF
    junction: tuple[float, float] = OFF
    adc_range: tuple[float, float] = OFF
    adc_step: tuple[float, float] = OFF


@dataclass(frozen=True, eq=False)
class Sets:
    """Sets of sweeps of many cells, one row a sweep.

    Args:
        u: Theta at each sweep, unconstrained, shape (s, p), float32.
        features: Shape (s, f), float32, NaN where missing.
        context: Shape (s, c), float32.
        first: Row at which each cell starts, and the number of rows, shape (cells + 1,).
    """

    u: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first) - 1

    @staticmethod
    def join(parts: Sequence[Sets]) -> Sets:
        """Put several together, in order."""
        lengths = np.concatenate([np.diff(part.first) for part in parts])
        return Sets(
            np.concatenate([part.u for part in parts]),
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.context for part in parts]),
            np.concatenate([[0], np.cumsum(lengths)]),
        )


@dataclass(frozen=True, eq=False)
class Rigs:
    """What sweeps are made with beside theta and the command: drawn without a look at either.

    Args:
        electrodes: The knobs of `simulators.electrode`, one row a sweep, shape (s, k).
        reversals: E_Na, E_K, E_Ca and E_h [mV], shape (s, 4).
    """

    electrodes: npt.NDArray[np.float64]
    reversals: npt.NDArray[np.float64]

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> Rigs:
        return Rigs(self.electrodes[rows], self.reversals[rows])


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
        parameters: The twelve of `CELL`, then any of `BESIDE`, in that order.
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
        walks = [walk(table[:, CONTEXT.index("start")], len(parameters), nuisances, rng) for table in contexts]
        u = np.concatenate(walks)
        of_cell = np.repeat(np.arange(some), np.diff(first))
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(parameters)], axis=1)
        features = simulate(theta, context, nuisances, rng, of_cell, names)
        context[:, CONTEXT.index("holding")] *= context[:, CONTEXT.index("holding_known")]
        context[:, CONTEXT.index("excluded")] = np.isnan(features).all(axis=1)
        yield Sets(u.astype(np.float32), features.astype(np.float32), context.astype(np.float32), first)


def walk(
    start: npt.NDArray[np.float64], p: int, nuisances: Nuisances, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw theta at each sweep of a cell: a stationary process whose every value is standard normal.

    Args:
        start: Of each sweep, ascending, shape (sweeps,) [s].
        p: Parameters.
        nuisances: For the time in which theta forgets itself.
        rng: Source of randomness.

    Returns:
        Unconstrained theta, shape (sweeps, p).
    """
    u = np.empty((len(start), p))
    u[-1] = rng.standard_normal(p)
    forget = np.exp(rng.uniform(*np.log(nuisances.walk)))
    for k in range(len(start) - 2, -1, -1):
        keep = np.exp(-(start[k + 1] - start[k]) / forget)
        u[k] = keep * u[k + 1] + np.sqrt(1.0 - keep * keep) * rng.standard_normal(p)
    return u


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
        names: Of the parameters: `CELL`, then any of `BESIDE`, in that order.
        spoil: Called with the samples, shape (s, n) [mV], how many of its row each sweep has, and the context's
            columns, to change the samples before they are measured.

    Returns:
        Features, shape (s, f), NaN where missing.

    Raises:
        ValueError: If theta has another number of parameters than there are names.
    """
    return respond(theta, context, rigs(theta, nuisances, rng, of_cell), rng, names, spoil)


def rigs(
    theta: npt.NDArray[np.float64],
    nuisances: Nuisances,
    rng: np.random.Generator,
    of_cell: npt.NDArray[np.int64] | None = None,
) -> Rigs:
    """Draw what else each sweep is made with, before any current is chosen.

    Args:
        theta: As `simulate`.
        nuisances: As `simulate`.
        rng: Source of randomness.
        of_cell: As `simulate`.

    Returns:
        One row a sweep.
    """
    s = len(theta)
    of_cell = np.arange(s) if of_cell is None else of_cell
    cells = int(of_cell[-1]) + 1
    electrodes = np.zeros((s, len(KNOBS)))
    electrodes[:, 0] = theta[:, 10]
    electrodes[:, 1] = theta[:, 11]
    electrodes[:, 2] = _log_uniform(rng, nuisances.corner, cells)[of_cell]
    electrodes[:, 3] = _log_uniform(rng, nuisances.white, cells)[of_cell]
    electrodes[:, 4] = (rng.uniform(*nuisances.hum, cells)[of_cell] * rng.uniform(0.5, 1.0, s)) * (rng.random(s) < 0.8)
    electrodes[:, 5] = np.where(rng.random(cells) < 0.5, 50.0, 60.0)[of_cell]
    electrodes[:, 6] = rng.uniform(0.0, 2 * np.pi, s)
    electrodes[:, 7] = rng.normal(0.0, nuisances.drift, s)
    E_Na, E_K = rng.uniform(*nuisances.E_Na, cells)[of_cell], rng.uniform(*nuisances.E_K, cells)[of_cell]
    # No cell of the process has a calcium current.
    reversals = np.stack([E_Na, E_K, np.zeros(s), np.full(s, E_H)], axis=1)
    for name in ("series", "capacitance", "flicker", "junction", "adc_range", "adc_step"):
        low, high = getattr(nuisances, name)
        # Without a capacitance, nothing shows of the series resistance.
        if getattr(nuisances, "capacitance" if name == "series" else name) != OFF:
            electrodes[:, KNOBS.index(name)] = rng.uniform(low, high, cells)[of_cell]
    return Rigs(electrodes, reversals)


def respond(
    theta: npt.NDArray[np.float64],
    context: npt.NDArray[np.float64],
    rigs: Rigs,
    rng: np.random.Generator,
    names: Sequence[str] = CELL,
    spoil: Spoil | None = None,
) -> npt.NDArray[np.float64]:
    """Simulate sweeps whose rigs are drawn, and measure them.

    Args:
        theta: As `simulate`.
        context: As `simulate`.
        rigs: Of these sweeps.
        rng: Source of randomness, of the noise alone.
        names: As `simulate`.
        spoil: As `simulate`.

    Returns:
        Features, shape (s, f), NaN where missing.

    Raises:
        ValueError: As `simulate`.
    """
    samples, counts = voltages(theta, context, rigs, rng, names)
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
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record sweeps whose rigs are drawn: baseline, step and tail of each, as features are measured from them.

    Args:
        theta: As `simulate`.
        context: As `simulate`.
        rigs: Of these sweeps.
        rng: Source of randomness, of the noise alone.
        names: As `simulate`.

    Returns:
        Samples, shape (s, n) [mV], and how many of its row each sweep has, shape (s,); what lies behind is not set.

    Raises:
        ValueError: As `simulate`.
    """
    if theta.shape[1] != len(names):
        raise ValueError(f"Theta has {theta.shape[1]} parameters; {len(names)} were named: {', '.join(names)}.")
    column = {name: context[:, k] for k, name in enumerate(CONTEXT)}
    ends, levels, skip = _epochs(column)
    membranes, has = columns(theta, names)
    # What has nothing besides is left to the kernel that knows of nothing else.
    return record(membranes, rigs.reversals, rigs.electrodes, ends, levels, skip, column["rate"], rng, has or None)


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float], count: int) -> npt.NDArray[np.float64]:
    low, high = np.log(bounds)
    return np.exp(rng.uniform(low, high, count))


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


def tables(rate: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Tabulate the low-pass for a batch of sweeps.

    Args:
        rate: Sampling rate of each, shape (s,) [kHz].

    Returns:
        One table for each rate, padded to one width, shape (rates, 65, taps); and which is each sweep's, shape (s,).
    """
    rates, which = np.unique(rate, return_inverse=True)
    each = [weights(float(one)) for one in rates]
    widest = max(table.shape[1] for table in each)
    return np.stack([np.pad(t, ((0, 0), ((widest - t.shape[1]) // 2,) * 2)) for t in each]), which
