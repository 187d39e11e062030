"""This file is the spike currents: slow inactivation of sodium, and Kv3, as loops over all lanes."""

from __future__ import annotations

from numba import njit

from simulators.beside import CONSTANTS, S, X, add
from simulators.compartments_step import followed, slowly
from simulators.lanes import FAST, LANES
from simulators.pospischil import STATES
from simulators.spike_channels import fast_potassium_parts, slow_inactivation_parts

__all__ = ["add_fast_potassium", "advance_fast_potassium", "advance_slow_inactivation", "inactivate"]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_slow_inactivation(work):
    """Advance the slow gate of all lanes.

    Args:
        work: Shape (ROWS, LANES), float32, with the soma moved; read and written.
    """
    for i in range(LANES):
        opening, total, divisor = slow_inactivation_parts(work[0, i] + work[STATES + 12, i])
        work[S, i], work[S + 1, i] = slowly(work[S, i], work[S + 1, i], opening, total, divisor, work[STATES + 8, i])
        inactivate(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def inactivate(work, i):
    """Let the sodium conductance be what the slow gate leaves of it.

    Args:
        work: Shape (ROWS, LANES), float32; read and written.
        i: Lane.
    """
    work[STATES + 1, i] = work[CONSTANTS + 10, i] + work[CONSTANTS + 11, i] * work[S, i]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_fast_potassium(work):
    """Advance x of all lanes.

    Args:
        work: Shape (ROWS, LANES), float32, with the soma moved; read and written.
    """
    for i in range(LANES):
        opening, total, divisor = fast_potassium_parts(work[0, i] + work[STATES + 12, i])
        work[X, i], work[X + 1, i], work[X + 2, i] = followed(
            work[X, i], work[X + 1, i], opening, total, divisor, work[STATES + 8, i]
        )
        add_fast_potassium(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def add_fast_potassium(work, i):
    """Add the potassium current Kv3 to what is beside.

    Args:
        work: Shape (ROWS, LANES), float32; read and written.
        i: Lane.
    """
    add(work, i, work[CONSTANTS + 12, i] * work[X + 2, i], work[STATES + 7, i])
