"""This file is the step of the Pospischil cell: how its voltage and gates move in a time step, written for one lane.

Every exponential of the published rates is a power of G = exp(-u/360) with u = V - V_T, which in the range that
matters needs five multiply-adds and no clamp of its own: exp(-u/40) is G^9, exp(-u/18) is G^20. A gate x with rates
a and b moves by (a - (a + b) x) / (1 + y/2 + y^2/12), y = a + b per step, which is exp(-y) to y^5/720 and keeps every
steady state. Voltage and gates stand half a step apart. What the conductances do during a step of the voltage, and
the voltage during a step of m, h and n, enters by first and second backward differences; p is too slow to need it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit
from numpy.polynomial import Polynomial

from simulators.lanes import FAST

__all__ = [
    "EXP",
    "FLOOR",
    "corrected",
    "damping",
    "moved_h",
    "moved_m",
    "moved_n",
    "moved_p",
    "moved_voltage",
    "powers",
]

FLOOR = np.float32(1e-9)
"""Least value of a gate. It keeps products of gates out of the subnormal range, where every operation takes a hundred
times as long; a conductance of 1e-26 of its maximum is no current."""

_CENTRE = 30.0
# Rates are taken on a grid of 1/2048 mV that lies half a step off the whole millivolts, at three of which they are
# 0/0. Adding and taking away 6144 rounds to that grid.
_OFF = 2.0**-12
_UP, _DOWN = np.float32(6144.0), np.float32(6144.0 + _CENTRE)
# Beyond this range the rates keep their last value: there the membrane, not the gate, is what breaks.
_LOWEST, _HIGHEST = np.float32(-120.0 - _CENTRE), np.float32(180.0 - _CENTRE)
_TWELFTH, _TWENTY_FOURTH = np.float32(1 / 12), np.float32(1 / 24)

EXP = Polynomial(
    [1.0000002116604343, 0.9999990747118325, 0.4999771148866917, 0.1666855970780969, 0.04202518270473962,
     0.008281808807591454]
)  # fmt: skip
"""exp(x) to 2.3e-7 of itself for |x| < 150/360, the least of the largest errors of a polynomial of degree five."""

# G is scaled so that its twentieth power is a_h itself.
_SCALE = (0.128 * math.exp((17.0 - _CENTRE) / 18.0)) ** (1.0 / 20.0)
_C0, _C1, _C2, _C3, _C4, _C5 = (np.float32(_SCALE * c) for c in EXP(Polynomial([-_OFF / 360.0, -1.0 / 360.0])).coef)


def _factor(offset: float, width: float, power: int) -> np.float32:
    """Give what makes a power of G into exp((offset - u)/width)."""
    return np.float32(math.exp((offset - _CENTRE) / width) / _SCALE**power)


_M13, _N15, _H40, _N10, _P0 = (
    _factor(13.0, 4.0, 90),
    _factor(15.0, 5.0, 72),
    _factor(40.0, 5.0, 72),
    _factor(10.0, 40.0, 9) * np.float32(0.5),
    _factor(0.0, 20.0, 18),
)
_M40 = np.float32(1.0) / _H40
_Z13, _Z15, _Z40 = (np.float32(k * (_CENTRE + _OFF - at)) for k, at in ((-0.32, 13.0), (-0.032, 15.0), (0.28, 40.0)))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def powers(u):
    """Take the powers of G that the rates are made of.

    Args:
        u: Voltage above V_T [mV].

    Returns:
        u on the grid and from the centre of its range [mV], and G to the powers 9, 18, 20 and 72.
    """
    v = (u + _UP) - _DOWN
    v = _LOWEST if v < _LOWEST else v
    v = _HIGHEST if v > _HIGHEST else v
    G = _C0 + v * (_C1 + v * (_C2 + v * (_C3 + v * (_C4 + v * _C5))))
    G2 = G * G
    G4 = G2 * G2
    E = G4 * G4 * G
    E2 = E * E
    E4 = E2 * E2
    return v, E, E2, E2 * G2, E4 * E4


@njit(fastmath=FAST, error_model="numpy", inline="always")
def moved_voltage(u, lag, gated, pull, before, change, pull_before, pull_change, leak, drive):
    """Advance the voltage by one step.

    Args:
        u: Voltage above V_T [mV].
        lag: What rounding withheld of the last steps [mV].
        gated: Conductance of all gates times the step over the capacitance.
        pull: The same times the reversal potentials above V_T [mV].
        before: `gated` a step ago.
        change: Its change then.
        pull_before: `pull` a step ago.
        pull_change: Its change then.
        leak: Conductance of the leak times the step over the capacitance.
        drive: What leak, electrode and noise bring in a step [mV].

    Returns:
        u, lag, and the changes of `gated` and `pull`.
    """
    half, one = float32(0.5), float32(1.0)
    now, pull_now = gated - before, pull - pull_before
    bend, pull_bend = now - change, pull_now - pull_change
    slope, pull_slope = now + half * bend, pull_now + half * pull_bend
    x = gated + leak
    drive += pull
    drive = drive + _TWELFTH * (pull_slope * x - drive * slope) + _TWENTY_FOURTH * (pull_bend - u * bend)
    move = (drive - x * u) / (one + x * (half + x * _TWELFTH)) - lag
    new = u + move
    return new, (new - u) - move, now, pull_now


@njit(fastmath=FAST, error_model="numpy", inline="always")
def moved_m(m, v, E2, E8, k, a_before, a_change, total_before, total_change):
    """Advance m by one step.

    Args:
        m: The gate.
        v: Voltage as `powers` gives it [mV].
        E2: G^18.
        E8: G^72.
        k: Rate factor times the step [ms].
        a_before: Opening rate times k, a step ago.
        a_change: Its change then.
        total_before: Sum of both rates times k, a step ago.
        total_change: Its change then.

    Returns:
        m, opening rate, its change, sum of rates, its change.
    """
    half, one = float32(0.5), float32(1.0)
    above = _Z13 - float32(0.32) * v
    below = _M13 * E8 * E2 - one
    # A cell whose spikes are blocked may rest at u = 40, where rounding would make noise of 0/0.
    z = _Z40 + float32(0.28) * v
    near = abs(z) < float32(0.084)
    closing = float32(1.4) - z * (half - z * float32(0.05952381)) if near else z * E8
    beside = one if near else _M40 - E8
    above *= beside
    share = k / (below * beside)
    a, total = above * share, (above + closing * below) * share
    return corrected(m, a, total, a_before, a_change, total_before, total_change)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def moved_h(h, F, E8, k, a_before, a_change, total_before, total_change):
    """Advance h by one step, as `moved_m` does.

    Args:
        h: The gate.
        F: G^20.
        E8: G^72.
        k: Rate factor times the step [ms].
        a_before: Opening rate times k, a step ago.
        a_change: Its change then.
        total_before: Sum of both rates times k, a step ago.
        total_change: Its change then.

    Returns:
        h, opening rate, its change, sum of rates, its change.
    """
    divisor = float32(1.0) + _H40 * E8
    a = k * F
    total = a + k * float32(4.0) / divisor
    return corrected(h, a, total, a_before, a_change, total_before, total_change)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def moved_n(n, v, E, E8, k, a_before, a_change, total_before, total_change):
    """Advance n by one step, as `moved_m` does.

    Args:
        n: The gate.
        v: Voltage as `powers` gives it [mV].
        E: G^9.
        E8: G^72.
        k: Rate factor times the step [ms].
        a_before: Opening rate times k, a step ago.
        a_change: Its change then.
        total_before: Sum of both rates times k, a step ago.
        total_change: Its change then.

    Returns:
        n, opening rate, its change, sum of rates, its change.
    """
    divisor = _N15 * E8 - float32(1.0)
    a = (_Z15 - float32(0.032) * v) * (k / divisor)
    return corrected(n, a, a + k * _N10 * E, a_before, a_change, total_before, total_change)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def corrected(gate, a, total, a_before, a_change, total_before, total_change):
    """Advance a gate by one step, with what its rates do meanwhile by their first and second backward differences.

    Args:
        gate: The gate.
        a: Opening rate times the step.
        total: Sum of both rates times the step.
        a_before: Opening rate, a step ago.
        a_change: Its change then.
        total_before: Sum of both rates, a step ago.
        total_change: Its change then.

    Returns:
        The gate, opening rate, its change, sum of rates, its change.
    """
    half, one = float32(0.5), float32(1.0)
    a_now, total_now = a - a_before, total - total_before
    a_bend, total_bend = a_now - a_change, total_now - total_change
    a_slope, total_slope = a_now + half * a_bend, total_now + half * total_bend
    opening = a + _TWENTY_FOURTH * a_bend + _TWELFTH * (total * a_slope - a * total_slope)
    y = total + _TWENTY_FOURTH * total_bend
    gate += (opening - y * gate) / (one + y * (half + y * _TWELFTH))
    return (gate if gate > FLOOR else FLOOR), a, a_now, total, total_now


@njit(fastmath=FAST, error_model="numpy", inline="always")
def damping(total, divisor, k):
    """Give what divides a gate's move, times the divisor of its rates.

    Args:
        total: Sum of both rates times the divisor [1/ms].
        divisor: What divides the rates.
        k: Rate factor times the step [ms].

    Returns:
        1 + y/2 + y^2/12, times the divisor's square, for rates that add up to y in a step.
    """
    y = k * total
    return divisor * (divisor + float32(0.5) * y) + y * y * _TWELFTH


@njit(fastmath=FAST, error_model="numpy", inline="always")
def moved_p(p, lag, E2, root, k):
    """Advance p by one step.

    Args:
        p: The gate.
        lag: What rounding withheld of the last steps.
        E2: G^18.
        root: exp(-(V_T + 35)/20).
        k: Rate factor times the step over tau_max.

    Returns:
        p and lag.
    """
    one = float32(1.0)
    w = E2 * (root * _P0)
    total = one + w * w
    a = k * (float32(2.3) + total)
    move = a * (one - p * total) / (total * (w + float32(0.5) * a)) - lag
    new = p + move
    return new, (new - p) - move
