"""This file is the rates of the Pospischil cell, as they are published, for one lane.

The voltage-dependent exponentials but one are powers of exp(-u/40) with u = V - V_T, so two are taken where eleven are
written.
"""

from __future__ import annotations

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential

__all__ = ["rates", "ratio"]

_LOWEST, _HIGHEST = np.float32(-120.0), np.float32(180.0)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def rates(u, shift, root):
    """Evaluate the rates of all gates at u = V - V_T, in float32.

    Args:
        u: Voltage above V_T [mV].
        shift: exp(-(V_T + 35)/10).
        root: exp(-(V_T + 35)/20).

    Returns:
        a_m, b_m, a_h, b_h, a_n, b_n [1/ms], p_inf, and tau_max / tau_p.

    References:
        Pospischil et al. (2008), Biol. Cybern. 99, 427-441. https://doi.org/10.1007/s00422-008-0263-8
    """
    one = float32(1.0)
    # Beyond this range the rates keep their last value: there the membrane, not the gate, is what breaks.
    u = _LOWEST if u < _LOWEST else u
    u = _HIGHEST if u > _HIGHEST else u
    E = exponential(u * float32(-0.025))
    E2 = E * E
    E4 = E2 * E2
    E8 = E4 * E4
    z = (float32(13.0) - u) * float32(0.25)
    a_m = float32(1.28) * ratio(z, E8 * E2 * float32(25.790339917193062))
    # exp(x) is 1/E8 here: both terms of the ratio are multiplied by E8, so that nothing overflows.
    z = (u - float32(40.0)) * float32(0.2)
    near = abs(z) < float32(0.01)
    below = one if near else float32(3.3546262790251185e-4) - E8
    b_m = float32(1.4) * (one - z * (float32(0.5) - z * float32(0.083333336)) if near else z * E8 / below)
    a_h = float32(0.128 * 2.5713844) * exponential(u * float32(-0.055555556))
    b_h = float32(4.0) / (one + float32(2980.9579870417283) * E8)
    z = (float32(15.0) - u) * float32(0.2)
    a_n = float32(0.16) * ratio(z, E8 * float32(20.085536923187668))
    b_n = float32(0.5 * 1.2840254) * E
    p_inf = one / (one + E4 * shift)
    w = E2 * root
    return a_m, b_m, a_h, b_h, a_n, b_n, p_inf, float32(3.3) / w + w


@njit(fastmath=FAST, error_model="numpy", inline="always")
def ratio(z, grown):
    """Take z/(exp(z) - 1) by its series about the singularity.

    Args:
        z: Any float32.
        grown: exp(z).

    Returns:
        The ratio, to four digits where exp(z) is near one.
    """
    near = abs(z) < float32(0.01)
    below = float32(1.0) if near else grown - float32(1.0)
    return float32(1.0) - z * (float32(0.5) - z * float32(0.083333336)) if near else z / below
