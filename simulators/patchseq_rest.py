"""This file is the rest of a Patch-seq cell: its lowest fixed point under a constant current or command."""

from __future__ import annotations

from numba import float32, njit

from simulators.patchseq_kinetics import gates

__all__ = ["resting"]


@njit(error_model="numpy")
def resting(row, lane, state):
    """Put a lane at its lowest fixed point under the command of an epoch.

    The steady-state current is scanned upwards for its first sign change and the crossing is bisected; a cell that
    fires at rest has no stable one and is left there, to leave it by itself.

    Args:
        row: Constants of the epoch, shape (CONSTANTS, LANES), of `simulators.patchseq_membrane`.
        lane: Column to settle.
        state: Shape (STATES, LANES), as there; written to.
    """
    # Below both reversal potentials, every current but the injected one flows in.
    low = min(row[10, lane], row[7, lane] / row[6, lane]) - 1.0
    high = max(low + 1.0, -200.0)
    while high < 200.0 and _steady(row, lane, high) < 0.0:
        low = high
        high += 1.0
    for _ in range(40):
        V = 0.5 * (low + high)
        if _steady(row, lane, V) < 0.0:
            low = V
        else:
            high = V
    V = 0.5 * (low + high)
    steady, rates = gates(float32(V), float32(row[12, lane]), float32(row[13, lane]))
    state[:, lane] = 0.0
    state[0, lane] = V
    for k, x in enumerate(steady):
        state[1 + k, lane] = x
    g_Na, g_K, g_Ca = _conductances(row, lane, steady)
    state[13:15, lane] = g_Na + g_K + g_Ca
    state[15:17, lane] = g_Na * row[9, lane] + g_K * row[10, lane] + g_Ca * row[11, lane]
    for past, gate, speed in ((17, 0, 14), (21, 3, 15), (25, 4, 15), (29, 5, 15), (33, 7, 17)):
        state[past : past + 2, lane] = steady[gate]
        state[past + 2 : past + 4, lane] = rates[gate] * row[speed, lane]


@njit(error_model="numpy")
def _steady(row, lane, V):
    """Give the net outward current at a voltage with all gates at rest, over the capacitance [mV/ms]."""
    steady, _ = gates(float32(V), float32(row[12, lane]), float32(row[13, lane]))
    g_Na, g_K, g_Ca = _conductances(row, lane, steady)
    outward = g_Na * (V - row[9, lane]) + g_K * (V - row[10, lane]) + g_Ca * (V - row[11, lane])
    return outward + row[6, lane] * V - row[7, lane]


@njit(error_model="numpy")
def _conductances(row, lane, steady):
    """Give the sodium, potassium and calcium conductance of settled gates over the capacitance [1/ms]."""
    m_t, h_t, v, m, h, n, p, q, r = steady
    g_Na = row[0, lane] * m_t**3 * h_t + row[1, lane] * m**3 * h
    return g_Na, row[2, lane] * n**4 + row[3, lane] * p + row[4, lane] * v, row[5, lane] * q**2 * r
