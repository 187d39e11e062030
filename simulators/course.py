"""This file is the course: sweeps of cells whose conductances change from epoch to epoch, in either clamp.

Where nothing changes and the current is clamped, cells without extra channels give the numbers of `simulators.batch`
bit for bit: the kernels are the same, and are told of a change at the borders of epochs only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators import compartments
from simulators.chain import KEPT, TILE, keep, lead, pad, plug_in, through
from simulators.compiled import ENTRY
from simulators.flicker import colours
from simulators.lanes import LANES, enter
from simulators.membrane import integrate, resting
from simulators.pospischil import DT

__all__ = ["Course", "follow"]

_SETTLE = round(200.0 / DT)
_SETTLE_FIRING = round(1000.0 / DT)


@dataclass(frozen=True, eq=False)
class Course:
    """Cells and what is done to them, one row a sweep.

    Args:
        cells: Parameters in each epoch, shape (b, e, 17), in the order of `simulators.compartments.constants`.
        reversals: E_Na, E_K, E_Ca, E_h, shape (b, 4) [mV].
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`; knobs behind the k-th are off.
        ends: Time at which each epoch ends, shape (b, e), ascending; the last is the end of the sweep [ms].
        levels: Command of each epoch, shape (b, e) [pA or mV].
        clamped: Whether the command is a voltage; the electrodes' series resistance then lies before the membrane.
        has: What the cells have, of `simulators.beside`, or None for a plain cell.
    """

    cells: npt.NDArray[np.float64]
    reversals: npt.NDArray[np.float64]
    electrodes: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    levels: npt.NDArray[np.float64]
    clamped: bool
    has: int | None


def follow(course: Course, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Record sweeps of cells that rest at their first level, with its doses, before they start.

    Each starts at its fixed point and runs there for 200 ms; a cell that fires during this runs for a second more.

    Args:
        course: b sweeps of equal length.
        rate: Sampling rate [kHz].
        rng: Source of the lanes' seeds.

    Returns:
        Samples, shape (b, n): voltage [mV], or in voltage clamp the current through the electrode [pA].
    """
    b = len(course.cells)
    seeds, noises = rng.integers(1, 2**32 - 1, (b, 2), dtype=np.uint32).T
    lanes, rows = pad(b)
    finish = np.rint(course.ends / DT).astype(np.int32)
    clamp, drives = np.zeros(b), course.levels
    if course.clamped:
        # A clamp is a leak towards the command; its current is counted from V_T, as the voltages are.
        clamp = 1000.0 / course.electrodes[:, 8]
        drives = (course.levels - course.cells[:, :, 6]) * clamp[:, None]
    out = np.empty((b, round(float(course.ends[0, -1]) * rate)), dtype=np.float32)
    with ENTRY:
        _follow(
            course.cells.astype(np.float64)[lanes],
            course.reversals.astype(np.float64)[lanes],
            clamp[lanes],
            *(part[lanes] for part in lead(course.electrodes, 1 / DT, seeds, noises)),
            colours(1 / DT),
            finish[lanes],
            course.levels.astype(np.float32)[lanes],
            drives.astype(np.float32)[lanes],
            course.clamped,
            seeds[lanes],
            1.0 / (rate * DT),
            course.has,
            rows,
            out,
        )
    return out


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _follow(
    cells, reversals, clamp, electrodes, coefficients, noises, table, ends, levels, drives, clamped, seeds, period, has,
    rows, out,
):  # fmt: skip
    """Run each block to its rest, then through its epochs and its electrodes, and read its lanes out."""
    for block in prange(len(ends) // LANES):
        part = slice(block * LANES, (block + 1) * LANES)
        state = np.zeros((compartments.STATES, LANES), dtype=np.float32)
        row = np.zeros((compartments.CONSTANTS, LANES), dtype=np.float32)
        random, noise = seeds[part].copy(), noises[part].T.copy()
        finish, level, drive = ends[part].T.copy(), levels[part].T.copy(), drives[part].T.copy()
        knobs, taps = electrodes[part].T.copy(), coefficients[part].T.copy()
        epoch = np.zeros(LANES, dtype=np.int32)
        _refill(cells[part], reversals[part], clamp[part], epoch, row)
        _settle(state, row, random, drive[0], has)
        memory = np.empty((KEPT, LANES), dtype=np.float32)
        tile = np.empty((TILE + 1, LANES), dtype=np.float32)
        starts, periods = np.zeros(LANES, dtype=np.int32), np.full(LANES, period)
        counts, done = np.full(LANES, out.shape[1]), np.zeros(LANES, dtype=np.int64)
        last = finish[-1].max()
        tile[0] = state[0] + row[13]
        plug_in(tile[0], level[0], clamped, knobs, table, taps, memory, noise)
        for start in range(0, last, TILE):
            steps = min(TILE, last - start)
            _stretch(
                state, row, random, cells[part], reversals[part], clamp[part], finish, drive, epoch, start, steps, tile,
                has,
            )  # fmt: skip
            through(tile, start, steps, DT, finish, level, clamped, knobs, table, taps, memory, noise)
            keep(tile, start, steps, starts, periods, counts, knobs, rows[part], done, out)


@njit(error_model="numpy")
def _refill(cells, reversals, clamp, epoch, row):
    """Fill the constants of all lanes for the epochs that they are in."""
    for lane in range(LANES):
        compartments.constants(cells[lane, epoch[lane]], reversals[lane], clamp[lane], DT, row, lane)


@njit(error_model="numpy")
def _settle(state, row, random, holding, has):
    """Put the lanes of a block at their fixed points and let them run; those that fire, for a second more."""
    for lane in range(LANES):
        resting(row, lane, holding[lane], state, has)
    ends = np.full((1, LANES), _SETTLE_FIRING, dtype=np.int32)
    levels = holding.copy().reshape(1, LANES)
    trace = np.empty((_SETTLE, LANES), dtype=np.float32)
    # The casts keep numba from compiling it anew for every literal.
    integrate(state, row, random, ends, levels, np.int64(0), np.int64(_SETTLE), trace, has)
    highest = np.full(LANES, -1000.0, dtype=np.float32)
    for t in range(_SETTLE):
        highest = np.maximum(highest, trace[t])
    fired = highest > row[13] + np.float32(30.0)
    if fired.any():
        later, seeds = state.copy(), random.copy()
        nothing = np.empty((0, LANES), dtype=np.float32)
        integrate(later, row, seeds, ends, levels, np.int64(0), np.int64(_SETTLE_FIRING), nothing, has)
        for lane in range(LANES):
            if fired[lane]:
                state[:, lane] = later[:, lane]
                random[lane] = seeds[lane]


@njit(error_model="numpy")
def _stretch(state, row, random, cells, reversals, clamp, ends, levels, epoch, start, steps, tile, has):
    """Integrate a tile, from one change of a lane's epoch to the next."""
    done = 0
    while done < steps:
        change = enter(epoch, ends, start + done)
        _refill(cells, reversals, clamp, epoch, row)
        upto = min(steps, change - start)
        integrate(state, row, random, ends, levels, start + done, upto - done, tile[1 + done :], has)
        done = upto
