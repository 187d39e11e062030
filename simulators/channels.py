"""This file is the channels: kinetics of the calcium currents L and T and of the h-current, in lanes.

None of them moves with V_T. Where rates of one channel share a base, one exponential is taken and its powers are used.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit
from numpy.polynomial import Polynomial

from simulators.lanes import FAST, exponential
from simulators.pospischil_rates import ratio
from simulators.pospischil_step import EXP

__all__ = [
    "high_threshold",
    "high_threshold_parts",
    "hyperpolarized",
    "hyperpolarized_parts",
    "low_threshold",
    "low_threshold_activation",
]

_LOWEST, _HIGHEST = np.float32(-200.0), np.float32(120.0)
# Above this the square of q's divisor is a float32 as well.
_DEEPEST = np.float32(-140.0)
# About a centre of -45 mV the exponentials of the h-current are powers 32 and 16 of numbers near one.
_CENTRE, _REACH = np.float32(-45.0), np.float32(155.0)
_A0, _A1, _A2, _A3, _A4, _A5 = (np.float32(c) for c in EXP(Polynomial([0.0, 1.0 / (32.0 * 11.9)])).coef)
_B0, _B1, _B2, _B3, _B4, _B5 = (np.float32(c) for c in EXP(Polynomial([0.0, 1.0 / (16.0 * 33.1)])).coef)
_A_SCALE, _B_SCALE = np.float32(math.exp(109.9 / 11.9)), np.float32(0.193 * math.exp(-45.0 / 33.1))


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
def high_threshold_parts(V):
    """Give the same multiplied by what divides them, so that each gate takes one division.

    Args:
        V: Voltage [mV], float32.

    Returns:
        Opening rate and sum of both, times the divisor [1/ms], and the divisor, of q; the same of r.
    """
    one = float32(1.0)
    V = _bounded(V)
    V = _DEEPEST if V < _DEEPEST else V
    z = (float32(-27.0) - V) * float32(0.2631579)
    near = abs(z) < float32(0.01)
    q_divisor = one if near else exponential(z) - one
    q_opening = float32(0.055 * 3.8) * (one - z * (float32(0.5) - z * float32(0.083333336)) if near else z)
    b_q = float32(0.94) * exponential((float32(-75.0) - V) * float32(0.05882353))
    r_divisor = exponential((float32(-15.0) - V) * float32(0.035714287)) + one
    r_opening = float32(4.57e-4) * exponential((float32(-13.0) - V) * float32(0.02)) * r_divisor
    return q_opening, q_opening + b_q * q_divisor, q_divisor, r_opening, r_opening + float32(0.0065), r_divisor


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


@njit(fastmath=FAST, error_model="numpy", inline="always")
def hyperpolarized_parts(V):
    """Give the same multiplied by what divides them, so that the gate takes one division.

    Args:
        V: Voltage [mV], float32.

    Returns:
        Opening rate and sum of both, times the divisor [1/ms], and the divisor.
    """
    one = float32(1.0)
    v = V - _CENTRE
    v = -_REACH if v < -_REACH else v
    v = _REACH if v > _REACH else v
    A = _A0 + v * (_A1 + v * (_A2 + v * (_A3 + v * (_A4 + v * _A5))))
    B = _B0 + v * (_B1 + v * (_B2 + v * (_B3 + v * (_B4 + v * _B5))))
    A *= A
    A *= A
    A *= A
    A *= A
    A *= A
    B *= B
    B *= B
    B *= B
    B *= B
    z = (v + float32(109.9)) * float32(0.084033616)
    near = abs(z) < float32(0.1)
    divisor = one if near else _A_SCALE * A - one
    opening = float32(0.00643 * 11.9) * (one - z * (float32(0.5) - z * float32(0.083333336)) if near else z)
    return opening, opening + _B_SCALE * B * divisor, divisor
