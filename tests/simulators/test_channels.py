"""Rates of the calcium and h-currents are the published ones, wherever a voltage can be."""

import math

import numpy as np
import pytest
from numba import float32, njit

from simulators.channels import high_threshold, hyperpolarized, low_threshold, low_threshold_activation

NAMES = ("a_q", "b_q", "a_r", "b_r", "s", "w_inf", "1/tau_w", "a_f", "b_f")


@njit(cache=True)
def tabulate(V):
    """All of them in float32 as the kernel takes them."""
    out = np.empty((len(V), 9), dtype=np.float32)
    for k in range(len(V)):
        v = float32(V[k])
        out[k, :4] = high_threshold(v)
        out[k, 4] = low_threshold_activation(v)
        out[k, 5:7] = low_threshold(v)
        out[k, 7:] = hyperpolarized(v)
    return out


def linear(x, y):
    return y - 0.5 * x if abs(x / y) < 1e-6 else x / math.expm1(x / y)


def published(V):
    """Pospischil et al. (2008), of the h-current Kole et al. (2006)."""
    tau_w = (30.8 + (211.4 + math.exp((V + 115.2) / 5)) / (1 + math.exp((V + 86) / 3.2))) / 3 ** ((36 - 24) / 10)
    return (
        0.055 * linear(-27 - V, 3.8),
        0.94 * math.exp((-75 - V) / 17),
        0.000457 * math.exp((-13 - V) / 50),
        0.0065 / (math.exp((-15 - V) / 28) + 1),
        1 / (1 + math.exp(-(V + 2 + 57) / 6.2)),
        1 / (1 + math.exp((V + 2 + 81) / 4)),
        1 / tau_w,
        0.001 * 6.43 * linear(V + 154.9, 11.9),
        0.001 * 193 * math.exp(V / 33.1),
    )


def test_the_rates_are_the_published_ones():
    V = np.arange(-199.9, 119.9, 0.173)
    # The 25th power of a float32 keeps five digits; near a singularity a difference keeps four.
    np.testing.assert_allclose(tabulate(V), [published(v) for v in V], rtol=3e-4)


@pytest.mark.parametrize(("rate", "singular", "limit"), [("a_q", -27.0, 0.209), ("a_f", -154.9, 0.076517)])
def test_the_rates_are_continuous_where_they_are_singular(rate, singular, limit):
    near = np.concatenate([[0.0], np.geomspace(1e-6, 0.3, 200), -np.geomspace(1e-6, 0.3, 200)])
    V = np.float32(singular + near).astype(np.float64)
    column = NAMES.index(rate)
    np.testing.assert_allclose(tabulate(V)[:, column], [published(v)[column] for v in V], rtol=3e-4)
    assert tabulate(V)[0, column] == pytest.approx(limit, rel=1e-5)


def test_the_rates_are_finite_and_positive_wherever_a_broken_membrane_goes():
    table = tabulate(np.array([-1e30, -1e4, -330.0, -154.9, -27.0, 330.0, 1e4, 1e30]))
    assert np.isfinite(table).all()
    assert (table > 0).all()
