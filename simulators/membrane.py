"""This file is the membrane: whichever kernel serves a lane, from its constants and its rest to its steps.

Rows and states are those of `simulators.compartments`, of which the plain cell uses the first. A plain cell has nothing
but m, h, n and p, in current clamp, and no conductance below zero: it has None, and the kernel of
`simulators.pospischil` serves. Through the series resistance of a voltage clamp its step without an exponential would
lag. None is a type of its own, so that whoever asks for one kernel never compiles the other.
"""

from __future__ import annotations

from numba import njit

from simulators import compartments, pospischil, pospischil_rest, rest

__all__ = ["integrate", "resting"]


@njit(error_model="numpy")
def resting(row, lane, current, state, has):
    """Put a lane at its lowest fixed point.

    Args:
        row: Constants, shape (CONSTANTS, LANES), of `simulators.compartments`.
        lane: Column to settle.
        current: Holding current, or what stands for the command of a voltage clamp [pA].
        state: Shape (STATES, LANES), written to.
        has: What the cells have, of `simulators.beside`, or None.
    """
    if has is None:
        pospischil_rest.resting(row, lane, current, state)
    else:
        rest.resting(row, lane, current, state)


@njit(error_model="numpy")
def integrate(state, row, random, ends, levels, begin, steps, trace, has):
    """Integrate one block of cells under their commands, as `simulators.compartments.integrate` does.

    Args:
        state: Shape (STATES, LANES), float32; read and written.
        row: Constants, shape (CONSTANTS, LANES), float32.
        random: Random states, shape (LANES,), uint32; read and written.
        ends: Step at which each epoch ends, shape (e, LANES), int32, ascending.
        levels: Command of each epoch, shape (e, LANES).
        begin: First of the steps, on the clock of `ends`.
        steps: Number of steps.
        trace: Voltage after each step, shape (>= steps, LANES) [mV], or (0, LANES).
        has: What the cells have, of `simulators.beside`, or None.
    """
    if has is None:
        pospischil.integrate(state, row, random, ends, levels, begin, steps, trace)
    else:
        compartments.integrate(state, row, random, ends, levels, begin, steps, trace, has)
