"""Bits of normal posteriors, of which the entropy is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig_plugin.gain import gain
from rig_plugin.trial import Posterior
from simulators.parameter import Parameter

PARAMETERS = tuple(Parameter(name, "mV", -80.0, -40.0, "normal", "A potential.") for name in ("V_T", "E_leak", "E_K"))
RNG = np.random.default_rng(3)
STANDARD = RNG.normal(size=(20_000, 3))


def posterior(scales, mixed=None, draws=20_000):
    u = STANDARD[:draws] * np.asarray(scales)
    u = u if mixed is None else u @ np.asarray(mixed)
    return Posterior(PARAMETERS, np.column_stack([p.constrain(u[:, k]) for k, p in enumerate(PARAMETERS)]))


@given(st.lists(st.floats(0.02, 0.9), min_size=3, max_size=3), st.lists(st.floats(0.02, 0.9), min_size=3, max_size=3))
def test_bits_are_the_difference_of_the_entropies(before, now):
    told = gain(posterior(before), posterior(now))
    assert told.bits == pytest.approx(np.log2(before).sum() - np.log2(now).sum(), abs=0.05)


def test_the_first_sweep_is_compared_with_the_prior():
    told = gain(None, posterior([0.5, 0.5, 0.25]))
    assert told.bits == pytest.approx(4.0, abs=0.05)
    assert told.foremost == "E_K"


def test_what_only_joint_draws_know_counts():
    # Two parameters of which only the sum is left open: each alone is as wide as before.
    bound = [[1.0, 0.0, 0.0], [-1.0, 0.1, 0.0], [0.0, 0.0, 1.0]]
    told = gain(posterior([0.5, 0.5, 0.5]), posterior([0.5, 0.5, 0.5], bound))
    assert told.bits == pytest.approx(np.log2(10.0), abs=0.05)


def test_a_posterior_that_became_wider_has_lost_bits_and_taught_nothing_most():
    told = gain(posterior([0.2, 0.2, 0.2]), posterior([0.4, 0.2, 0.2]))
    assert told.bits == pytest.approx(-1.0, abs=0.05)
    assert told.foremost is None


@pytest.mark.parametrize("now", [posterior([0.5] * 3, draws=20), posterior([0.5, 0.0, 0.5])])
def test_too_few_draws_or_a_parameter_that_does_not_vary_tell_nothing(now):
    assert gain(None, now) is None
    assert gain(now, posterior([0.5] * 3)) is None


def test_another_network_s_posterior_is_not_compared():
    other = Posterior(PARAMETERS[:2], posterior([0.5] * 3).draws[:, :2])
    assert gain(other, posterior([0.5] * 3)) is None
