"""This file is the rest: the lowest fixed point of a cell with a dendrite, under a constant current or command."""

from __future__ import annotations

from numba import float32, njit

from simulators.channels import high_threshold, hyperpolarized, low_threshold, low_threshold_activation
from simulators.pospischil import STATES
from simulators.pospischil_rates import rates
from simulators.pospischil_rest import stand
from simulators.spike_channels import fast_potassium_parts, slow_inactivation_parts

__all__ = ["resting"]

_LOW, _HIGH = -250.0, 260.0


@njit(error_model="numpy")
def resting(row, lane, current, state):
    """Put a lane at its lowest fixed point.

    The steady-state current is scanned upwards for its first sign change and the crossing is bisected; a cell
    that fires at rest has no stable one and is left there, to leave it by itself.

    Args:
        row: Constants, shape (CONSTANTS, LANES), of `simulators.compartments`.
        lane: Column to settle.
        current: Holding current, or what stands for the command of a voltage clamp [pA].
        state: Shape (STATES, LANES), written to.
    """
    injected = current * row[0, lane]
    u = _LOW
    while u < _HIGH and _steady(row, lane, u, injected) < 0.0:
        u += 1.0
    low, high = u - 1.0, u
    for _ in range(30):
        u = 0.5 * (low + high)
        if _steady(row, lane, u, injected) < 0.0:
            low = u
        else:
            high = u
    gated, pull, (q, r, w, s2, f, D, slow, x) = _open(row, lane, u)
    stand(row, lane, u, state)
    # Nothing has moved.
    state[STATES:, lane] = 0.0
    state[7, lane] = -gated * row[15, lane]
    state[9, lane] = -pull * row[15, lane]
    state[STATES, lane], state[STATES + 2, lane] = D, u
    state[STATES + 4, lane], state[STATES + 6, lane], state[STATES + 7, lane] = q, q, r
    state[STATES + 9, lane], state[STATES + 11, lane], state[STATES + 12, lane] = w, s2, u
    state[STATES + 14, lane], state[STATES + 16, lane] = f, slow
    state[STATES + 18, lane], state[STATES + 20, lane] = x, x


@njit(error_model="numpy")
def _steady(row, lane, u, injected):
    """Give the net outward current at a voltage above V_T with all else at rest [uA/cm2]."""
    gated, pull, _ = _open(row, lane, u)
    return (gated + row[1, lane] + row[21, lane]) * u - pull - row[6, lane] - injected


@njit(error_model="numpy")
def _open(row, lane, u):
    """Give gated conductance and pull at rest at a voltage above V_T, q, r, w, s^2, f, dendrite, slow gate and x."""
    a_m, b_m, a_h, b_h, a_n, b_n, p_inf, _ = rates(float32(u), row[11, lane], row[12, lane])
    V = float32(u + row[13, lane])
    a_q, b_q, a_r, b_r = high_threshold(V)
    a_f, b_f = hyperpolarized(V)
    s = low_threshold_activation(V)
    m, h, n = a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n)
    q, r, f = a_q / (a_q + b_q), a_r / (a_r + b_r), a_f / (a_f + b_f)
    w = low_threshold(V)[0]
    slow_opening, slow_total, _ = slow_inactivation_parts(V)
    x_opening, x_total, _ = fast_potassium_parts(V)
    slow, x = slow_opening / slow_total, x_opening / x_total
    D = row[23, lane] + row[24, lane] * u
    one = float32(1.0)
    g_Na = row[2, lane] * (one - row[27, lane] * (one - slow)) * m**3 * h
    g_K = row[3, lane] * n**4 + row[4, lane] * p_inf + row[28, lane] * x
    g_Ca = row[16, lane] * q**2 * r + row[17, lane] * s**2 * w
    g_h = row[18, lane] * f
    pull = g_Na * row[9, lane] + g_K * row[10, lane] + g_Ca * row[19, lane] + g_h * row[20, lane] + row[21, lane] * D
    return g_Na + g_K + g_Ca + g_h, pull, (q, r, w, s * s, f, D, slow, x)
