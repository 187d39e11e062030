"""This file is the peak: how many floating-point operations a second the cores reach when nothing holds them up.

Chains of fused multiply-adds in float32, enough of them side by side to fill the pipelines, on numbers that stay in
the registers. It is what the compiler gets out of the machine in the same kind of loop as the cells', and counts an
addition and a multiplication as an operation each.
"""

from __future__ import annotations

import time

import numpy as np
from numba import float32, get_num_threads, njit, prange

from simulators.compiled import ENTRY
from simulators.lanes import FAST

__all__ = ["operations_per_second"]

_WIDTH = 128
_CHAINS = 8
_LINKS = 8


def operations_per_second(seconds: float = 0.2) -> float:
    """Measure the peak with as many threads as the kernels use now.

    Args:
        seconds: How long to measure, about.

    Returns:
        Floating-point operations a second.
    """
    threads = get_num_threads()
    rounds = 1000
    with ENTRY:
        _multiply_add(threads, 1)
        while True:
            begun = time.perf_counter()
            _multiply_add(threads, rounds)
            taken = time.perf_counter() - begun
            if taken > 0.5 * seconds:
                return float(2.0 * _WIDTH * _CHAINS * _LINKS * threads * rounds / taken)
            rounds *= 2


@njit(fastmath=FAST, error_model="numpy", nogil=True, parallel=True, cache=True)
def _multiply_add(threads, rounds):
    """Run the chains of each thread."""
    total = np.zeros(threads, dtype=np.float32)
    for thread in prange(threads):
        x = np.linspace(0.0, 1.0, _WIDTH).astype(np.float32)
        for _ in range(rounds):
            _links(x)
        total[thread] = x.sum()
    return total


@njit(fastmath=FAST, error_model="numpy")
def _links(x):
    """Take every number through eight chains of eight multiply-adds; it stays between 0 and 1."""
    for i in range(_WIDTH):
        a = x[i]
        b, c, d, e = a + float32(0.1), a + float32(0.2), a + float32(0.3), a + float32(0.4)
        f, g, h = a + float32(0.5), a + float32(0.6), a + float32(0.7)
        for _ in range(_LINKS):
            a = a * float32(0.9) + float32(0.05)
            b = b * float32(0.9) + float32(0.05)
            c = c * float32(0.9) + float32(0.05)
            d = d * float32(0.9) + float32(0.05)
            e = e * float32(0.9) + float32(0.05)
            f = f * float32(0.9) + float32(0.05)
            g = g * float32(0.9) + float32(0.05)
            h = h * float32(0.9) + float32(0.05)
        x[i] = float32(0.125) * (a + b + c + d + e + f + g + h)
