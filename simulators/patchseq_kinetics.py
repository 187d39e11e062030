"""This file is the Patch-seq kinetics: where the nine gates of Bernaerts et al. (2025) go and how fast, in float32.

The exponentials of one voltage scale are powers of each other: one serves both gates of the Hay sodium current, one
most of the Pospischil ones. Singular rates are taken by their series about the singularity. To share divisions, by one
over a product of their denominators, wins nothing beside the exponentials that are left.
"""

from __future__ import annotations

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential

__all__ = ["gates", "l_type", "pospischil", "slow_potassium", "sodium"]

_LOWEST, _HIGHEST = np.float32(-160.0), np.float32(160.0)
_BELOW_V_T, _ABOVE_V_T = np.float32(-120.0), np.float32(250.0)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _held(V):
    """Hold a voltage where every product stays finite: beyond, the membrane, not the gate, is what breaks."""
    V = _LOWEST if V < _LOWEST else V
    return _HIGHEST if V > _HIGHEST else V


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _ratio(z, grown):
    """Take z/(exp(z) - 1) given exp(z), by its series about the singularity."""
    one = float32(1.0)
    near = abs(z) < float32(0.5)
    below = one if near else grown - one
    w = z * z
    even = float32(0.083333336) - w * (float32(0.0013888889) - w * float32(3.3068783e-05))
    return one - z * float32(0.5) + w * even if near else z / below


@njit(fastmath=FAST, error_model="numpy", inline="always")
def sodium(V):
    """Give steady state and rate of m and h of the transient sodium current at 21 degrees [1, 1/ms].

    References:
        Hay et al. (2011), PLoS Comput. Biol. 7, e1002107. https://doi.org/10.1371/journal.pcbi.1002107
    """
    one = float32(1.0)
    V = _held(V)
    E = exponential(V * float32(-0.16666667))
    # exp(-(V + 38)/6) and exp(-(V + 66)/6): what opens m or closes h differs by this factor from its opposite.
    z_m, grown_m = (V + float32(38.0)) * float32(-0.16666667), E * float32(0.0017761035)
    z_h, grown_h = (V + float32(66.0)) * float32(-0.16666667), E * float32(1.6701701e-05)
    s_m, s_h = float32(0.182) + float32(0.124) * grown_m, one + grown_h
    rate_m = float32(6.0) * _ratio(z_m, grown_m) * s_m
    rate_h = float32(0.09) * _ratio(z_h, grown_h) * s_h
    return float32(0.182) / s_m, rate_m, grown_h / s_h, rate_h


@njit(fastmath=FAST, error_model="numpy", inline="always")
def pospischil(V, V_T):
    """Give steady state and rate of m, h and n at 36 degrees [1, 1/ms], and exp(-(V - V_T)/40).

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """
    one = float32(1.0)
    u = V - V_T
    u = _BELOW_V_T if u < _BELOW_V_T else u
    u = _ABOVE_V_T if u > _ABOVE_V_T else u
    E = exponential(u * float32(-0.025))
    E2 = E * E
    E4 = E2 * E2
    E8 = E4 * E4
    z_a, grown_a = (float32(13.0) - u) * float32(0.25), E8 * E2 * float32(25.790339917193062)
    # z/(exp(z) - 1) from exp(-z), which falls where the other would overflow.
    z_b, grown_b = (float32(40.0) - u) * float32(0.2), E8 * float32(2980.9579870417283)
    z_n, grown_n = (float32(15.0) - u) * float32(0.2), E8 * float32(20.085536923187668)
    s_h = one + grown_b
    a_m = float32(1.28) * _ratio(z_a, grown_a)
    a_h = float32(0.128 * 2.5713844) * exponential(u * float32(-0.055555556))
    a_n = float32(0.16) * _ratio(z_n, grown_n)
    m = a_m + float32(1.4) * _ratio(z_b, grown_b) * grown_b
    h = a_h + float32(4.0) / s_h
    n = a_n + float32(0.5 * 1.2840254) * E
    return a_m / m, m, a_h / h, h, a_n / n, n, E


@njit(fastmath=FAST, error_model="numpy", inline="always")
def slow_potassium(V, E, root):
    """Give steady state and rate of v (Kv3.1, at 21 degrees) and p (M, at 36, the rate times tau_max) [1, 1/ms].

    Args:
        V: Voltage [mV].
        E: exp(-(V - V_T)/40).
        root: exp(-(V_T + 35)/20).

    References:
        Hay et al. (2011) and Pospischil et al. (2008), as above.
    """
    one = float32(1.0)
    V = _held(V)
    rate_v = float32(0.25) + float32(0.25) * exponential((V + float32(56.56)) * float32(-1.0 / 44.14))
    s_v = one + exponential((float32(18.7) - V) * float32(1.0 / 9.7))
    w = E * E * root
    s_p = one + w * w
    return one / s_v, rate_v, one / s_p, float32(3.3) / w + w


@njit(fastmath=FAST, error_model="numpy", inline="always")
def l_type(V):
    """Give steady state and rate of q and r of the L-type calcium current, at any temperature [1, 1/ms].

    References:
        Reuveni et al. (1993), J. Neurosci. 13, 4609-4621, as in Pospischil et al. (2008).
        https://doi.org/10.1523/JNEUROSCI.13-11-04609.1993
    """
    one = float32(1.0)
    V = _held(V)
    z = (float32(-27.0) - V) * float32(1.0 / 3.8)
    s_r = one + exponential((float32(-15.0) - V) * float32(1.0 / 28.0))
    a_q = float32(0.055 * 3.8) * _ratio(z, exponential(z))
    a_r = float32(4.57e-4) * exponential((float32(-13.0) - V) * float32(0.02))
    q = a_q + float32(0.94) * exponential((float32(-75.0) - V) * float32(1.0 / 17.0))
    r = a_r + float32(0.0065) / s_r
    return a_q / q, q, a_r / r, r


@njit(error_model="numpy")
def gates(V, V_T, root):
    """Give steady states and rates of all gates: Hay's m, h and v, Pospischil's m, h, n and p, and q and r.

    Args:
        V: Voltage, float32 [mV].
        V_T: Float32 [mV].
        root: exp(-(V_T + 35)/20), float32.

    Returns:
        Nine of each, without factors of temperature, r_SS or tau_max [1, 1/ms].
    """
    m_t, rate_m_t, h_t, rate_h_t = sodium(V)
    m, rate_m, h, rate_h, n, rate_n, E = pospischil(V, V_T)
    v, rate_v, p, rate_p = slow_potassium(V, E, root)
    q, rate_q, r, rate_r = l_type(V)
    return (m_t, h_t, v, m, h, n, p, q, r), (rate_m_t, rate_h_t, rate_v, rate_m, rate_h, rate_n, rate_p, rate_q, rate_r)
