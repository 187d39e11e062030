"""This file is the stomatogastric batch: many neurons or networks under one stimulus, sampled or watched.

A lane's numbers depend on its own inputs and seed only, never on its neighbours or the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit, prange

from simulators.compiled import ENTRY
from simulators.pyloric_rhythm import BEHIND, MEMORY, RESULTS, begin, finish, follow, summarize
from simulators.stg import (
    AREA,
    CA,
    CLAMP,
    COMMAND,
    CONDUCTANCES,
    DT,
    GATE,
    INJECTED,
    NETWORKS,
    PARTS,
    PLACE,
    ROWS,
    WIDTH,
    G,
    V,
    advance,
    scalars,
)
from simulators.stg_kinetics import CONDUCTANCE_Q10, HIGHEST, LOWEST, SLOTS, SPACING, SYNAPSE_Q10, speed, table
from simulators.traces import see

__all__ = ["Preparation", "record", "watch"]

_TILE = 128


@dataclass(frozen=True)
class Preparation:
    """Neurons or networks with what is done to them; a network's cells are AB/PD, LP, PY.

    Args:
        conductances: In each epoch, shape (b, e, cells, 8) [mS/cm2].
        synapses: In each epoch, shape (b, e, 7) [nS], or (b, e, 0) for neurons.
        ends: Time at which each epoch ends, shape (e,) [ms].
        levels: Command in each epoch, shape (e,) [pA or mV].
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`, or None to see the voltage itself.
        pipette: Conductance of the series resistance in voltage clamp, 0 in current clamp [nS].
        site: The cell that the electrode is in.
        voltages: Where cells start, shape (b, cells) [mV].
        calcium: What they start with, shape (b, cells) [uM].
        gates: What they start with, shape (b, cells, SLOTS).
        before: How long they run at the first level before anything is kept [ms].
        temperature: [K].
        noise: [uA/cm2 ms^0.5].
    """

    conductances: npt.NDArray[np.float64]
    synapses: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    levels: npt.NDArray[np.float64]
    electrodes: npt.NDArray[np.float64] | None
    pipette: float
    site: int
    voltages: npt.NDArray[np.float64]
    calcium: npt.NDArray[np.float64]
    gates: npt.NDArray[np.float64]
    before: float
    temperature: float
    noise: float


def record(preparation: Preparation, rate: float, count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Sample the responses of all cells.

    Args:
        preparation: What runs.
        rate: Sampling rate [kHz]; between steps the response is interpolated.
        count: Number of samples.
        rng: Source of the lanes' seeds.

    Returns:
        Shape (b, cells, count): voltage [mV], or current of the held cell [pA].
    """
    b, cells = preparation.voltages.shape
    seeds = rng.integers(1, 2**32 - 1, (b, cells), dtype=np.uint32)
    out = np.empty((b, cells, count), dtype=np.float32)
    electrodes = preparation.electrodes
    if electrodes is None:
        _run(preparation, seeds, rate, out)
        return out
    # Every step is kept until the electrode has seen it, and so few go at a time.
    some = 2 * WIDTH * get_num_threads()
    for first in range(0, b, some):
        part = slice(first, first + some)
        out[part] = _seen(preparation, part, electrodes[part], seeds[part], rate, count)
    return out


def _run(preparation: Preparation, seeds: npt.NDArray[np.uint32], rate: float, out: npt.NDArray[np.float32]) -> None:
    """Sample the voltages of all cells."""
    arguments = _lay_out(preparation, seeds)
    with ENTRY:
        _record(*arguments, 1.0 / (rate * DT), out)


def _seen(
    preparation: Preparation,
    part: slice,
    electrodes: npt.NDArray[np.float64],
    seeds: npt.NDArray[np.uint32],
    rate: float,
    count: int,
) -> npt.NDArray[np.float32]:
    """Sample all cells of some preparations, the one at the site through its electrode."""
    p = preparation
    those = {name: getattr(p, name)[part] for name in ("conductances", "synapses", "voltages", "calcium", "gates")}
    b, cells = those["voltages"].shape
    traces = np.empty((b, cells, round(p.ends[-1] / DT) + 1), dtype=np.float32)
    _run(replace(p, **those), seeds, 1 / DT, traces)
    out = np.empty((b, cells, count), dtype=np.float32)
    levels, nothing = np.tile(p.levels, (b, 1)), np.zeros_like(electrodes)
    for cell in range(cells):
        here = cell == p.site
        trace, knobs = np.ascontiguousarray(traces[:, cell]), electrodes if here else nothing
        held = here and p.pipette > 0.0
        out[:, cell] = see(trace, knobs, p.ends, levels, held, rate, count, DT, seeds[:, cell])
    return out


def watch(preparation: Preparation, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Measure the rhythm of networks while they run; no trace is kept.

    Args:
        preparation: Networks.
        rng: Source of the lanes' seeds.

    Returns:
        Shape (b, RESULTS), as `simulators.pyloric_rhythm.summarize` gives it.
    """
    out = np.empty((len(preparation.voltages), RESULTS))
    arguments = _lay_out(preparation, rng.integers(1, 2**32 - 1, preparation.voltages.shape, dtype=np.uint32))
    with ENTRY:
        _watch(*arguments, out)
    return out


def _lay_out(preparation: Preparation, seeds: npt.NDArray[np.uint32]) -> tuple[object, ...]:
    """Bring a preparation to what a block reads: the batch last, padded to whole blocks, in float32."""
    p = preparation
    b, cells = p.voltages.shape
    more = -b % (WIDTH // cells)
    rows, part = table(DT / PARTS, p.temperature)

    def last(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        padded = np.concatenate([values, np.repeat(values[-1:], more, axis=0)])
        return np.ascontiguousarray(np.moveaxis(padded, 0, -1), dtype=np.float32)

    steps = np.rint(p.ends / DT).astype(np.int64)
    return (
        last(p.conductances * speed(CONDUCTANCE_Q10, p.temperature)),
        last(p.synapses * (1e-6 / AREA * speed(SYNAPSE_Q10, p.temperature))),
        steps,
        p.levels.astype(np.float32),
        p.pipette,
        p.site,
        last(p.voltages),
        last(p.calcium),
        last(p.gates),
        np.ascontiguousarray(np.concatenate([seeds, np.repeat(seeds[-1:], more, axis=0)]).T),
        round(p.before / DT),
        rows,
        scalars(DT / PARTS, p.temperature, part, p.noise),
    )


@njit(error_model="numpy")
def _set_out(lanes, gates, random, block, voltages, calcium, start, seeds):
    """Put the cells of a block where they start."""
    cells = voltages.shape[0]
    units = WIDTH // cells
    for i in range(WIDTH):
        cell, unit = i // units, block * units + i % units
        lanes[V, i] = voltages[cell, unit]
        lanes[CA, i] = calcium[cell, unit]
        for k in range(SLOTS):
            gates[i, k] = start[cell, k, unit]
            lanes[GATE + k, i] = gates[i, k]
        lanes[PLACE, i] = min(max((lanes[V, i] - LOWEST) / SPACING, 0.0), (HIGHEST - LOWEST) / SPACING - 0.01)
        random[i] = seeds[cell, unit]


@njit(error_model="numpy")
def _enter(lanes, block, epoch, conductances, synapses, level, pipette, site, strengths):
    """Let a block enter an epoch: its conductances, synapses and command."""
    cells = conductances.shape[1]
    units = WIDTH // cells
    for i in range(WIDTH):
        cell, unit = i // units, block * units + i % units
        for k in range(CONDUCTANCES):
            lanes[G + k, i] = conductances[epoch, cell, k, unit]
        # nS and pA over the area in mS/cm2 and uA/cm2.
        here = np.float32(1e-6 / AREA) if cell == site else np.float32(0.0)
        lanes[INJECTED, i] = np.float32(0.0) if pipette > 0.0 else level * here
        lanes[CLAMP, i] = np.float32(pipette) * here
        lanes[COMMAND, i] = level
    for k in range(strengths.shape[0]):
        for unit in range(NETWORKS):
            strengths[k, unit] = synapses[epoch, k, block * NETWORKS + unit]


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _record(
    conductances, synapses, ends, levels, pipette, site, voltages, calcium, start, seeds, before, rows, shared, period,
    out,
):  # fmt: skip
    """Run each block, tile by tile, and sample it; time is 0 where the first sample is."""
    b, cells, count = out.shape
    units = WIDTH // cells
    for block in prange(conductances.shape[3] // units):
        lanes = np.zeros((ROWS, WIDTH), dtype=np.float32)
        gates = np.zeros((WIDTH, SLOTS), dtype=np.float32)
        lost = np.zeros((WIDTH, SLOTS), dtype=np.float32)
        random = np.empty(WIDTH, dtype=np.uint32)
        strengths = np.empty((synapses.shape[1], NETWORKS), dtype=np.float32)
        tile = np.zeros((_TILE + 1, WIDTH), dtype=np.float32)
        _set_out(lanes, gates, random, block, voltages, calcium, start, seeds)
        t, epoch, done = -before, -1, 0
        # A sample between the last two steps asks for the response behind the last.
        while t <= ends[-1]:
            if epoch < 0 or (t >= ends[epoch] and epoch < len(ends) - 1):
                epoch += 1
                _enter(lanes, block, epoch, conductances, synapses, levels[epoch], pipette, site, strengths)
            until = ends[epoch] if epoch < len(ends) - 1 else ends[-1] + 1
            steps = min(_TILE, until - t)
            advance(lanes, gates, lost, random, rows, shared, strengths, steps, tile[1:])
            t += steps
            while done < count and done * period <= t - 1:
                whole = int(done * period)
                way = np.float32(done * period - whole)
                row = whole - (t - steps) + 1
                for i in range(WIDTH):
                    unit = block * units + i % units
                    if unit < b:
                        value = tile[row, i]
                        if way > np.float32(0.0):
                            value += way * (tile[row + 1, i] - value)
                        out[unit, i // units, done] = value
                done += 1
            for i in range(WIDTH):
                tile[0, i] = tile[steps, i]


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _watch(
    conductances, synapses, ends, levels, pipette, site, voltages, calcium, start, seeds, before, rows, shared, out
):  # fmt: skip
    """Run each block of networks, tile by tile, and follow its bursts."""
    for block in prange(conductances.shape[3] // NETWORKS):
        lanes = np.zeros((ROWS, WIDTH), dtype=np.float32)
        gates = np.zeros((WIDTH, SLOTS), dtype=np.float32)
        lost = np.zeros((WIDTH, SLOTS), dtype=np.float32)
        random = np.empty(WIDTH, dtype=np.uint32)
        strengths = np.empty((synapses.shape[1], NETWORKS), dtype=np.float32)
        tile = np.zeros((BEHIND + _TILE, WIDTH), dtype=np.float32)
        memory = np.empty((WIDTH, MEMORY))
        bursts = begin(memory, ends[-1] * DT)
        _set_out(lanes, gates, random, block, voltages, calcium, start, seeds)
        t, epoch = -before, -1
        while t < ends[-1]:
            if epoch < 0 or (t >= ends[epoch] and epoch < len(ends) - 1):
                epoch += 1
                _enter(lanes, block, epoch, conductances, synapses, levels[epoch], pipette, site, strengths)
            steps = min(_TILE, ends[epoch] - t)
            if t < 0:
                steps = min(steps, -t)
            advance(lanes, gates, lost, random, rows, shared, strengths, steps, tile[BEHIND:])
            if t >= 0:
                follow(tile, steps, t, DT, memory, bursts)
            t += steps
            for k in range(BEHIND):
                tile[k] = tile[steps + k]
        finish(memory, bursts)
        for k in range(NETWORKS):
            if block * NETWORKS + k < len(out):
                summarize(memory[k::NETWORKS], bursts[k::NETWORKS], out[block * NETWORKS + k])
                if np.isnan(lanes[V, k::NETWORKS]).any():
                    out[block * NETWORKS + k] = np.nan
