"""This file is the accessories: what a cortical cell may have besides m, h, n and p, in lanes.

Each has a loop that moves it and adds what it does to the soma, which the soma takes with its next step.
"""

from __future__ import annotations

from numba import float32, njit

from simulators.beside import (
    BESIDE,
    CONSTANTS,
    DENDRITE,
    HIGH_THRESHOLD,
    KV3,
    LOW_THRESHOLD,
    SAG,
    SLOW,
    F,
    add,
)
from simulators.calcium import (
    add_high_threshold,
    add_low_threshold,
    advance_high_threshold,
    advance_low_threshold,
)
from simulators.channels import hyperpolarized_parts
from simulators.compartments_step import moved_dendrite, slowly
from simulators.lanes import FAST, LANES
from simulators.pospischil import STATES, WORK
from simulators.spike_currents import (
    add_fast_potassium,
    advance_fast_potassium,
    advance_slow_inactivation,
    inactivate,
)

__all__ = ["advance_accessories", "prepare_accessories"]


@njit(fastmath=FAST, error_model="numpy")
def prepare_accessories(work, row, has):
    """Lay the constants of a step out, and what the accessories do to the soma as they are.

    Args:
        work: Shape (ROWS, LANES), float32, with its states; written to.
        row: Constants, shape (CONSTANTS, LANES), float32, of `simulators.compartments`.
        has: Sum of the flags of `simulators.beside`.
    """
    for i in range(LANES):
        dt = -row[15, i]
        for k in (0, 1, 2, 5):
            work[CONSTANTS + k, i] = row[16 + k, i] * dt
        for k in (3, 4, 6, 7, 8, 9):
            work[CONSTANTS + k, i] = row[16 + k, i]
        work[CONSTANTS + 11, i] = row[2, i] * dt * row[27, i]
        work[CONSTANTS + 10, i] = row[2, i] * dt * (float32(1.0) - row[27, i])
        work[CONSTANTS + 12, i] = row[28, i] * dt
        work[BESIDE, i] = 0.0
        work[BESIDE + 1, i] = 0.0
        if has & HIGH_THRESHOLD:
            add_high_threshold(work, i)
        if has & LOW_THRESHOLD:
            add_low_threshold(work, i)
        if has & SAG:
            _add_sag(work, i)
        if has & SLOW:
            inactivate(work, i)
        if has & KV3:
            add_fast_potassium(work, i)
        if has & DENDRITE:
            work[STATES, i] += work[CONSTANTS + 5, i]
            _add_dendrite(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def advance_accessories(work, has):
    """Advance what a cell has by one step; what is not in it costs nothing.

    Args:
        work: Shape (ROWS, LANES), float32, with the soma moved; read and written.
        has: Sum of the flags of `simulators.beside`.
    """
    if has & HIGH_THRESHOLD:
        advance_high_threshold(work)
    if has & LOW_THRESHOLD:
        advance_low_threshold(work)
    if has & SAG:
        _advance_sag(work)
    if has & SLOW:
        advance_slow_inactivation(work)
    if has & KV3:
        advance_fast_potassium(work)
    if has & DENDRITE:
        _advance_dendrite(work)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _advance_sag(work):
    """Advance f of all lanes."""
    for i in range(LANES):
        opening, total, divisor = hyperpolarized_parts(work[0, i] + work[STATES + 12, i])
        work[F, i], work[F + 1, i] = slowly(work[F, i], work[F + 1, i], opening, total, divisor, work[STATES + 8, i])
        _add_sag(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add_sag(work, i):
    """Add the h-current to what is beside."""
    add(work, i, work[CONSTANTS + 2, i] * work[F, i], work[CONSTANTS + 4, i])


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
            work[CONSTANTS + 6, i],
            work[CONSTANTS + 7, i],
            work[CONSTANTS + 8, i],
            work[CONSTANTS + 9, i],
        )
        work[WORK + 2, i], work[WORK + 3, i] = u, now
        _add_dendrite(work, i)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _add_dendrite(work, i):
    """Add the dendrite's pull to what is beside; its conductance is always there."""
    work[BESIDE + 1, i] += work[CONSTANTS + 5, i] * work[WORK, i]
