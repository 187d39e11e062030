"""The logarithm in lanes is that of the library, for the small and for what is nearly one."""

import numpy as np
from numba import float32, njit

from simulators.logarithm import logarithm, logarithm_of_rest


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


@njit(cache=True)
def logarithms(x):
    out = np.empty(len(x), dtype=np.float32)
    for k in range(len(x)):
        out[k] = logarithm(float32(x[k]))
    return out


def test_the_logarithm_is_true_to_a_float32():
    x = np.geomspace(1e-37, 1e37, 400_001).astype(np.float32)
    exact = np.log(x.astype(np.float64))
    assert (np.abs(logarithms(x) - exact) < 3e-7 * np.maximum(np.abs(exact), 1.0)).all()


def test_the_logarithm_rises_where_it_changes_its_power_of_two():
    edges = 2.0 ** (np.arange(-20, 20) + 0.5)
    steps = logarithms((edges[:, None] * (1.0 + np.linspace(-1e-5, 1e-5, 21))).ravel()).reshape(40, 21)
    assert (np.diff(steps, axis=1) >= -5e-7 * np.maximum(np.abs(np.log(edges)), 1.0)[:, None]).all()
