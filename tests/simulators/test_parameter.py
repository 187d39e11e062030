import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulators.parameter import Parameter

SCALES = ("linear", "log", "normal")
bounds = st.tuples(st.floats(0.01, 100), st.floats(1.01, 1000)).map(lambda pair: (pair[0], pair[0] * pair[1]))
parameters = st.builds(lambda ends, scale: Parameter("g", "nS", *ends, scale), bounds, st.sampled_from(SCALES))


@given(parameters, st.floats(-4.5, 4.5))
def test_unconstrain_undoes_constrain(parameter, u):
    there = parameter.constrain(np.array(u))
    # Far out on a truncated normal many u share a few ulps of x; what comes back is judged in the physical unit.
    back = parameter.constrain(parameter.unconstrain(there))
    np.testing.assert_allclose(back, there, rtol=1e-5)


@given(parameters, st.floats(-2.5, 2.5))
def test_the_round_trip_is_exact_where_the_prior_has_its_mass(parameter, u):
    assert parameter.unconstrain(parameter.constrain(np.array(u))) == pytest.approx(u, abs=1e-6)


@given(parameters, st.floats(allow_nan=False))
def test_no_unconstrained_value_leaves_the_bounds(parameter, u):
    x = float(parameter.constrain(np.array(u)))
    slack = 1e-9 * (parameter.high - parameter.low)
    assert parameter.low - slack <= x <= parameter.high + slack


@given(parameters, st.lists(st.floats(-5, 5), min_size=2, max_size=5))
def test_constrain_keeps_the_order(parameter, us):
    assert np.all(np.diff(parameter.constrain(np.sort(us))) >= 0)


@given(parameters)
def test_the_bounds_themselves_stay_finite(parameter):
    ends = parameter.unconstrain(np.array([parameter.low, parameter.high]))
    assert np.all(np.isfinite(ends))
    assert ends[0] < -3.9
    assert ends[1] > 3.9


@pytest.mark.parametrize(
    ("scale", "prior"),
    [
        ("linear", stats.uniform(10, 90)),
        ("log", stats.loguniform(10, 100)),
        ("normal", stats.truncnorm(-4, 4, loc=55, scale=90 / 8)),
    ],
)
def test_a_standard_normal_becomes_the_stated_prior(scale, prior):
    u = np.linspace(-4, 4, 33)
    x = Parameter("C", "pF", 10, 100, scale).constrain(u)
    np.testing.assert_allclose(prior.cdf(x), stats.norm.cdf(u), atol=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "scale", "said"),
    [
        (2, 1, "linear", "ordered bounds"),
        (1, 1, "linear", "ordered bounds"),
        (float("nan"), 1, "linear", "finite"),
        (0, float("inf"), "linear", "finite"),
        (0, 1, "log", "positive lower bound"),
        (0, 1, "cubic", "'linear', 'log' or 'normal'"),
    ],
)
def test_bounds_that_make_no_prior_are_refused(low, high, scale, said):
    with pytest.raises(ValueError, match=said):
        Parameter("g_Na", "mS/cm2", low, high, scale)
