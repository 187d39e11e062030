"""The digitizer gives whole steps inside its range."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators.digitizer import digitize

VALUES = np.array([-70.04, -69.96, 0.0, 39.99, 120.0, -250.0, np.nan], dtype=np.float32)


def digitized(values, span, step):
    out = np.array(values, dtype=np.float32)
    digitize(out, float(span), float(step))
    return out


def test_a_digitizer_that_is_off_changes_nothing():
    np.testing.assert_array_equal(digitized(VALUES, 0.0, 0.0), VALUES)


def test_values_are_rounded_to_the_nearest_step():
    expected = np.float32([-70.0, -70.0, 0.0, 40.0, 120.0, -250.0, np.nan])
    np.testing.assert_array_equal(digitized(VALUES, 0.0, 0.5), expected)


def test_values_beyond_the_range_are_clipped_on_either_side():
    expected = np.float32([-70.04, -69.96, 0.0, 39.99, 100.0, -100.0, np.nan])
    np.testing.assert_array_equal(digitized(VALUES, 100.0, 0.0), expected)


def test_with_both_the_last_code_is_the_last_step_inside_the_range():
    assert digitized([1000.0, -1000.0], 100.2, 0.5).tolist() == [100.0, -100.0]
    # 0.3 / 0.1 is less than 3 in floating point.
    assert digitized([1.0], 0.3, 0.1)[0] == np.float32(3 * 0.1)


@given(
    value=st.floats(-500.0, 500.0, width=32),
    span=st.floats(1.0, 400.0),
    step=st.floats(1e-3, 5.0),
)
def test_what_comes_out_is_a_step_inside_the_range_and_the_nearest_one(value, span, step):
    out = float(digitized([value], span, step)[0])
    code = round(out / step)
    assert out == float(np.float32(code * step))
    assert abs(out) <= span * (1.0 + 1e-6)
    if abs(value) < span - step:
        assert abs(out - value) <= 0.5 * step * (1.0 + 1e-6) + 1e-4
