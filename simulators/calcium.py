"""This file is the calcium currents: those of high and of low threshold, as loops over all lanes."""

from __future__ import annotations

from numba import float32, njit

from simulators.beside import CONSTANTS, Q, W, add
from simulators.channels import high_threshold_parts, low_threshold, low_threshold_activation
from simulators.compartments_step import followed, slowly
from simulators.lanes import FAST, LANES, little
from simulators.pospischil import STATES

__all__ = ["add_high_threshold", "add_low_threshold", "advance_high_threshold", "advance_low_threshold"]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_high_threshold(work):
    """Advance q and r of all lanes.

    Args:
        work: Shape (ROWS, LANES), float32, with the soma moved; read and written.
    """
    for i in range(LANES):
        k = work[STATES + 8, i]
        q_opening, q_total, q_divisor, r_opening, r_total, r_divisor = high_threshold_parts(
            work[0, i] + work[STATES + 12, i]
        )
        work[Q, i], work[Q + 1, i], work[Q + 2, i] = followed(
            work[Q, i], work[Q + 1, i], q_opening, q_total, q_divisor, k
        )
        work[Q + 3, i], work[Q + 4, i] = slowly(work[Q + 3, i], work[Q + 4, i], r_opening, r_total, r_divisor, k)
        add_high_threshold(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def add_high_threshold(work, i):
    """Add the calcium current L to what is beside.

    Args:
        work: Shape (ROWS, LANES), float32; read and written.
        i: Lane.
    """
    q = work[Q + 2, i]
    add(work, i, work[CONSTANTS, i] * q * q * work[Q + 3, i], work[CONSTANTS + 3, i])


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_low_threshold(work):
    """Advance w of all lanes and let s^2 follow.

    Args:
        work: Shape (ROWS, LANES), float32, with the soma moved; read and written.
    """
    for i in range(LANES):
        u = work[0, i]
        V = u + work[STATES + 12, i]
        w_inf, rate = low_threshold(V)
        w = work[W, i]
        move = (w_inf - w) * little(work[STATES + 8, i] * rate) - work[W + 1, i]
        new = w + move
        work[W, i], work[W + 1, i] = new, (new - w) - move
        # It has no lag: half a step ahead of the soma it is that of the voltage there.
        now = u - work[W + 3, i]
        s = low_threshold_activation(V + float32(0.875) * now - float32(0.375) * work[W + 4, i])
        work[W + 2, i], work[W + 3, i], work[W + 4, i] = s * s, u, now
        add_low_threshold(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def add_low_threshold(work, i):
    """Add the calcium current T to what is beside.

    Args:
        work: Shape (ROWS, LANES), float32; read and written.
        i: Lane.
    """
    add(work, i, work[CONSTANTS + 1, i] * work[W + 2, i] * work[W, i], work[CONSTANTS + 3, i])
