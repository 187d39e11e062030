"""This file is the spike channels: kinetics of what reshapes spikes, slow inactivation of sodium and Kv3, in lanes.

Neither moves with V_T. About a centre of -40 mV their exponentials are powers of numbers near one.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit
from numpy.polynomial import Polynomial

from simulators.lanes import FAST
from simulators.pospischil_step import EXP

__all__ = ["fast_potassium_parts", "slow_inactivation_parts"]

_CENTRE, _REACH = np.float32(-40.0), np.float32(160.0)


def _falling(width: float, power: int) -> list[np.float32]:
    """Give the polynomial whose power is exp(-v/width)."""
    return [np.float32(c) for c in EXP(Polynomial([0.0, -1.0 / (power * width)])).coef]


_S0, _S1, _S2, _S3, _S4, _S5 = _falling(30.0, 16)
_X0, _X1, _X2, _X3, _X4, _X5 = _falling(9.7, 64)
_T0, _T1, _T2, _T3, _T4, _T5 = _falling(44.14, 16)
_S_OPENING, _S_CLOSING = np.float32(0.001 * math.exp(-45.0 / 30.0)), np.float32(math.exp(23.0 / 10.0))
_X_SCALE, _T_SCALE = np.float32(math.exp(58.7 / 9.7)), np.float32(0.25 * math.exp(-6.56 / 44.14))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _from_centre(V):
    """Measure a voltage from the centre, and keep it where every product is a normal float32."""
    v = V - _CENTRE
    v = -_REACH if v < -_REACH else v
    return _REACH if v > _REACH else v


@njit(fastmath=FAST, error_model="numpy", inline="always")
def slow_inactivation_parts(V):
    """Evaluate the rates of the slow inactivation of sodium channels, times what divides them.

    The rates are 0.001 exp(-(V + 85)/30) and 0.0034/(exp(-(V + 17)/10) + 1): one exponential and its third power.

    Args:
        V: Voltage [mV], float32.

    Returns:
        Opening rate and sum of both, times the divisor [1/ms], and the divisor.

    References:
        Fleidervish, Friedman & Gutnick (1996), J. Physiol. 493, 83-97. https://doi.org/10.1113/jphysiol.1996.sp021366
    """
    v = _from_centre(V)
    E = _S0 + v * (_S1 + v * (_S2 + v * (_S3 + v * (_S4 + v * _S5))))
    E *= E
    E *= E
    E *= E
    E *= E
    divisor = _S_CLOSING * (E * E * E) + float32(1.0)
    opening = _S_OPENING * E * divisor
    return opening, opening + float32(0.0034), divisor


@njit(fastmath=FAST, error_model="numpy", inline="always")
def fast_potassium_parts(V):
    """Evaluate the rates of the potassium current Kv3, g_Kv3 x, times what divides them.

    It goes to 1/(1 + exp((V - 18.7)/-9.7)) in 4/(1 + exp((V + 46.56)/-44.14)) ms.

    Args:
        V: Voltage [mV], float32.

    Returns:
        Opening rate and sum of both, times the divisor [1/ms], and the divisor.

    References:
        Hay et al. (2011), PLoS Comput. Biol. 7, e1002107. https://doi.org/10.1371/journal.pcbi.1002107
    """
    v = _from_centre(V)
    E = _X0 + v * (_X1 + v * (_X2 + v * (_X3 + v * (_X4 + v * _X5))))
    E *= E
    E *= E
    E *= E
    E *= E
    E *= E
    E *= E
    T = _T0 + v * (_T1 + v * (_T2 + v * (_T3 + v * (_T4 + v * _T5))))
    T *= T
    T *= T
    T *= T
    T *= T
    divisor = float32(1.0) + _X_SCALE * E
    rate = float32(0.25) + _T_SCALE * T
    return rate, rate * divisor, divisor
