"""This file is the pyloric rhythm: when the three cells burst, found while they run, and what is said of it.

The definitions are those of the published inference on this network, with its thresholds. A spike is a maximum above
-10 mV of the voltage, smoothed over half a millisecond; spikes less than 150 ms apart make a burst, which counts if it
lasts more than 40 ms.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = [
    "BEHIND",
    "MEMORY",
    "PYLORIC",
    "RESULTS",
    "STATISTICS",
    "TRIPHASIC",
    "begin",
    "finish",
    "follow",
    "summarize",
]

STATISTICS = (
    "cycle_period",
    "burst_duration_PD", "burst_duration_LP", "burst_duration_PY",
    "PD_end_to_LP_start", "LP_end_to_PY_start",
    "PD_start_to_LP_start", "PD_start_to_PY_start",
    "duty_cycle_PD", "duty_cycle_LP", "duty_cycle_PY",
    "phase_gap_PD_LP", "phase_gap_LP_PY",
    "start_phase_LP", "start_phase_PY",
    "plateau_PD", "plateau_LP", "plateau_PY",
)  # fmt: skip
"""Durations in ms; duty cycles, gaps and phases in cycles.

References:
    Goncalves et al. (2020), eLife 9, e56261. https://doi.org/10.7554/eLife.56261
