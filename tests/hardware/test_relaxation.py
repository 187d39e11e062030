import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.relaxation import relax

RATE = 20.0


@given(
    final=st.floats(-1e3, 1e3),
    size=st.floats(1.0, 1e3) | st.floats(-1e3, -1.0),
    tau=st.floats(0.3, 20.0),
    samples=st.integers(400, 2000),
)
def test_an_exponential_is_found_whatever_it_is(final, size, tau, samples):
    found = relax(final + size * np.exp(-np.arange(samples) / RATE / tau), RATE)
    assert found.tau == pytest.approx(tau, rel=1e-2)
    assert found.size == pytest.approx(size, rel=1e-2)
    assert found.final == pytest.approx(final, abs=1e-2 * abs(size))
    assert found.explained > 0.9999


def test_noise_is_averaged_and_explains_nothing_where_there_is_nothing_else():
    noise = np.random.default_rng(0).normal(0.0, 0.3, 2000)
    shape = 5.0 * np.exp(-np.arange(2000) / RATE / 15.0)
    found = relax(shape + noise, RATE)
    assert found.tau == pytest.approx(15.0, rel=0.05)
    assert 0.9 < found.explained < 1.0
    assert relax(noise, RATE).explained < 0.05


@pytest.mark.parametrize("trace", [np.zeros(100), np.full(100, -70.0), np.arange(7.0), np.full(100, np.nan)])
def test_what_does_not_settle_or_is_too_short_gives_none(trace):
    assert relax(trace, RATE) is None
