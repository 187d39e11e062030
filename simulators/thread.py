"""This file is the thread: one cell taken through its sweep on a CUDA device, with its state in registers.

It runs the functions that `simulators.pospischil` runs over a block of lanes, copied with blocks of a single lane;
numba compiles for the device what it finds called there. Of a sweep only sums of powers are stored. No fast-math flag
is set, for numba takes any as all of them there: multiply-adds are fused without, and divisions stay exact.
"""

from __future__ import annotations

from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import float32, int32, njit, prange, uint32
from numba.core.dispatcher import Dispatcher

from simulators.lanes import FAST
from simulators.moments import SPIKE, TILE
from simulators.pospischil import CONSTANTS, DT, STATES, WORK, advance, constants, inject, prepare, put
from simulators.pospischil_rest import stand

__all__ = ["begun", "kernel"]

cuda: Any = None
"""What `kernel` is given, in its copy of `_sweep`: numba's CUDA may be missing."""

_NEVER = np.float32(np.inf)


@cache
def kernel(given: Any) -> Any:
    """Make the kernel, which is compiled for the device at its first launch.

    Args:
        given: The module `numba.cuda`.

    Returns:
        The kernel, to be launched with a thread for each of b cells. Its arguments are constants, shape
        (CONSTANTS, b), states, shape (STATES, b), currents in three segments, shape (3, b) [pA], and
        centres of the powers, shape (b,) [mV], all float32; seeds, shape (b,), uint32; the steps at which the
        segments begin and the last one ends, shape (4,), int32; and, written to, the sums of powers in each, shape
        (3, 4, b), float64, from zero, and the spikes in the last, shape (b,), int64.
    """
    return given.jit(_alone(_sweep, cuda=given))


def _alone(function: Any, **others: Any) -> FunctionType:
    """Copy a function of all lanes for a block of one, with all that it calls."""
    bound = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(bound.get(name), Dispatcher):
            copied = _alone(bound[name].py_func)
            bound[name] = njit(fastmath=FAST, error_model="numpy", inline="always")(copied)
    return FunctionType(function.__code__, bound | {"LANES": 1} | others, function.__name__)


@njit(error_model="numpy", nogil=True, parallel=True, cache=True)
def begun(cells, reversals):
    """Prepare cells that start at E_leak with all gates at rest; this is done on the processor.

    Args:
        cells: Parameters, shape (b, 10), in the order of `simulators.pospischil.constants`.
        reversals: E_Na and E_K, shape (b, 2) [mV].

    Returns:
        Constants, shape (CONSTANTS, b), and states, shape (STATES, b), float32.
    """
    row = np.empty((CONSTANTS, len(cells)), dtype=np.float32)
    state = np.empty((STATES, len(cells)), dtype=np.float32)
    for k in prange(len(cells)):
        constants(cells[k], reversals[k, 0], reversals[k, 1], DT, row, k)
        stand(row, k, cells[k, 7] - cells[k, 6], state)
    return row, state


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add(powers, voltage, centre):
    """Add four powers of a voltage about a centre."""
    x = voltage[0] - centre
    xx = x * x
    powers[0] += x
    powers[1] += xx
    powers[2] += xx * x
    powers[3] += xx * xx


def _sweep(row, state, levels, centres, seeds, bounds, sums, spikes):
    """Take the thread's cell through its sweep."""
    k = cuda.grid(1)
    if k >= seeds.shape[0]:
        return
    work = cuda.local.array((WORK, 1), float32)
    constant = cuda.local.array((CONSTANTS, 1), float32)
    level = cuda.local.array((1, 1), float32)
    epoch = cuda.local.array(1, int32)
    seed = cuda.local.array(1, uint32)
    voltage = cuda.local.array(1, float32)
    powers = cuda.local.array(4, float32)
    for i in range(STATES):
        work[i, 0] = state[i, k]
    for i in range(CONSTANTS):
        constant[i, 0] = row[i, k]
    epoch[0], seed[0] = 0, seeds[k]
    centre = centres[k]
    prepare(work, constant)
    for segment in range(3):
        level[0, 0] = levels[segment, k]
        inject(work, constant, level, epoch)
        previous, risen = _NEVER, 0
        for begin in range(bounds[segment], bounds[segment + 1], TILE):
            powers[:] = 0.0
            for _ in range(min(TILE, bounds[segment + 1] - begin)):
                advance(work, seed)
                put(work, voltage)
                _add(powers, voltage, centre)
                risen += int32((previous < SPIKE) & (voltage[0] >= SPIKE))
                previous = voltage[0]
            # Float32 within a tile and float64 from tile to tile, as on the processor.
            for i in range(4):
                sums[segment, i, k] += powers[i]
        spikes[k] = risen
