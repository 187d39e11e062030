"""This file is the step of the compartments: what a soma that is clamped, has further channels or a dendrite needs.

It is written for one lane. What the voltage does during a step of q is told by the last two moves of the gate itself:
of x' = a - T x a step at the rates of its middle misses (x''' + 3 T x'' + 2 T^2 x')/24, of which x''' adds up to
x''/24: that much the current sees beside the gate.
"""

from __future__ import annotations

import numpy as np
from numba import float32, njit

from simulators.lanes import FAST, exponential
from simulators.pospischil_step import FLOOR, damping

__all__ = ["clamped_voltage", "followed", "moved_dendrite", "slowly"]

_TWELFTH, _TWENTY_FOURTH = np.float32(1 / 12), np.float32(1 / 24)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def clamped_voltage(u, lag, gated, pull, before, change, pull_before, pull_change, leak, drive):
    """Advance the voltage by one step through any conductance, that of a voltage clamp or one below zero.

    Args:
        u: Voltage above V_T [mV].
        lag: What rounding withheld of the last steps [mV].
        gated: Conductance of all gates times the step over the capacitance.
        pull: The same times the reversal potentials above V_T [mV].
        before: `gated` a step ago.
        change: Its change then.
        pull_before: `pull` a step ago.
        pull_change: Its change then.
        leak: Conductance of leak, dendrite and clamp times the step over the capacitance.
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
    lead = _TWELFTH if x < float32(3.0) else float32(0.25) / x
    drive = drive + lead * (pull_slope * x - drive * slope) + _TWENTY_FOURTH * (pull_bend - u * bend)
    # Between a membrane without conductance and one with a negative one lies a division by zero.
    near = abs(x) < float32(0.1)
    below = one if near else x
    series = one - x * (half - x * (float32(0.16666667) - x * (float32(0.041666668) - x * float32(0.008333334))))
    share = series if near else (one - exponential(-x)) / below
    move = (drive - x * u) * share - lag
    new = u + move
    return new, (new - u) - move, now, pull_now


@njit(fastmath=FAST, error_model="numpy", inline="always")
def followed(gate, before, opening, total, divisor, k):
    """Advance a gate by one step, with what its last move tells.

    Args:
        gate: The gate.
        before: Its last move.
        opening: Opening rate times the divisor [1/ms].
        total: Sum of both rates times the divisor [1/ms].
        divisor: What divides the rates.
        k: Rate factor times the step [ms].

    Returns:
        The gate, its move, and the gate as the current sees it.
    """
    share = divisor * (k / damping(total, divisor, k))
    move = (opening - total * gate) * share
    y = total * share
    now = move - before
    gate += move + (y * _TWELFTH) * (now + y * before)
    gate = gate if gate > FLOOR else FLOOR
    return gate, move, gate + _TWENTY_FOURTH * now


@njit(fastmath=FAST, error_model="numpy", inline="always")
def slowly(gate, lag, opening, total, divisor, k):
    """Advance a gate whose moves may lie below a float32's resolution.

    Args:
        gate: The gate.
        lag: What rounding withheld of the last steps.
        opening: Opening rate times the divisor [1/ms].
        total: Sum of both rates times the divisor [1/ms].
        divisor: What divides the rates.
        k: Rate factor times the step [ms].

    Returns:
        The gate and its lag.
    """
    move = (opening - total * gate) * divisor * (k / damping(total, divisor, k)) - lag
    new = gate + move
    return new, (new - gate) - move


@njit(fastmath=FAST, error_model="numpy", inline="always")
def moved_dendrite(D, lag, u, move, bend, decay, rest, share, weight):
    """Advance the dendrite by one step.

    Args:
        D: Voltage of the dendrite above V_T [mV].
        lag: What rounding withheld of the last steps [mV].
        u: Voltage of the soma above V_T [mV].
        move: Its last move [mV].
        bend: How that differs from the move before [mV].
        decay: Share of its way that the dendrite goes in a step.
        rest: Where it would go without the soma [mV].
        share: The soma's share in where it goes.
        weight: Of the soma's slope.

    Returns:
        D and its lag.
    """
    V = u + _TWENTY_FOURTH * bend + weight * (move + float32(0.5) * bend)
    move = (rest + share * V - D) * decay - lag
    new = D + move
    return new, (new - D) - move
