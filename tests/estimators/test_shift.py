import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.shift import Shift, onset, shift_between
from simulators.parameter import Parameter

G_NA = Parameter("g_Na", "mS/cm2", 5.0, 120.0)
E_LEAK = Parameter("E_leak", "mV", -100.0, -45.0)


def normal(mean, sd, seed=0):
    return np.random.default_rng(seed).normal(mean, sd, 4000)


def test_the_change_has_the_width_of_both_posteriors_together():
    shift = shift_between(E_LEAK, normal(-70.0, 3.0), normal(-60.0, 4.0, 1), 7, 1.5)
    low, middle, high = shift.change
    assert middle == pytest.approx(10.0, abs=0.3)
    assert high - low == pytest.approx(2 * 1.645 * 5.0, rel=0.05)
    assert shift.percent is None
    assert (shift.since, shift.strength, shift.unit) == (7, 1.5, "mV")


def test_a_conductance_changes_by_percent_of_what_it_was():
    shift = shift_between(G_NA, normal(60.0, 1.0), normal(30.0, 1.0, 1), 13, 2.0)
    assert shift.percent[1] == pytest.approx(-50.0, abs=1.0)
    assert shift.sentence.startswith("g_Na changed from sweep 13 on: from 60 to 30 mS/cm2, by -50 % (-5")


def test_what_goes_to_the_file_is_json_with_names():
    shift = shift_between(E_LEAK, normal(-70.0, 3.0), normal(-60.0, 4.0, 1), 7, 1.5)
    told = json.loads(json.dumps(shift.to_json(), allow_nan=False))
    assert told["parameter"] == "E_leak"
    assert told["percent"] is None
    assert told["change"] == dict(zip(("q05", "median", "q95"), shift.change, strict=True))
    assert set(told) == set(asdict(Shift("", "", 0, (0,) * 3, (0,) * 3, (0,) * 3, None, 0.0)))


@given(st.integers(2, 30), st.integers(3, 30), st.floats(-5.0, 5.0), st.sampled_from(["step", "ramp"]))
def test_the_onset_of_a_clean_course_is_where_it_leaves_its_level(level, rest, height, shape):
    if abs(height) < 0.1:
        height = 1.0
    after = np.ones(rest) if shape == "step" else np.arange(1.0, rest + 1)
    course = np.concatenate([np.zeros(level), height * after])
    assert onset(course, np.full(level + rest, 0.3)) == level


def test_what_was_hardly_known_says_little_of_the_onset():
    middles, widths = np.array([3.0, 0.0, 0.0, 0.0, 1.0, 1.0]), np.array([9.0, *[0.2] * 5])
    assert onset(middles, widths) == 4
