"""This file is the AdEx batch: many cells under their stimuli at once, settled before they start.

A lane's numbers depend on its own inputs and seed only, never on its neighbours or the number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators.adex_injector import injected_adex_steps, slopes
from simulators.adex_membrane import CONSTANTS, DT, PEAK, STATES, constants, integrate, resting
from simulators.chain import KEPT, TILE, lead, pad, plug_in, through
from simulators.compiled import ENTRY
from simulators.digitizer import digitize, read_out
from simulators.flicker import colours
from simulators.injected import Injected
from simulators.injector import begin_injector
from simulators.lanes import LANES

__all__ = ["record"]

_SETTLE = round(500.0 / DT)


def record(
    cells: npt.NDArray[np.float64],
    leaks: npt.NDArray[np.float64],
    electrodes: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float64],
    rates: npt.NDArray[np.float64],
    rng: np.random.Generator,
    injected: Injected | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Record sweeps of cells that rest at their first level before they start.

    Each starts at its fixed point and runs there for 500 ms. Without a low-pass, a sample that follows a spike is its
    peak, however far apart samples lie; the others are interpolated linearly between steps.

    Args:
        cells: Parameters, shape (b, 10), in the order of `simulators.adex_membrane.constants`.
        leaks: The leak in each epoch, shape (b, e) [nS].
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`; knobs behind the k-th are off.
        ends: Time at which each epoch ends, shape (b, e), ascending; the last is the end of the sweep [ms].
        levels: Current of each epoch, shape (b, e) [pA].
        rates: Sampling rates, shape (b,) [kHz].
        rng: Source of the lanes' seeds.
        injected: What a dynamic clamp adds, switched on when the sweep starts, or None.

    Returns:
        Samples, shape (b, n) [mV], and how many of its row each sweep has, shape (b,); what lies behind is not set.
    """
    b = len(cells)
    counts = np.rint(ends[:, -1] * rates).astype(np.int64)
    seeds = rng.integers(1, 2**32 - 1, b, dtype=np.uint32)
    out = np.empty((b, int(counts.max(initial=0))), dtype=np.float32)
    if b:
        lanes, rows = pad(b)
        finish = np.rint(ends / DT).astype(np.int32)
        parts = lead(electrodes, 1 / DT, seeds)
        lags = np.zeros(b) if injected is None else injected.lags(electrodes, DT)
        device = None if injected is None else injected.device(DT, lags)
        currents = levels.astype(np.float32)
        arguments = (cells, leaks, levels, *parts, finish, currents, 1.0 / (rates * DT), counts, seeds, lags)
        dealt = (np.ascontiguousarray(argument[lanes]) for argument in arguments)
        with ENTRY:
            _record(*dealt, colours(1 / DT), device, rows, out)
    return out, counts


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _record(
    cells, leaks, currents, electrodes, coefficients, noises, ends, levels, period, counts, seeds, lags, table, device,
    rows, out,
):  # fmt: skip
    """Settle each block, run it through its epochs and electrodes, and read it out, tile by tile in the cache."""
    for block in prange(len(cells) // LANES):
        first = block * LANES
        part = slice(first, first + LANES)
        finish, level, knobs = ends[part].T.copy(), levels[part].T.copy(), electrodes[part].T.copy()
        taps, random, noise = coefficients[part].T.copy(), seeds[part].copy(), noises[part].T.copy()
        state, row = _settled(cells[part], leaks[part], currents[part], random)
        memory = np.empty((KEPT, LANES), dtype=np.float32)
        tile = np.empty((TILE + 1, LANES), dtype=np.float32)
        spikes = np.zeros((TILE + 1, LANES), dtype=np.bool_)
        for lane in range(LANES):
            tile[0, lane] = min(state[0, lane] + cells[first + lane, 3], PEAK - 0.01)
        if device is not None:
            extra = np.empty((TILE, LANES), dtype=np.float32)
            clamp = begin_injector(tile[0], level[0], knobs, lags[part], device)
            slope = slopes(cells[part], leaks[part], currents[part], row)
        plug_in(tile[0], level[0], False, knobs, table, taps, memory, noise)
        done = np.zeros(LANES, dtype=np.int64)
        peaks = np.full(LANES, np.nan, dtype=np.float32)
        last = finish[-1].max()
        for start in range(0, last, TILE):
            steps = min(TILE, last - start)
            if device is None:
                integrate(state, row, random, finish, start, steps, tile[1:])
            else:
                injected_adex_steps(
                    state, row, slope, random, finish, level, start, steps, tile[1:], device, clamp, knobs, extra
                )
            spikes[1:] = tile[1:] == PEAK
            if device is not None:
                tile[1 : 1 + steps] += extra[:steps]
            through(tile, start, steps, DT, finish, level, False, knobs, table, taps, memory, noise)
            for lane in range(LANES):
                k = first + lane
                if rows[k] >= 0:
                    there, kept = done[lane], out[rows[k], : counts[k]]
                    if knobs[2, lane] > 0.0:
                        done[lane] = read_out(tile, lane, start, steps, 0, period[k], there, kept)
                    else:
                        _read(tile, spikes, lane, start, steps, period[k], done, peaks, kept)
                    digitize(kept[there : done[lane]], knobs[12, lane], knobs[13, lane])
            tile[0], spikes[0] = tile[steps], spikes[steps]


@njit(error_model="numpy")
def _settled(cells, leaks, currents, random):
    """Fill a block's constants, put it at its fixed points and let it run there."""
    epochs = leaks.shape[1]
    row = np.empty((epochs, CONSTANTS, LANES), dtype=np.float32)
    state = np.empty((STATES, LANES), dtype=np.float32)
    for lane in range(LANES):
        for epoch in range(epochs):
            constants(cells[lane], leaks[lane, epoch], currents[lane, epoch], DT, row[epoch], lane)
        resting(cells[lane], leaks[lane, 0], currents[lane, 0], lane, state)
    ends = np.full((1, LANES), _SETTLE, dtype=np.int32)
    nothing = np.empty((0, LANES), dtype=np.float32)
    # The casts keep numba from compiling it anew for every literal.
    integrate(state, row[:1], random, ends, np.int64(0), np.int64(_SETTLE), nothing)
    return state, row


@njit(error_model="numpy")
def _read(tile, spikes, lane, begin, steps, period, done, peaks, out):
    """Sample one lane as far as it is there; `done` and `peaks` hold where it stands."""
    k, peak = done[lane], peaks[lane]
    for t in range(steps):
        before = tile[t, lane]
        peak = before if spikes[t, lane] else peak
        while k < out.shape[0] and k * period - begin < t + 1 - 1e-6:
            into = np.float32(k * period - begin - t)
            out[k] = before + into * (tile[t + 1, lane] - before) if np.isnan(peak) else peak
            peak = np.float32(np.nan)
            k += 1
    done[lane], peaks[lane] = k, peak
