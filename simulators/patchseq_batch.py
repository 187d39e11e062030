"""This file is the Patch-seq batch: many cells under their stimuli at once, settled before they start.

A lane's numbers depend on its own inputs and seed only, never on its neighbours or the number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators.compiled import ENTRY
from simulators.electrode import MEMORY, corner_index, filters, low_pass, read_out, remember
from simulators.lanes import LANES
from simulators.patchseq_membrane import CONSTANTS, DT, STATES, constants, integrate
from simulators.patchseq_rest import resting

__all__ = ["record"]

_TILE = 256
_SETTLE = round(500.0 / DT)


def record(
    courses: npt.NDArray[np.float64],
    bath: npt.NDArray[np.float64],
    electrodes: npt.NDArray[np.float64] | None,
    ends: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float64],
    rates: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record the voltage of cells that rest at their first level before they start.

    Each starts at the fixed point of its holding and runs there for 500 ms.

    Args:
        courses: Parameters in each epoch, shape (b, e, 13), in the order of `simulators.patchseq_membrane.constants`.
        bath: Shape (7,), as there; its last decides on the clamp.
        electrodes: Shape (b, 8), in the order of `simulators.electrode.KNOBS`; None leaves the membrane's voltage.
        ends: Time at which each epoch ends, shape (b, e), ascending; the last is the end of the sweep [ms].
        levels: Command in each epoch, shape (b, e) [pA, or mV in voltage clamp].
        rates: Sampling rates, shape (b,) [kHz].
        rng: Source of the lanes' seeds.

    Returns:
        Samples, shape (b, n) [mV], and how many of its row each sweep has, shape (b,); what lies behind is not set.
    """
    b = len(courses)
    counts = np.rint(ends[:, -1] * rates).astype(np.int64)
    # One for the membrane and one for the amplifier.
    seeds = rng.integers(1, 2**32 - 1, (b, 2), dtype=np.uint32)
    out = np.empty((b, int(counts.max(initial=0))), dtype=np.float32)
    if b:
        bare = electrodes is None
        knobs = np.zeros((b, 8)) if electrodes is None else electrodes
        taps = filters(1 / DT)[np.zeros(b, dtype=np.int64) if electrodes is None else corner_index(knobs[:, 2])]
        finish = np.rint(ends / DT).astype(np.int32)
        padded = np.concatenate([np.arange(b), np.full(-b % LANES, b - 1)])
        rows = np.where(np.arange(len(padded)) < b, padded, -1)
        arguments = (courses, knobs, taps, finish, levels, 1.0 / (rates * DT), counts, seeds)
        with ENTRY:
            _record(*(np.ascontiguousarray(argument[padded]) for argument in arguments), bath, bare, rows, out)
    return out, counts


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _record(courses, electrodes, taps, ends, levels, period, counts, seeds, bath, bare, rows, out):
    """Settle each block, run it through its epochs and electrodes, and read it out, tile by tile in the cache."""
    for block in prange(len(courses) // LANES):
        first = block * LANES
        part = slice(first, first + LANES)
        finish = ends[part].T.copy()
        level = levels[part].T.copy()
        knobs = electrodes[part].T.copy()
        filters_of = taps[part].T.copy()
        random, noise = seeds[part, 0].copy(), seeds[part, 1].copy()
        state, row = _settled(courses[part], bath, level, random)
        memory = np.empty((MEMORY, LANES), dtype=np.float32)
        tile = np.empty((_TILE + 1, LANES), dtype=np.float32)
        tile[0] = state[0]
        if not bare:
            entering = (tile[0] + knobs[0] * 1e-3 * level[0]).astype(np.float32)
            remember(entering, filters_of, memory)
            tile[0] = entering + knobs[1] + knobs[4] * np.sin(knobs[6])
        done = np.zeros(LANES, dtype=np.int64)
        last = finish[-1].max()
        for start in range(0, last, _TILE):
            steps = min(_TILE, last - start)
            integrate(state, row, random, finish, start, steps, tile[1:])
            if not bare:
                low_pass(tile[1:], start, steps, filters_of, knobs, DT, finish, level, memory, noise)
            for lane in range(LANES):
                k = first + lane
                if rows[k] >= 0:
                    done[lane] = read_out(tile, lane, start, steps, 0, period[k], done[lane], out[rows[k], : counts[k]])
            tile[0] = tile[steps]


@njit(error_model="numpy")
def _settled(courses, bath, level, random):
    """Fill a block's constants, put it at its fixed points and let it run there."""
    epochs = courses.shape[1]
    row = np.empty((epochs, CONSTANTS, LANES), dtype=np.float32)
    state = np.empty((STATES, LANES), dtype=np.float32)
    for lane in range(LANES):
        for epoch in range(epochs):
            constants(courses[lane, epoch], bath, level[epoch, lane], DT, row[epoch], lane)
        resting(row[0], lane, state)
    ends = np.full((1, LANES), _SETTLE, dtype=np.int32)
    nothing = np.empty((0, LANES), dtype=np.float32)
    integrate(state, row[:1], random, ends, 0, _SETTLE, nothing)
    return state, row
