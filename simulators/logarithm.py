"""This file is the logarithm: of a float32, and of one less it, by operations that vectorize."""

from __future__ import annotations

from numba import float32, njit, types

from simulators.lanes import FAST, as_bits, as_float

__all__ = ["logarithm", "logarithm_of_rest"]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def logarithm(x):
    """Take ln(x) in float32 to 3e-7 (absolute near 1, else relative) for normal positive x; vectorizes.

    The exponent bits give the power of two, so chosen that the mantissa y lies within a factor of sqrt(2) of 1;
    ln(y) = 2 artanh(z) with z = (y - 1)/(y + 1), of which four terms suffice.
    """
    bits = as_bits(x) - types.int32(0x3F3504F3)
    whole = bits >> types.int32(23)
    y = as_float((bits & types.int32(0x7FFFFF)) + types.int32(0x3F3504F3))
    z = (y - float32(1.0)) / (y + float32(1.0))
    w = z * z
    series = float32(2.0) + w * (
        float32(0.6666667) + w * (float32(0.4) + w * (float32(0.2857143) + w * float32(0.22222222)))
    )
    return float32(whole) * float32(0.6931471805599453) + z * series


@njit(fastmath=FAST, error_model="numpy", inline="always")
def logarithm_of_rest(z):
    """Take ln(1 - z) in float32 to 3e-7 relative, for z from 0 to 1 - 1e-30.

    The exponent's bits are the power of two; what is left lies between 0.7 and 1.4, where the series of the inverse
    hyperbolic tangent needs five terms. What 1 - z loses of a small z is put back.
    """
    one = float32(1.0)
    rest = one - z
    lost = (rest - one) + z
    bits = as_bits(rest)
    whole = (bits - types.int32(0x3F3504F3)) >> types.int32(23)
    f = as_float(bits - (whole << types.int32(23))) - one
    s = f / (float32(2.0) + f)
    s2 = s * s
    series = s2 * (float32(0.33333333) + s2 * (float32(0.2) + s2 * (float32(0.14285715) + s2 * float32(0.11111111))))
    return float32(whole) * float32(0.6931471805599453) + (float32(2.0) * (s + s * series) - lost)
