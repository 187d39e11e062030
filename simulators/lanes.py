"""This file is the lanes: arithmetic that LLVM turns into vector instructions when a loop runs over cells.

`np.exp` and numba's own random generator stay scalar inside a vector loop and cost five times the whole step, so
both are written here from operations that vectorize. Fast-math flags are named one by one: never `nnan` or `ninf`,
under which a test for NaN finds nothing.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import float32, njit, types, uint32
from numba.extending import intrinsic

import simulators.compiled  # noqa: F401 - chooses the cache folder before anything is compiled

__all__ = [
    "FAST",
    "LANES",
    "as_bits",
    "as_float",
    "congruent",
    "differences",
    "enter",
    "exponential",
    "gaussian",
    "little",
    "scramble",
    "uniform",
]

LANES = 64
FAST = {"contract", "arcp", "nsz", "afn"}


@intrinsic
def as_float(typing_context: Any, bits: Any) -> Any:
    """Read the bits of an integer as a float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def as_bits(typing_context: Any, number: Any) -> Any:
    """Read the bits of a float32 as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@njit(fastmath=FAST, error_model="numpy", inline="always")
def exponential(x):
    """Take exp(x) in float32 to 2e-7 relative, clamped to the normal range; vectorizes.

    The argument is split into a power of two, put straight into the exponent bits, and a remainder of at most
    ln(2)/2, for which a polynomial of degree six suffices.
    """
    y = x * float32(1.4426950408889634)
    y = float32(-125.0) if y < float32(-125.0) else y
    y = float32(125.0) if y > float32(125.0) else y
    whole = (y + float32(12582912.0)) - float32(12582912.0)
    f = (y - whole) * float32(0.6931471805599453)
    series = float32(1.0) + f * (
        float32(1.0)
        + f
        * (
            float32(0.5)
            + f
            * (
                float32(0.16666667)
                + f * (float32(0.041666668) + f * (float32(0.008333334) + f * float32(0.0013888889)))
            )
        )
    )
    return series * as_float((types.int32(whole) + types.int32(127)) << types.int32(23))


@njit(inline="always")
def scramble(state):
    """Advance a lane's random state (xorshift, period 2^32 - 1; the state is never 0).

    References:
        Marsaglia (2003), J. Stat. Softw. 8(14). https://doi.org/10.18637/jss.v008.i14
    """
    state ^= uint32(state << uint32(13))
    state ^= uint32(state >> uint32(17))
    state ^= uint32(state << uint32(5))
    return uint32(state)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def gaussian(state):
    """Turn a lane's random state into a nearly normal number: the sum of its four bytes, standardized.

    Its excess kurtosis is -0.3; every noise here is filtered by a membrane or an amplifier afterwards, which
    sums many of them.
    """
    total = (
        (state & uint32(255))
        + ((state >> uint32(8)) & uint32(255))
        + ((state >> uint32(16)) & uint32(255))
        + (state >> uint32(24))
    )
    return (float32(types.int32(total)) - float32(510.0)) * float32(0.006765926)


@njit(inline="always")
def congruent(state):
    """Advance a lane's random state by a congruence modulo 2^32, of which the upper bits are good.

    References:
        Knuth (1997), The Art of Computer Programming 2, 3.3.4, table 1, line 16, for the multiplier.
    """
    return uint32(state * uint32(1664525) + uint32(1013904223))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def uniform(state):
    """Turn the upper bits of a lane's random state into a uniform number of mean 0 and variance 1.

    A membrane sums hundreds of them in a time constant, and steps of the right variance are all that the distribution
    of a diffusion asks for to first order.

    References:
        Kloeden and Platen (1992), Numerical Solution of Stochastic Differential Equations, 14.1.
        https://doi.org/10.1007/978-3-662-12616-5
    """
    return float32(types.int32(state)) * float32(8.065487e-10)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def little(z):
    """Take 1 - exp(-z) of a small z by its series.

    Args:
        z: Not negative; at most a whole time constant a step, beyond which the series would no longer fall towards its
            goal, so that 1 is taken for more.

    Returns:
        The share of its way that a slow gate goes.
    """
    one = float32(1.0)
    z = z if z < one else one
    return z * (one - z * (float32(0.5) - z * (float32(0.16666667) - z * float32(0.041666668))))


@njit(fastmath=FAST, error_model="numpy", inline="always")
def differences(now, before, earlier):
    """Tell how a number changes at the last of three steps.

    Args:
        now: Its value at that step.
        before: A step ago.
        earlier: Two steps ago.

    Returns:
        The change per step, and the change of that.
    """
    change = now - before
    bend = change - (before - earlier)
    return change + float32(0.5) * bend, bend


@njit(error_model="numpy")
def enter(epoch, ends, t):
    """Let each lane enter the epoch that a step lies in; called at changes only, not at every step.

    Args:
        epoch: Epoch of each lane, shape (LANES,), int32; read and written.
        ends: Step at which each epoch ends, shape (e, LANES), int32, ascending.
        t: The step.

    Returns:
        The step at which the next lane changes.
    """
    change = types.int32(2147483647)
    last = ends.shape[0] - 1
    for lane in range(LANES):
        while epoch[lane] < last and t >= ends[epoch[lane], lane]:
            epoch[lane] += 1
        if epoch[lane] < last:
            change = min(change, ends[epoch[lane], lane])
    return change