"""

RESULTS = len(STATISTICS) + 2
"""The statistics, the fraction of cycles that are triphasic, and of these the fraction in the pyloric order."""

TRIPHASIC, PYLORIC = 0.9, 0.7
"""Fractions from which a rhythm is triphasic, and a triphasic rhythm pyloric."""

_SPIKE, _INTERBURST, _BURST, _PLATEAU = -10.0, 150.0, 40.0, -30.0
_SHORTEST, _SPIKE_LONG = 5.0, 2.5
_HALF = 10
_DOUBTFUL = -20.0

BEHIND = 2 * _HALF
"""Samples that smoothing wants of what came before a tile."""

MEMORY = 10
"""Numbers kept of a cell, filled by `begin`."""
_BEFORE, _LAST, _START, _ABOVE, _LONGEST, _IN_BLOCK, _AT_SPIKE, _COUNT, _RISING, _SPIKES = range(MEMORY)


@njit(error_model="numpy")
def begin(memory, duration):
    """Forget all bursts.

    Args:
        memory: Shape (cells, MEMORY), float64; written to.
        duration: How long the cells will be followed [ms].

    Returns:
        Room for bursts, shape (cells, n, 3): start, end and longest plateau until the next [ms].
    """
    memory[:] = 0.0
    memory[:, _BEFORE] = np.inf
    memory[:, _LAST] = -np.inf
    memory[:, _START] = np.nan
    memory[:, _ABOVE] = np.nan
    return np.empty((memory.shape[0], int(duration / (_INTERBURST + _BURST)) + 2, 3))


@njit(error_model="numpy")
def follow(tile, steps, clock, dt, memory, bursts):
    """Follow the bursts of cells through a tile of their voltages.

    Args:
        tile: Shape (BEHIND + n, cells) [mV]; the first BEHIND rows are those before the new ones.
        steps: Number of new rows.
        clock: Number of rows that went before.
        dt: Time step, 0.025, of which the smoothing takes 21 [ms].
        memory: Shape (cells, MEMORY); read and written.
        bursts: Shape (cells, n, 3); written to.
    """
    first = _HALF
    if clock == 0:
        # Nothing went before that could be smoothed over.
        first += BEHIND
    last = _HALF + steps
    for cell in range(tile.shape[1]):
        asleep = not memory[cell, _BEFORE] > _SPIKE and np.isnan(memory[cell, _ABOVE])
        if asleep:
            highest = _PLATEAU
            for k in range(first, last):
                highest = max(highest, tile[k, cell])
            if highest <= _PLATEAU:
                memory[cell, _BEFORE] = _PLATEAU
                memory[cell, _RISING] = 1.0
                continue
        for k in range(first, last):
            _look(tile, k, cell, (clock + k - BEHIND) * dt, memory[cell], bursts[cell])


@njit(error_model="numpy", inline="always")
def _look(tile, k, cell, time, memory, bursts):
    """Look at one sample: whether a plateau begins or ends with it, and whether the one before was a spike."""
    value = np.float64(tile[k, cell])
    if value > _DOUBTFUL:
        value = _smoothed(tile, k, cell)
    spike = time - 0.025
    if memory[_BEFORE] > _SPIKE and memory[_RISING] > 0.0 and value <= memory[_BEFORE]:
        memory[_SPIKES] += 1.0
        if spike - memory[_LAST] >= _INTERBURST:
            _close(memory, bursts)
            memory[_START] = spike
            memory[_ABOVE] = spike
        memory[_LAST] = spike
        memory[_AT_SPIKE] = memory[_LONGEST]
    memory[_RISING] = 1.0 if value >= memory[_BEFORE] else 0.0
    memory[_BEFORE] = value
    if value > _PLATEAU:
        if np.isnan(memory[_ABOVE]):
            memory[_ABOVE] = time
    elif not np.isnan(memory[_ABOVE]):
        memory[_LONGEST] = max(memory[_LONGEST], time - memory[_ABOVE])
        memory[_ABOVE] = np.nan


@njit(error_model="numpy")
def _smoothed(tile, k, cell):
    """Fit a cubic to 21 samples and take its value in their middle.

    References:
        Savitzky & Golay (1964), Anal. Chem. 36, 1627-1639. https://doi.org/10.1021/ac60214a047
    """
    total = 0.0
    for j in range(-_HALF, _HALF + 1):
        total += (329.0 - 5.0 * j * j) * tile[k + j, cell]
    return total / 3059.0


@njit(error_model="numpy")
def _close(memory, bursts):
    """Keep the burst that the last spike ended, or let its plateaus count for the burst before."""
    if memory[_LAST] - memory[_START] > _BURST:
        count = int(memory[_COUNT])
        if count > 0:
            bursts[count - 1, 2] = memory[_IN_BLOCK]
        bursts[count, 0], bursts[count, 1] = memory[_START], memory[_LAST]
        memory[_COUNT] += 1.0
        memory[_IN_BLOCK] = memory[_LONGEST]
    else:
        memory[_IN_BLOCK] = max(memory[_IN_BLOCK], memory[_LONGEST])
    memory[_LONGEST] = 0.0


@njit(error_model="numpy")
def finish(memory, bursts):
    """Close the bursts that were still open; a plateau behind the last spike is none.

    Args:
        memory: Shape (cells, MEMORY); read and written.
        bursts: Shape (cells, n, 3); written to.
    """
    for cell in range(memory.shape[0]):
        memory[cell, _LONGEST] = memory[cell, _AT_SPIKE]
        _close(memory[cell], bursts[cell])
        if memory[cell, _COUNT] > 0.0:
            bursts[cell, int(memory[cell, _COUNT]) - 1, 2] = memory[cell, _IN_BLOCK]


@njit(error_model="numpy")
def summarize(memory, bursts, out):
    """Summarize the bursts of one network.

    A cycle lasts from one burst of AB/PD to the next and is triphasic if LP and PY begin one burst each in it. It is
    in the pyloric order if LP begins after AB/PD has ended, and PY neither begins nor ends before LP. Where fewer than
    0.9 of the cycles are triphasic, gaps, starts and phases are NaN; where AB/PD bursts less than twice, so is what
    is measured in cycles; where a cell never bursts, so are its own. A mean plateau below 5 ms is a spike and reads
    2.5 ms.

    Args:
        memory: AB/PD, LP and PY, shape (3, MEMORY).
        bursts: Shape (3, n, 3).
        out: Shape (RESULTS,), written to.
    """
    out[:] = np.nan
    count = (int(memory[0, _COUNT]), int(memory[1, _COUNT]), int(memory[2, _COUNT]))
    if count[0] > 1:
        out[0] = (bursts[0, count[0] - 1, 0] - bursts[0, 0, 0]) / (count[0] - 1)
    for cell in range(3):
        if count[cell] > 0:
            mine = bursts[cell, : count[cell]]
            out[1 + cell] = (mine[:, 1] - mine[:, 0]).mean()
            out[8 + cell] = out[1 + cell] / out[0]
            plateau = mine[:, 2].mean()
            out[15 + cell] = plateau if plateau >= _SHORTEST else _SPIKE_LONG
    triphasic, pyloric = 0, 0
    sums = np.zeros(4)
    for k in range(count[0] - 1):
        LP = _only(bursts[1, : count[1], 0], bursts[0, k, 0], bursts[0, k + 1, 0])
        PY = _only(bursts[2, : count[2], 0], bursts[0, k, 0], bursts[0, k + 1, 0])
        if LP < 0 or PY < 0:
            continue
        triphasic += 1
        begins, ends = bursts[0, k, 0], bursts[0, k, 1]
        ordered = bursts[1, LP, 0] <= bursts[2, PY, 0] and bursts[1, LP, 1] <= bursts[2, PY, 1]
        pyloric += ordered and ends <= bursts[1, LP, 0]
        sums[0] += bursts[1, LP, 0] - ends
        sums[1] += bursts[2, PY, 0] - bursts[1, LP, 1]
        sums[2] += bursts[1, LP, 0] - begins
        sums[3] += bursts[2, PY, 0] - begins
    out[18] = triphasic / (count[0] - 1) if count[0] > 1 else 0.0
    out[19] = pyloric / triphasic if triphasic > 0 else 0.0
    if triphasic > 0 and out[18] >= TRIPHASIC:
        for k in range(4):
            out[4 + k] = sums[k] / triphasic
        out[11], out[12] = out[4] / out[0], out[5] / out[0]
        out[13], out[14] = out[6] / out[0], out[7] / out[0]


@njit(error_model="numpy")
def _only(starts, begin, end):
    """Find the burst that begins within a cycle, -1 where none or more than one does."""
    found = -1
    for k in range(len(starts)):
        if begin <= starts[k] < end:
            if found >= 0:
                return -1
            found = k
    return found
