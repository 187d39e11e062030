"""This file is the logarithm: of one less a float32, by operations that vectorize."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import float32, njit, types
from numba.extending import intrinsic

from simulators.lanes import FAST

__all__ = ["logarithm_of_rest"]


@intrinsic
def _as_bits(typing_context: Any, number: Any) -> Any:
    """Read a float32 as the integer of the same bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def _as_float(typing_context: Any, bits: Any) -> Any:
    """Read the bits of an integer as a float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(fastmath=FAST, error_model="numpy", inline="always")
def logarithm_of_rest(z):
    """Take ln(1 - z) in float32 to 3e-7 relative, for z from 0 to 1 - 1e-30.

    The exponent's bits are the power of two; what is left lies between 0.7 and 1.4, where the series of the inverse
    hyperbolic tangent needs five terms. What 1 - z loses of a small z is put back.
    """
    one = float32(1.0)
    rest = one - z
    lost = (rest - one) + z
    bits = _as_bits(rest)
    whole = (bits - types.int32(0x3F3504F3)) >> types.int32(23)
    f = _as_float(bits - (whole << types.int32(23))) - one
    s = f / (float32(2.0) + f)
    s2 = s * s
    series = s2 * (float32(0.33333333) + s2 * (float32(0.2) + s2 * (float32(0.14285715) + s2 * float32(0.11111111))))
    return float32(whole) * float32(0.6931471805599453) + (float32(2.0) * (s + s * series) - lost)
