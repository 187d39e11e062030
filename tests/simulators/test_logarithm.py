"""The logarithm in lanes is that of the library, for the small and for what is nearly one."""

import numpy as np
from numba import float32, njit

from simulators.logarithm import logarithm_of_rest


@njit(cache=True)
def taken(z):
    out = np.empty_like(z)
    for k in range(len(z)):
        out[k] = logarithm_of_rest(float32(z[k]))
    return out


def test_the_logarithm_of_one_less_a_number_keeps_the_digits_of_small_ones():
    z = np.concatenate([[0.0], np.geomspace(1e-30, 0.5, 20_000), 1.0 - np.geomspace(0.5, 1e-6, 20_000)])
    z = z.astype(np.float32)
    np.testing.assert_allclose(taken(z), np.log1p(-z.astype(np.float64)), rtol=3e-7, atol=0)
