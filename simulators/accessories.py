"""This file is the accessories: what a cortical cell may have besides m, h, n and p, in lanes.

Each has a loop that moves it and adds what it does to the soma, which the soma takes with its next step: a conductance,
and that times the voltage it pulls towards.
"""

from __future__ import annotations

from numba import float32, njit

from simulators.channels import high_threshold_parts, hyperpolarized_parts, low_threshold, low_threshold_activation
from simulators.compartments_step import followed, moved_dendrite, slowly
from simulators.lanes import FAST, LANES, little
from simulators.pospischil import STATES, WORK

__all__ = [
    "BESIDE",
    "DENDRITE",
    "HIGH_THRESHOLD",
    "LOW_THRESHOLD",
    "ROWS",
    "SAG",
    "TAIL",
    "advance_accessories",
    "prepare_accessories",
]

HIGH_THRESHOLD, LOW_THRESHOLD, SAG, DENDRITE = 1, 2, 4, 8
"""What a cell may have, added up."""

TAIL = 16
"""Rows of a state behind those of `simulators.pospischil`: dendrite and its compensation, the soma when the dendrite
last moved and its last move then; q, its last move and q as the current sees it, r and its compensation; w and its
compensation, s^2, the soma when w last moved and its last move then; f and its compensation."""

BESIDE = WORK + TAIL + 10
"""First of two rows of it: the conductance of all accessories times the step over the capacitance, and its pull."""

ROWS = BESIDE + 2
"""Rows of what a step works on: those of `simulators.pospischil`, the tail of the state, constants, what is beside."""

_Q, _W, _F, _CONSTANTS = WORK + 4, WORK + 9, WORK + 14, WORK + TAIL


@njit(fastmath=FAST, error_model="numpy")
def prepare_accessories(work, row, has):
    """Lay the constants of a step out, and what the accessories do to the soma as they are.

    Args:
        work: Shape (ROWS, LANES), float32, with its states; written to.
        row: Constants, shape (CONSTANTS, LANES), float32, of `simulators.compartments`.
        has: Sum of HIGH_THRESHOLD, LOW_THRESHOLD, SAG and DENDRITE.
    """
    for i in range(LANES):
        dt = -row[15, i]
        for k in (0, 1, 2, 5):
            work[_CONSTANTS + k, i] = row[16 + k, i] * dt
        for k in (3, 4, 6, 7, 8, 9):
            work[_CONSTANTS + k, i] = row[16 + k, i]
        work[BESIDE, i] = 0.0
        work[BESIDE + 1, i] = 0.0
        if has & HIGH_THRESHOLD:
            _add_high_threshold(work, i)
        if has & LOW_THRESHOLD:
            _add_low_threshold(work, i)
        if has & SAG:
            _add_sag(work, i)
        if has & DENDRITE:
            work[STATES, i] += work[_CONSTANTS + 5, i]
            _add_dendrite(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_accessories(work, has):
    """Advance what a cell has by one step; what is not in it costs nothing.

    Args:
        work: Shape (ROWS, LANES), float32, with the soma moved; read and written.
        has: Sum of HIGH_THRESHOLD, LOW_THRESHOLD, SAG and DENDRITE.
    """
    if has & HIGH_THRESHOLD:
        _advance_high_threshold(work)
    if has & LOW_THRESHOLD:
        _advance_low_threshold(work)
    if has & SAG:
        _advance_sag(work)
    if has & DENDRITE:
        _advance_dendrite(work)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_high_threshold(work):
    """Advance q and r of all lanes."""
    for i in range(LANES):
        k = work[STATES + 8, i]
        q_opening, q_total, q_divisor, r_opening, r_total, r_divisor = high_threshold_parts(
            work[0, i] + work[STATES + 12, i]
        )
        work[_Q, i], work[_Q + 1, i], work[_Q + 2, i] = followed(
            work[_Q, i], work[_Q + 1, i], q_opening, q_total, q_divisor, k
        )
        work[_Q + 3, i], work[_Q + 4, i] = slowly(work[_Q + 3, i], work[_Q + 4, i], r_opening, r_total, r_divisor, k)
        _add_high_threshold(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add_high_threshold(work, i):
    """Add the calcium current L to what is beside."""
    q = work[_Q + 2, i]
    _add(work, i, work[_CONSTANTS, i] * q * q * work[_Q + 3, i], work[_CONSTANTS + 3, i])


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_low_threshold(work):
    """Advance w of all lanes and let s^2 follow."""
    for i in range(LANES):
        u = work[0, i]
        V = u + work[STATES + 12, i]
        w_inf, rate = low_threshold(V)
        w = work[_W, i]
        move = (w_inf - w) * little(work[STATES + 8, i] * rate) - work[_W + 1, i]
        new = w + move
        work[_W, i], work[_W + 1, i] = new, (new - w) - move
        # It has no lag: half a step ahead of the soma it is that of the voltage there.
        now = u - work[_W + 3, i]
        s = low_threshold_activation(V + float32(0.875) * now - float32(0.375) * work[_W + 4, i])
        work[_W + 2, i], work[_W + 3, i], work[_W + 4, i] = s * s, u, now
        _add_low_threshold(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add_low_threshold(work, i):
    """Add the calcium current T to what is beside."""
    _add(work, i, work[_CONSTANTS + 1, i] * work[_W + 2, i] * work[_W, i], work[_CONSTANTS + 3, i])


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_sag(work):
    """Advance f of all lanes."""
    for i in range(LANES):
        opening, total, divisor = hyperpolarized_parts(work[0, i] + work[STATES + 12, i])
        work[_F, i], work[_F + 1, i] = slowly(
            work[_F, i], work[_F + 1, i], opening, total, divisor, work[STATES + 8, i]
        )
        _add_sag(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add_sag(work, i):
    """Add the h-current to what is beside."""
    _add(work, i, work[_CONSTANTS + 2, i] * work[_F, i], work[_CONSTANTS + 4, i])


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_dendrite(work):
    """Advance the dendrite of all lanes."""
    for i in range(LANES):
        u = work[0, i]
        now = u - work[WORK + 2, i]
        work[WORK, i], work[WORK + 1, i] = moved_dendrite(
            work[WORK, i],
            work[WORK + 1, i],
            u,
            now,
            now - work[WORK + 3, i],
            work[_CONSTANTS + 6, i],
            work[_CONSTANTS + 7, i],
            work[_CONSTANTS + 8, i],
            work[_CONSTANTS + 9, i],
        )
        work[WORK + 2, i], work[WORK + 3, i] = u, now
        _add_dendrite(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add_dendrite(work, i):
    """Add the dendrite's pull to what is beside; its conductance is always there."""
    work[BESIDE + 1, i] += work[_CONSTANTS + 5, i] * work[WORK, i]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add(work, i, conductance, reversal):
    """Add a current to what is beside."""
    work[BESIDE, i] += conductance
    work[BESIDE + 1, i] += conductance * reversal
