"""This file is the AdEx batch: many cells under their stimuli at once, settled before they start.

A lane's numbers depend on its own inputs and seed only, never on its neighbours or the number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators.adex_membrane import CONSTANTS, DT, PEAK, STATES, constants, integrate, resting
from simulators.compiled import ENTRY
from simulators.lanes import LANES

__all__ = ["record"]

_TILE = 256
_SETTLE = round(500.0 / DT)


def record(
    cells: npt.NDArray[np.float64],
    leaks: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float64],
    rates: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record sweeps of cells that rest at their first level before they start.

    Each starts at its fixed point and runs there for 500 ms. A sample that follows a spike is its peak, however far
    apart samples lie; the others are interpolated linearly between steps.

    Args:
        cells: Parameters, shape (b, 10), in the order of `simulators.adex_membrane.constants`.
        leaks: The leak in each epoch, shape (b, e) [nS].
        ends: Time at which each epoch ends, shape (b, e), ascending; the last is the end of the sweep [ms].
        levels: Current of each epoch, shape (b, e) [pA].
        rates: Sampling rates, shape (b,) [kHz].
        rng: Source of the lanes' seeds.

    Returns:
        Samples, shape (b, n) [mV], and how many of its row each sweep has, shape (b,); what lies behind is not set.
    """
    b = len(cells)
    counts = np.rint(ends[:, -1] * rates).astype(np.int64)
    seeds = rng.integers(1, 2**32 - 1, b, dtype=np.uint32)
    out = np.empty((b, int(counts.max(initial=0))), dtype=np.float32)
    if b:
        padded = np.concatenate([np.arange(b), np.full(-b % LANES, b - 1)])
        rows = np.where(np.arange(len(padded)) < b, padded, -1)
        arguments = (cells, leaks, np.rint(ends / DT).astype(np.int32), levels, 1.0 / (rates * DT), counts, seeds)
        with ENTRY:
            _record(*(np.ascontiguousarray(argument[padded]) for argument in arguments), rows, out)
    return out, counts


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _record(cells, leaks, ends, levels, period, counts, seeds, rows, out):
    """Settle each block, run it through its epochs, and read its lanes out, tile by tile in the cache."""
    epochs = ends.shape[1]
    for block in prange(len(cells) // LANES):
        first = block * LANES
        part = slice(first, first + LANES)
        finish = ends[part].T.copy()
        random = seeds[part].copy()
        row = np.empty((epochs, CONSTANTS, LANES), dtype=np.float32)
        state = np.empty((STATES, LANES), dtype=np.float32)
        for lane in range(LANES):
            k = first + lane
            for epoch in range(epochs):
                constants(cells[k], leaks[k, epoch], levels[k, epoch], DT, row[epoch], lane)
            resting(cells[k], leaks[k, 0], levels[k, 0], lane, state)
        nothing = np.empty((0, LANES), dtype=np.float32)
        settled = np.full((1, LANES), _SETTLE, dtype=np.int32)
        integrate(state, row[:1], random, settled, 0, _SETTLE, nothing)
        tile = np.empty((_TILE + 1, LANES), dtype=np.float32)
        for lane in range(LANES):
            tile[0, lane] = min(state[0, lane] + cells[first + lane, 3], PEAK - 0.01)
        done = np.zeros(LANES, dtype=np.int64)
        spiked = np.zeros(LANES, dtype=np.bool_)
        last = finish[-1].max()
        for start in range(0, last, _TILE):
            steps = min(_TILE, last - start)
            integrate(state, row, random, finish, start, steps, tile[1:])
            for lane in range(LANES):
                k = first + lane
                if rows[k] >= 0:
                    _read(tile, lane, start, steps, period[k], done, spiked, out[rows[k], : counts[k]])
            tile[0] = tile[steps]


@njit(error_model="numpy")
def _read(tile, lane, begin, steps, period, done, spiked, out):
    """Sample one lane as far as it is there; `done` and `spiked` hold where it stands."""
    k, peak = done[lane], spiked[lane]
    for t in range(steps):
        before = tile[t, lane]
        peak = peak or before == PEAK
        while k < out.shape[0] and k * period - begin < t + 1 - 1e-6:
            into = np.float32(k * period - begin - t)
            out[k] = PEAK if peak else before + into * (tile[t + 1, lane] - before)
            peak = False
            k += 1
    done[lane], spiked[lane] = k, peak
