import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.candidate import CandidateError, Setting, StepCandidate

STEPS = st.builds(
    StepCandidate,
    st.floats(-500, 500),
    st.sampled_from([0.0, -50.0]),
    st.sampled_from([200.0, 500.0, 800.0]),
)


@given(STEPS, st.floats(50, 250), st.sampled_from([10.0, 25.0, 50.0]))
def test_what_the_network_is_told_is_what_the_rig_plays(candidate, baseline, rate):
    setting = Setting(baseline=baseline, rate=rate, start=7.0)
    context, stimulus = candidate.context(setting), candidate.stimulus(setting)
    assert context.amplitude == pytest.approx(stimulus.amplitude)
    assert (context.holding, context.duration) == (stimulus.holding, stimulus.step_duration)
    assert (context.baseline, context.tail) == (stimulus.baseline, stimulus.tail)
    assert (context.start, context.excluded, context.history_duration) == (7.0, 0.0, 0.0)
    assert (candidate.duration * rate) % 1 == pytest.approx(0.0, abs=1e-6)


@given(STEPS, STEPS, STEPS)
def test_to_cover_is_an_order_and_never_crosses_zero_or_the_holding(one, other, third):
    assert one.covers(one)
    if one.covers(other) and other.covers(one):
        assert one == other or one.amplitude == other.amplitude == 0.0 or one.duration == other.duration
    if one.covers(other) and other.covers(third) and other.amplitude:
        assert one.covers(third)
    if one.holding != other.holding or one.amplitude * other.amplitude < 0:
        assert not one.covers(other)


def test_a_step_costs_its_length_and_the_rest_and_never_less_than_the_interval():
    setting = Setting(baseline=200.0, tail=300.0, rest=2.0)
    assert StepCandidate(10.0, duration=500.0).seconds(setting) == pytest.approx(3.0)
    assert StepCandidate(10.0, duration=500.0).seconds(Setting(rest=0.0, interval=5.0)) == 5.0


def test_what_cannot_be_played_is_refused_with_its_numbers():
    with pytest.raises(CandidateError, match="nan pA for 500"):
        StepCandidate(math.nan)
    with pytest.raises(CandidateError, match=r"0\.2 ms or more"):
        StepCandidate(1.0, duration=0.0)
    with pytest.raises(CandidateError, match="rest of the sweep to come is -1"):
        Setting(rest=-1.0)
    with pytest.raises(CandidateError, match="rate of the sweep to come is 0"):
        Setting(rate=0.0)
