"""This file is the moments: the seven summary statistics of a sweep, taken tile by tile while it runs.

No trace is stored: a lane keeps sums of powers, and a tile of samples that stays in the cache.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import float32, int32, njit, prange

from simulators.compiled import ENTRY
from simulators.lanes import FAST, LANES
from simulators.pospischil import CONSTANTS, DT, STATES, constants, integrate
from simulators.pospischil_rest import stand

__all__ = ["LATE", "NAMES", "SPIKE", "TILE", "statistics", "summarize"]

NAMES = ("spike_count", "rest", "rest_deviation", "mean", "variance", "skewness", "kurtosis")
"""Columns of what `summarize` gives."""

TILE = 400
LATE = round(1.0 / DT)
SPIKE = float32(-10.0)


def summarize(
    cells: npt.NDArray[np.float64],
    reversals: npt.NDArray[np.float64],
    durations: tuple[float, float, float],
    levels: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Simulate sweeps of cells that start at E_leak with all gates at rest, and summarize each.

    Args:
        cells: Parameters, shape (b, 10), in the order of `simulators.pospischil.constants`.
        reversals: E_Na and E_K, shape (b, 2) [mV].
        durations: Of the current before the step (more than 1 ms), of the step and of the current after it [ms].
        levels: Current of each of the three, shape (b, 3) [pA].
        rng: Source of the lanes' seeds.

    Returns:
        Shape (b, 7): spikes during the step (upward crossings of -10 mV), mean voltage before it [mV], standard
            deviation over the last millisecond before it [mV], and during it the mean [mV], variance [mV2], skewness
            and kurtosis (3 for a normal distribution); NaN throughout for a cell that blew up.

    References:
        Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
    """
    b = len(cells)
    finish = np.rint(np.cumsum(durations) / DT).astype(np.int32)
    padded = np.minimum(np.arange(b + -b % LANES), b - 1)
    with ENTRY:
        sums, spikes = _sum(
            cells.astype(np.float64)[padded],
            reversals.astype(np.float64)[padded],
            finish,
            levels.astype(np.float32)[padded],
            rng.integers(1, 2**32 - 1, b, dtype=np.uint32)[padded],
        )
    return statistics(sums[:b], spikes[:b], cells[:, 7], finish)


def statistics(
    sums: npt.NDArray[np.float64],
    spikes: npt.NDArray[np.int64],
    centre: npt.NDArray[np.float64],
    finish: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Turn sums of powers about a centre into the seven."""
    out = np.empty((len(sums), len(NAMES)))
    out[:, 0] = spikes
    out[:, 1] = centre + (sums[:, 0, 0] + sums[:, 1, 0]) / finish[0]
    first, second = sums[:, 1, :2].T / LATE
    out[:, 2] = np.sqrt(np.maximum(second - first**2, 0.0))
    first, second, third, fourth = sums[:, 2].T / (finish[1] - finish[0])
    variance = second - first**2
    out[:, 3], out[:, 4] = centre + first, variance
    # A voltage that never moves has neither.
    with np.errstate(divide="ignore", invalid="ignore"):
        out[:, 5] = (third - 3.0 * first * second + 2.0 * first**3) / variance**1.5
        out[:, 6] = (fourth - 4.0 * first * third + 6.0 * first**2 * second - 3.0 * first**4) / variance**2
    out[~np.isfinite(sums).all(axis=(1, 2))] = np.nan
    return out


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def _sum(cells, reversals, finish, levels, seeds):
    """Run each block through its sweep; sum powers about E_leak before, shortly before and during the step."""
    sums = np.zeros((len(cells), 3, 4))
    spikes = np.zeros(len(cells), dtype=np.int64)
    bounds = np.array([0, finish[0] - LATE, finish[0], finish[1], finish[2]])
    for block in prange(len(cells) // LANES):
        first = block * LANES
        part = slice(first, first + LANES)
        state = np.zeros((STATES, LANES), dtype=np.float32)
        row = np.zeros((CONSTANTS, LANES), dtype=np.float32)
        for lane in range(LANES):
            k = first + lane
            constants(cells[k], reversals[k, 0], reversals[k, 1], DT, row, lane)
            stand(row, lane, cells[k, 7] - cells[k, 6], state)
        random = seeds[part].copy()
        ends = np.empty((3, LANES), dtype=np.int32)
        ends[:] = finish.reshape(3, 1)
        level = levels[part].T.copy()
        centre = cells[part, 7].astype(np.float32)
        tile = np.empty((TILE, LANES), dtype=np.float32)
        for segment in range(4):
            previous = np.full(LANES, np.inf, dtype=np.float32)
            for begin in range(bounds[segment], bounds[segment + 1], TILE):
                steps = min(TILE, bounds[segment + 1] - begin)
                integrate(state, row, random, ends, level, begin, steps, tile)
                if segment < 3:
                    powers, risen = _add(tile, steps, centre, previous)
                    sums[part, segment] += powers.T
                    if segment == 2:
                        spikes[part] += risen
    return sums, spikes


@njit(fastmath=FAST, error_model="numpy")
def _add(tile, steps, centre, previous):
    """Sum four powers of a tile about a centre and count its spikes, two samples at a time for the loads' sake."""
    powers = np.zeros((4, LANES), dtype=np.float32)
    risen = np.zeros(LANES, dtype=np.int32)
    for t in range(0, steps, 2):
        # What is one sample short of a pair counts the last one twice and half.
        one = float32(1.0) if t + 1 < steps else float32(0.5)
        later = min(t + 1, steps - 1)
        for i in range(LANES):
            first, second = tile[t, i], tile[later, i]
            x, y = first - centre[i], second - centre[i]
            xx, yy = x * x, y * y
            powers[0, i] += one * (x + y)
            powers[1, i] += one * (xx + yy)
            powers[2, i] += one * (xx * x + yy * y)
            powers[3, i] += one * (xx * xx + yy * yy)
            risen[i] += int32((previous[i] < SPIKE) & (first >= SPIKE))
            risen[i] += int32((first < SPIKE) & (second >= SPIKE))
            previous[i] = second
    return powers, risen
