"""This file is the traces: voltages that are there already, taken through an electrode.

It serves the cells whose kernel has no lanes of the chain's width, or none at all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from simulators.chain import KEPT, TILE, keep, lead, pad, plug_in, through
from simulators.compiled import ENTRY
from simulators.flicker import colours
from simulators.lanes import LANES

__all__ = ["see"]


def see(
    traces: npt.NDArray[np.float32],
    electrodes: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float64],
    clamped: bool,
    rate: float,
    count: int,
    dt: float,
    seeds: npt.NDArray[np.uint32],
) -> npt.NDArray[np.float32]:
    """Record voltages that are there already.

    Args:
        traces: Voltage of the membranes at the start and after each step, shape (b, 1 + steps) [mV].
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`; knobs behind the k-th are off.
        ends: Time at which each epoch ends, shape (e,), ascending [ms].
        levels: Command of each epoch, shape (b, e) [pA or mV].
        clamped: Whether the command is a voltage.
        rate: Sampling rate [kHz].
        count: How many samples.
        dt: Step of the traces [ms].
        seeds: Random states of the membranes, shape (b,).

    Returns:
        Samples, shape (b, count) [mV or pA].
    """
    out = np.empty((len(traces), count), dtype=np.float32)
    if len(traces):
        lanes, rows = pad(len(traces))
        finish = np.tile(np.rint(ends / dt).astype(np.int32), (len(lanes), 1))
        parts = lead(electrodes, 1 / dt, seeds)
        with ENTRY:
            _see(
                traces,
                lanes,
                *(part[lanes] for part in parts),
                finish,
                levels.astype(np.float32)[lanes],
                clamped,
                colours(1 / dt),
                dt,
                1.0 / (rate * dt),
                rows,
                out,
            )
    return out


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _see(traces, lanes, electrodes, coefficients, seeds, ends, levels, clamped, table, dt, period, rows, out):
    """Take each block through its chain, tile by tile."""
    last = traces.shape[1] - 1
    for block in prange(len(lanes) // LANES):
        part = slice(block * LANES, (block + 1) * LANES)
        finish, level, knobs = ends[part].T.copy(), levels[part].T.copy(), electrodes[part].T.copy()
        taps, random = coefficients[part].T.copy(), seeds[part].T.copy()
        memory = np.empty((KEPT, LANES), dtype=np.float32)
        tile = np.empty((TILE + 1, LANES), dtype=np.float32)
        starts, periods = np.zeros(LANES, dtype=np.int32), np.full(LANES, period)
        counts, done = np.full(LANES, out.shape[1]), np.zeros(LANES, dtype=np.int64)
        sources = lanes[part]
        for lane in range(LANES):
            tile[0, lane] = traces[sources[lane], 0]
        plug_in(tile[0], level[0], clamped, knobs, table, taps, memory, random)
        for begin in range(0, last, TILE):
            steps = min(TILE, last - begin)
            for lane in range(LANES):
                tile[1 : steps + 1, lane] = traces[sources[lane], begin + 1 : begin + steps + 1]
            through(tile, begin, steps, dt, finish, level, clamped, knobs, table, taps, memory, random)
            keep(tile, begin, steps, starts, periods, counts, knobs, rows[part], done, out)
