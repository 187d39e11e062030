"""This file is the rest of the Pospischil cell: where a lane stands before its sweep, and that it has no past."""

from __future__ import annotations

from numba import float32, njit

from simulators.pospischil import STATES
from simulators.pospischil_rates import rates

__all__ = ["resting", "stand", "still"]


@njit(error_model="numpy")
def resting(row, lane, current, state):
    """Put a lane at its lowest fixed point under a constant current.

    The steady-state current is scanned upwards for its first sign change and the crossing is bisected; a cell
    that fires at rest has no stable one and is left there, to leave it by itself.

    Args:
        row: Constants, shape (CONSTANTS, LANES).
        lane: Column to settle.
        current: Holding current [pA].
        state: Shape (STATES, LANES), written to.
    """
    injected = current * row[0, lane]
    low, high = -250.0, 60.0
    u = low
    while u < high and _steady(row, lane, u, injected) < 0.0:
        u += 1.0
    low, high = u - 1.0, u
    for _ in range(30):
        u = 0.5 * (low + high)
        if _steady(row, lane, u, injected) < 0.0:
            low = u
        else:
            high = u
    stand(row, lane, u, state)


@njit(error_model="numpy")
def stand(row, lane, u, state):
    """Put a lane at a voltage, all gates at rest there.

    Args:
        row: Constants, shape (CONSTANTS, LANES).
        lane: Column to write.
        u: Voltage above V_T [mV].
        state: Shape (>= STATES, LANES), written to.
    """
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, _ = rates(float32(u), row[11, lane], row[12, lane])
    state[0, lane] = u
    state[1, lane] = a_m / (a_m + b_m)
    state[2, lane] = a_h / (a_h + b_h)
    state[3, lane] = a_n / (a_n + b_n)
    state[4, lane] = p_inf
    still(row, lane, state)


@njit(error_model="numpy")
def still(row, lane, state):
    """Let a lane's state have no past: no compensation, and nothing has changed in the last step.

    Args:
        row: Constants, shape (CONSTANTS, LANES).
        lane: Column to write.
        state: Shape (>= STATES, LANES); u and the gates are read, all else is written.
    """
    u, m, h, n, p = state[0, lane], state[1, lane], state[2, lane], state[3, lane], state[4, lane]
    a_m, b_m, a_h, b_h, a_n, b_n, _, _ = rates(float32(u), row[11, lane], row[12, lane])
    dt = -row[15, lane]
    g_Na = row[2, lane] * m**3 * h * dt
    g_K = (row[3, lane] * n**4 + row[4, lane] * p) * dt
    state[5:STATES, lane] = 0.0
    state[7, lane] = g_Na + g_K
    state[9, lane] = g_Na * row[9, lane] + g_K * row[10, lane]
    state[11, lane] = row[7, lane] * a_m
    state[13, lane] = row[7, lane] * (a_m + b_m)
    state[15, lane] = row[7, lane] * a_h
    state[17, lane] = row[7, lane] * (a_h + b_h)
    state[19, lane] = row[7, lane] * a_n
    state[21, lane] = row[7, lane] * (a_n + b_n)


@njit(error_model="numpy")
def _steady(row, lane, u, injected):
    """Give the net outward current at a voltage with all gates at rest [uA/cm2]."""
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, _ = rates(float32(u), row[11, lane], row[12, lane])
    g_Na = row[2, lane] * (a_m / (a_m + b_m)) ** 3 * (a_h / (a_h + b_h))
    g_K = row[3, lane] * (a_n / (a_n + b_n)) ** 4 + row[4, lane] * p_inf
    return g_Na * (u - row[9, lane]) + g_K * (u - row[10, lane]) + row[1, lane] * u - row[6, lane] - injected
