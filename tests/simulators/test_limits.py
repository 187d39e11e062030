import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.limits import Limits
from simulators.stimulus import Epoch, Stimulus, step


def test_the_message_names_the_command_the_limits_and_the_remedy():
    with pytest.raises(ValueError) as caught:
        Limits(-500, 1000).check(step(1200.0))
    assert str(caught.value) == (
        "Command spans [0, 1200] pA, outside the limits [-500, 1000] pA: lower the step or raise the limits."
    )


def test_the_holding_counts():
    with pytest.raises(ValueError, match="outside the limits"):
        Limits(-100, 100).check(step(60.0, holding=50.0))


def test_a_stimulus_that_lasts_too_long_is_refused():
    with pytest.raises(ValueError, match="longer than the limit of 900 ms"):
        Limits(duration=900.0).check(step(10.0))


@given(st.lists(st.floats(-2000, 2000), min_size=2, max_size=6), st.floats(-1500, -1), st.floats(1, 1500))
def test_what_passes_the_limits_stays_inside_them_sample_by_sample(levels, low, high):
    stimulus = Stimulus("current", tuple(Epoch(level, 10.0) for level in levels))
    command = stimulus.command(10.0)
    is_inside = bool(np.all((command >= low) & (command <= high)))
    try:
        Limits(low, high).check(stimulus)
    except ValueError:
        assert not is_inside
    else:
        assert is_inside


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, 0), (float("-inf"), 0), (0, float("nan"))])
def test_limits_that_are_none_are_refused(low, high):
    with pytest.raises(ValueError, match="finite, ordered ones were wanted"):
        Limits(low, high)


def test_a_voltage_is_held_against_a_limit_of_its_own():
    clamp = Stimulus("voltage", (Epoch(-70.0, 10.0), Epoch(-210.0, 10.0)))
    with pytest.raises(ValueError, match=r"spans \[-210, -70\] mV, outside the limits \[-200, 200\] mV"):
        Limits(-500, 500).check(clamp)
    Limits(-50, 50, voltage=210.0).check(clamp)
    with pytest.raises(ValueError, match="Limit of the voltage is 0 mV"):
        Limits(voltage=0)
