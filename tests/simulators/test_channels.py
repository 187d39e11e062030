"""Rates of the calcium and h-currents are the published ones, wherever a voltage can be."""

import math

import numpy as np
import pytest
from numba import float32, njit

from simulators.channels import high_threshold, hyperpolarized, low_threshold, low_threshold_activation
from simulators.spike_channels import fast_potassium_parts, slow_inactivation_parts

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


@njit(cache=True)
def shaping(V):
    """Rates of opening and closing of the slow gate of sodium, steady state and time constant of Kv3, in float32."""
    out = np.empty((len(V), 4), dtype=np.float32)
    for k in range(len(V)):
        opening, total, divisor = slow_inactivation_parts(float32(V[k]))
        out[k, 0], out[k, 1] = opening / divisor, (total - opening) / divisor
        opening, total, divisor = fast_potassium_parts(float32(V[k]))
        out[k, 2], out[k, 3] = opening / total, divisor / total
    return out


def test_what_shapes_spikes_goes_as_published():
    V = np.arange(-199.9, 119.9, 0.173)
    ours = shaping(V)
    np.testing.assert_allclose(ours[:, 0], 0.001 * np.exp(-(V + 85) / 30), rtol=1e-4)
    # Far down, where it is a difference of nearly equal numbers, closing matters to nothing.
    np.testing.assert_allclose(ours[:, 1], 0.0034 / (np.exp(-(V + 17) / 10) + 1), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(ours[:, 2], 1 / (1 + np.exp((V - 18.7) / -9.7)), rtol=1e-4)
    np.testing.assert_allclose(ours[:, 3], 4 / (1 + np.exp((V + 46.56) / -44.14)), rtol=1e-4)


@pytest.mark.parametrize("V", [-1e4, -250.0, 150.0, 1e4])
def test_beyond_every_voltage_the_gates_of_spikes_go_to_a_finite_place(V):
    assert (shaping(np.array([V])) >= 0.0).all()
    assert np.isfinite(shaping(np.array([V]))).all()
