"""This file is the batch: many cells under many stimuli at once, through an electrode, settled before they start.

A lane's numbers depend on its own inputs and seed only, never on its neighbours or the number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators.chain import KEPT, TILE, deal, keep, lead, plug_in, through
from simulators.compartments import CONSTANTS, STATES, constants
from simulators.compiled import ENTRY
from simulators.flicker import colours
from simulators.injected import Injected
from simulators.injector import begin_injector, injected_steps
from simulators.lanes import LANES
from simulators.membrane import integrate, resting
from simulators.pospischil import DT

__all__ = ["record"]

_SETTLE = round(200.0 / DT)
_SETTLE_FIRING = round(1000.0 / DT)


def record(
    cells: npt.NDArray[np.float64],
    reversals: npt.NDArray[np.float64],
    electrodes: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float64],
    skip: npt.NDArray[np.float64],
    rates: npt.NDArray[np.float64],
    rng: np.random.Generator,
    has: int | None = None,
    injected: Injected | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record sweeps of cells that rest at their first level before they start.

    Each starts at the fixed point of its holding current and runs there for 200 ms; a cell that fires during this
    runs for a second more. Compared with 5 s, silent cells rest within 0.1 mV.

    Args:
        cells: Parameters, shape (b, 10), in the order of `simulators.pospischil.constants`; of cells that have more,
            shape (b, 17), in that of `simulators.compartments.constants`.
        reversals: E_Na and E_K, shape (b, 2); of cells that have more, E_Ca and E_h too, shape (b, 4) [mV].
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`; knobs behind the k-th are off.
        ends: Time at which each epoch ends, shape (b, e), ascending; the last is the end of the sweep [ms].
        levels: Current of each epoch, shape (b, e) [pA].
        skip: Time from the start that is simulated and not recorded, shape (b,) [ms].
        rates: Sampling rates, shape (b,) [kHz].
        rng: Source of the lanes' seeds.
        has: What the cells have, the sum of flags of `simulators.beside`, or None for a plain one.
        injected: What a dynamic clamp adds, switched on when the sweep starts, what is skipped included; a cell rests
            without it before. None has none.

    Returns:
        Samples, shape (b, n) [mV], and how many of its row each sweep has, shape (b,); what lies behind is not set.
    """
    b = len(cells)
    # One for the membrane and one for the amplifier: how long the one ran must not shift the other.
    seeds, noises = rng.integers(1, 2**32 - 1, (b, 2), dtype=np.uint32).T
    finish = np.rint(ends / DT).astype(np.int32)
    begin = np.rint(skip / DT).astype(np.int32)
    counts = np.rint((ends[:, -1] - skip) * rates).astype(np.int64)
    padded, rows = deal(finish[:, -1])
    lags = np.zeros(b) if injected is None else injected.lags(electrodes, DT)
    device = None if injected is None else injected.device(DT, lags)
    out = np.empty((b, int(counts.max())), dtype=np.float32)
    arguments = (
        _filled(cells, 17)[padded],
        _filled(reversals, 4)[padded],
        *(part[padded] for part in lead(electrodes, 1 / DT, seeds, noises, skip)),
        finish[padded],
        levels.astype(np.float32)[padded],
        begin[padded],
        (1.0 / (rates * DT))[padded],
        counts[padded],
        lags[padded],
    )
    with ENTRY:
        state, row, random, fired = _settle(*arguments[:2], arguments[6][:, 0].copy(), seeds[padded], has)
        again = np.flatnonzero(fired)
        if again.size:
            lanes = np.concatenate([again, np.repeat(again[-1:], -again.size % LANES)])
            _run_on(state, row, random, arguments[6][:, 0].copy(), lanes, again.size, has)
        _record(state, row, random, colours(1 / DT), *arguments[2:], has, device, rows, out)
    return out, counts


