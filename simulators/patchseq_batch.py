"""This file is the Patch-seq batch: many cells under their stimuli at once, settled before they start.

A lane's numbers depend on its own inputs and seed only, never on its neighbours or the number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators.chain import KEPT, TILE, deal, keep, lead, plug_in, through
from simulators.compiled import ENTRY
from simulators.flicker import colours
from simulators.lanes import LANES
from simulators.patchseq_membrane import CONSTANTS, DT, STATES, constants, integrate
from simulators.patchseq_rest import resting

__all__ = ["baths", "record"]

_SETTLE = round(500.0 / DT)
_Q10 = 2.3
_HAY, _POSPISCHIL = 21.0, 36.0


def baths(
    reversals: npt.NDArray[np.float64],
    temperature: npt.NDArray[np.float64],
    noise: npt.NDArray[np.float64],
    pipette: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Lay baths out as the kernels take them.

    Args:
        reversals: E_Na, E_K and E_Ca, shape (b, 3) [mV].
        temperature: Shape (b,) [degrees C].
        noise: Current noise of the membranes, shape (b,) [pA ms^0.5].
        pipette: Conductance of the pipettes in voltage clamp, 0 in current clamp [nS].

    Returns:
        Shape (b, 7), as `record` takes them.
    """
    warmth = [_Q10 ** ((temperature - own) / 10.0) for own in (_HAY, _POSPISCHIL)]
    return np.stack([*reversals.T, *warmth, noise, np.full(len(reversals), pipette)], axis=1)


def record(
    courses: npt.NDArray[np.float64],
    bath: npt.NDArray[np.float64],
    electrodes: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float64],
    rates: npt.NDArray[np.float64],
    rng: np.random.Generator,
    skip: npt.NDArray[np.float64] | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record sweeps of cells that rest at their first level before they start.

    Each starts at the fixed point of its holding and runs there for 500 ms.

    Args:
        courses: Parameters in each epoch, shape (b, e, 13), in the order of `simulators.patchseq_membrane.constants`.
        bath: Of each, shape (b, 7), as there; its last decides on the clamp, which is the same for all.
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`; knobs behind the k-th are off.
        ends: Time at which each epoch ends, shape (b, e), ascending; the last is the end of the sweep [ms].
        levels: Command in each epoch, shape (b, e) [pA, or mV in voltage clamp].
        rates: Sampling rates, shape (b,) [kHz].
        rng: Source of the lanes' seeds.
        skip: Time from the start that is simulated and not recorded, shape (b,) [ms]; none without it.

    Returns:
        Samples, shape (b, n) [mV or pA], and how many of its row each sweep has, shape (b,); what lies behind is not
        set.
    """
    b = len(courses)
    skip = np.zeros(b) if skip is None else skip
    counts = np.rint((ends[:, -1] - skip) * rates).astype(np.int64)
    # One for the membrane and one for the amplifier.
    seeds = rng.integers(1, 2**32 - 1, (b, 2), dtype=np.uint32)
    out = np.empty((b, int(counts.max(initial=0))), dtype=np.float32)
    if b:
        finish = np.rint(ends / DT).astype(np.int32)
        lanes, rows = deal(finish[:, -1])
        begin = np.rint(skip / DT).astype(np.int32)
        parts = lead(electrodes, 1 / DT, seeds[:, 0], seeds[:, 1], skip)
        sampled = (begin, 1.0 / (rates * DT), counts)
        arguments = (courses, bath, levels, *parts, finish, levels.astype(np.float32), *sampled, seeds)
        with ENTRY:
            _record(
                *(np.ascontiguousarray(argument[lanes]) for argument in arguments),
                bool((bath[:, 6] > 0.0).any()),
                colours(1 / DT),
                rows,
                out,
            )
    return out, counts


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _record(
    courses, baths, commands, electrodes, coefficients, noises, ends, levels, begin, period, counts, seeds, clamped,
    table, rows, out,
):  # fmt: skip
    """Settle each block, run it through its epochs and electrodes, and read it out, tile by tile in the cache."""
    for block in prange(len(courses) // LANES):
        first = block * LANES
        part = slice(first, first + LANES)
        finish, level, knobs = ends[part].T.copy(), levels[part].T.copy(), electrodes[part].T.copy()
        taps, random, noise = coefficients[part].T.copy(), seeds[part, 0].copy(), noises[part].T.copy()
        state, row = _settled(courses[part], baths[part], commands[part], random)
        memory = np.empty((KEPT, LANES), dtype=np.float32)
        tile = np.empty((TILE + 1, LANES), dtype=np.float32)
        done = np.zeros(LANES, dtype=np.int64)
        last = finish[-1].max()
        tile[0] = state[0]
        plug_in(tile[0], level[0], clamped, knobs, table, taps, memory, noise)
        for start in range(0, last, TILE):
            steps = min(TILE, last - start)
            integrate(state, row, random, finish, start, steps, tile[1:])
            through(tile, start, steps, DT, finish, level, clamped, knobs, table, taps, memory, noise)
            keep(tile, start, steps, begin[part], period[part], counts[part], knobs, rows[part], done, out)


@njit(error_model="numpy")
def _settled(courses, baths, commands, random):
    """Fill a block's constants, put it at its fixed points and let it run there."""
    epochs = courses.shape[1]
    row = np.empty((epochs, CONSTANTS, LANES), dtype=np.float32)
    state = np.empty((STATES, LANES), dtype=np.float32)
    for lane in range(LANES):
        for epoch in range(epochs):
            constants(courses[lane, epoch], baths[lane], commands[lane, epoch], DT, row[epoch], lane)
        resting(row[0], lane, state)
    ends = np.full((1, LANES), _SETTLE, dtype=np.int32)
    nothing = np.empty((0, LANES), dtype=np.float32)
    # The casts keep numba from compiling it anew for every literal.
    integrate(state, row[:1], random, ends, np.int64(0), np.int64(_SETTLE), nothing)
    return state, row
