"""This file is the layout of what stands beside m, h, n and p: flags of the accessories, and rows of their states.

Behind the states and constants of `simulators.pospischil`, a step works on the tail of a cell's state, on constants of
the accessories, and on two sums that each of them adds to: a conductance, and that times the voltage it pulls towards.
"""

from __future__ import annotations

from numba import njit

from simulators.lanes import FAST
from simulators.pospischil import WORK

__all__ = [
    "BESIDE",
    "CONSTANTS",
    "DENDRITE",
    "HIGH_THRESHOLD",
    "KV3",
    "LOW_THRESHOLD",
    "ROWS",
    "SAG",
    "SLOW",
    "TAIL",
    "F",
    "Q",
    "S",
    "W",
    "X",
    "add",
]

HIGH_THRESHOLD, LOW_THRESHOLD, SAG, DENDRITE, SLOW, KV3 = 1, 2, 4, 8, 16, 32
"""What a cell may have, added up."""

TAIL = 21
"""Rows of a state behind those of `simulators.pospischil`: dendrite and its compensation, the soma when the dendrite
last moved and its last move then; q, its last move and q as the current sees it, r and its compensation; w and its
compensation, s^2, the soma when w last moved and its last move then; f and its compensation; the slow gate of sodium
and its compensation; x, its last move and x as the current sees it."""

Q, W, F, S, X, CONSTANTS = WORK + 4, WORK + 9, WORK + 14, WORK + 16, WORK + 18, WORK + TAIL
"""First rows of q, of w, of f, of the slow gate, of x, and of the constants of a step."""

BESIDE = CONSTANTS + 13
"""First of two rows of it: the conductance of all accessories times the step over the capacitance, and its pull."""

ROWS = BESIDE + 2
"""Rows of what a step works on: those of `simulators.pospischil`, the tail of the state, constants, what is beside."""


@njit(fastmath=FAST, error_model="numpy", inline="always")
def add(work, i, conductance, reversal):
    """Add a current to what is beside.

    Args:
        work: Shape (ROWS, LANES), float32; written to.
        i: Lane.
        conductance: Times the step over the capacitance.
        reversal: What it pulls towards, above V_T [mV].
    """
    work[BESIDE, i] += conductance
    work[BESIDE + 1, i] += conductance * reversal