def _filled(table: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Fill rows up with what is not there."""
    return np.pad(table.astype(np.float64), ((0, 0), (0, width - table.shape[1])))


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _settle(cells, reversals, holding, seeds, has):
    """Put every lane at its fixed point and let it run; tell which fired."""
    blocks = len(cells) // LANES
    state = np.zeros((blocks, STATES, LANES), dtype=np.float32)
    row = np.zeros((blocks, CONSTANTS, LANES), dtype=np.float32)
    random = seeds.copy().reshape(blocks, LANES)
    fired = np.zeros(len(cells), dtype=np.bool_)
    for block in prange(blocks):
        first = block * LANES
        for lane in range(LANES):
            k = first + lane
            constants(cells[k], reversals[k], 0.0, DT, row[block], lane)
            resting(row[block], lane, holding[k], state[block], has)
        ends = np.full((1, LANES), _SETTLE, dtype=np.int32)
        levels = holding[first : first + LANES].copy().reshape(1, LANES)
        tile = np.empty((TILE, LANES), dtype=np.float32)
        highest = np.full(LANES, -1000.0, dtype=np.float32)
        for start in range(0, _SETTLE, TILE):
            steps = min(TILE, _SETTLE - start)
            integrate(state[block], row[block], random[block], ends, levels, start, steps, tile, has)
            for t in range(steps):
                highest = np.maximum(highest, tile[t])
        fired[first : first + LANES] = highest > row[block, 13] + np.float32(30.0)
    return state, row, random, fired


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _run_on(state, row, random, holding, lanes, wanted, has):
    """Let the lanes that fire at rest run for another second."""
    for group in prange(len(lanes) // LANES):
        part_state = np.empty((STATES, LANES), dtype=np.float32)
        part_row = np.empty((CONSTANTS, LANES), dtype=np.float32)
        part_random = np.empty(LANES, dtype=np.uint32)
        levels = np.empty((1, LANES), dtype=np.float32)
        for i in range(LANES):
            block, lane = divmod(lanes[group * LANES + i], LANES)
            part_state[:, i] = state[block, :, lane]
            part_row[:, i] = row[block, :, lane]
            part_random[i] = random[block, lane]
            levels[0, i] = holding[lanes[group * LANES + i]]
        ends = np.full((1, LANES), _SETTLE_FIRING, dtype=np.int32)
        nothing = np.empty((0, LANES), dtype=np.float32)
        # The casts keep numba from compiling it anew for every literal.
        integrate(part_state, part_row, part_random, ends, levels, np.int64(0), np.int64(_SETTLE_FIRING), nothing, has)
        for i in range(LANES):
            if group * LANES + i < wanted:
                block, lane = divmod(lanes[group * LANES + i], LANES)
                state[block, :, lane] = part_state[:, i]
                random[block, lane] = part_random[i]


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _record(
    state, row, random, table, electrodes, coefficients, noises, ends, levels, begin, period, counts, lags, has, device,
    rows, out,
):  # fmt: skip
    """Run each block through its epochs and its electrodes, and read its lanes out, tile by tile in the cache."""
    for block in prange(len(ends) // LANES):
        first = block * LANES
        part = slice(first, first + LANES)
        finish, level, knobs = ends[part].T.copy(), levels[part].T.copy(), electrodes[part].T.copy()
        taps, noise = coefficients[part].T.copy(), noises[part].T.copy()
        memory = np.empty((KEPT, LANES), dtype=np.float32)
        tile = np.empty((TILE + 1, LANES), dtype=np.float32)
        done = np.zeros(LANES, dtype=np.int64)
        last = finish[-1].max()
        tile[0] = state[block, 0] + row[block, 13]
        if device is not None:
            extra = np.empty((TILE, LANES), dtype=np.float32)
            clamp = begin_injector(tile[0], level[0], knobs, lags[part], device)
        plug_in(tile[0], level[0], False, knobs, table, taps, memory, noise)
        for start in range(0, last, TILE):
            steps = min(TILE, last - start)
            if device is None:
                integrate(state[block], row[block], random[block], finish, level, start, steps, tile[1:], has)
            else:
                injected_steps(
                    state[block], row[block], random[block], finish, level, start, steps, tile[1:], has, device, clamp,
                    knobs, extra,
                )  # fmt: skip
                tile[1 : 1 + steps] += extra[:steps]
            through(tile, start, steps, DT, finish, level, False, knobs, table, taps, memory, noise)
            keep(tile, start, steps, begin[part], period[part], counts[part], knobs, rows[part], done, out)
