"""This file is the channels: kinetics of the calcium currents L and T and of the h-current, in lanes.

None of them moves with V_T. Where rates of one channel share a base, one exponential is taken and its powers are used.
"""

from __future__ import annotations

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential
from simulators.pospischil_rates import ratio

__all__ = ["high_threshold", "hyperpolarized", "low_threshold", "low_threshold_activation"]

_LOWEST, _HIGHEST = np.float32(-200.0), np.float32(120.0)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _bounded(V):
    """Keep a voltage where every exponential here is a normal float32; beyond, rates keep their last value."""
    V = _LOWEST if V < _LOWEST else V
    return _HIGHEST if V > _HIGHEST else V


@njit(fastmath=FAST, error_model="numpy", inline="always")
def high_threshold(V):
    """Evaluate the rates of the L-type calcium current, g_L q^2 r.

    Args:
        V: Voltage [mV], float32.

    Returns:
        a_q, b_q, a_r, b_r [1/ms].

    References:
        Reuveni, Friedman, Amitai & Gutnick (1993), J. Neurosci. 13, 4609-4621.
        https://doi.org/10.1523/JNEUROSCI.13-11-04609.1993
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """
    V = _bounded(V)
    z = (float32(-27.0) - V) * float32(0.2631579)
    a_q = float32(0.055 * 3.8) * ratio(z, exponential(z))
    b_q = float32(0.94) * exponential((float32(-75.0) - V) * float32(0.05882353))
    a_r = float32(4.57e-4) * exponential((float32(-13.0) - V) * float32(0.02))
    b_r = float32(0.0065) / (exponential((float32(-15.0) - V) * float32(0.035714287)) + float32(1.0))
    return a_q, b_q, a_r, b_r


@njit(fastmath=FAST, error_model="numpy", inline="always")
def low_threshold_activation(V):
    """Evaluate the activation of the T-type calcium current, g_T s^2 w, which follows the voltage at once.

    Args:
        V: Voltage [mV], float32.

    Returns:
        s.
    """
    V = _bounded(V)
    return float32(1.0) / (float32(1.0) + exponential((float32(-59.0) - V) * float32(0.16129032)))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def low_threshold(V):
    """Evaluate the inactivation of the T-type calcium current, g_T s^2 w, at 36 degrees.

    Its three exponentials are powers of exp((V + 84)/80).

    Args:
        V: Voltage [mV], float32.

    Returns:
        w_inf and its rate 1/tau_w [1/ms].

    References:
        Destexhe, Bal, McCormick & Sejnowski (1996), J. Neurophysiol. 76, 2049-2070.
        https://doi.org/10.1152/jn.1996.76.3.2049
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """
    one = float32(1.0)
    E = exponential((_bounded(V) + float32(84.0)) * float32(0.0125))
    E4 = E * E * E * E
    E16 = E4 * E4 * E4 * E4
    E20 = E16 * E4
    w_inf = one / (one + float32(0.77880078) * E20)
    below = one + float32(1.8682459574322223) * (E20 * E4 * E)
    # tau_w = (30.8 + above/below) / 3^1.2, inverted with one division.
    above = float32(211.4) + float32(512.8585109428291) * E16
    return w_inf, float32(3.7371928) * below / (float32(30.8) * below + above)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def hyperpolarized(V):
    """Evaluate the rates of the h-current, g_h f, which makes a hyperpolarized membrane sag.

    They were measured in cortical pyramidal cells at 34 degrees, where the other rates here hold at 36.

    Args:
        V: Voltage [mV], float32.

    Returns:
        a_f, b_f [1/ms].

    References:
        Kole, Hallermann & Stuart (2006), J. Neurosci. 26, 1677-1687. https://doi.org/10.1523/JNEUROSCI.3664-05.2006
    """
    V = _bounded(V)
    z = (V + float32(154.9)) * float32(0.084033616)
    return float32(0.00643 * 11.9) * ratio(z, exponential(z)), float32(0.193) * exponential(V * float32(0.030211482))
