import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.stimulus import Dose, Epoch, Stimulus, step

levels = st.floats(-1000, 1000)
lengths = st.floats(0.01, 500)
rates = st.floats(1, 100)
epochs = st.lists(st.builds(Epoch, levels, lengths), min_size=2, max_size=8)


@given(epochs, rates)
def test_a_command_has_one_sample_for_every_tick_of_the_stimulus(parts, rate):
    stimulus = Stimulus("current", tuple(parts))
    assert stimulus.command(rate).size == round(float(np.sum([e.duration for e in parts])) * rate) or np.isclose(
        stimulus.duration * rate % 1, 0.5, atol=1e-6
    )


@given(epochs, rates)
def test_rounding_never_adds_up_over_the_epochs(parts, rate):
    command = Stimulus("current", tuple(parts)).command(rate)
    elapsed = 0.0
    for part in parts:
        begin, elapsed = elapsed, elapsed + part.duration
        inside = command[int(np.ceil(begin * rate + 0.5)) : max(0, int(np.floor(elapsed * rate - 0.5)))]
        assert np.all(inside == part.level)


@given(levels, levels, lengths, lengths, lengths)
def test_a_step_says_what_it_was_made_of(amplitude, holding, onset, duration, tail):
    stimulus = step(amplitude, holding=holding, onset=onset, duration=duration, tail=tail)
    assert stimulus.holding == holding
    assert stimulus.amplitude == pytest.approx(amplitude, abs=1e-9)
    assert (stimulus.onset, stimulus.step_duration, stimulus.tail) == (onset, duration, tail)
    assert stimulus.baseline == onset
    assert stimulus.duration == pytest.approx(onset + duration + tail)


def test_a_prepulse_is_the_holding_of_the_step_that_follows_it():
    stimulus = Stimulus("current", (Epoch(0, 100), Epoch(-100, 300), Epoch(50, 500), Epoch(0, 200)), observed=2)
    assert (stimulus.holding, stimulus.amplitude) == (-100, 150)
    assert (stimulus.onset, stimulus.baseline, stimulus.tail) == (400, 300, 200)


def test_a_step_at_the_very_end_has_no_tail():
    assert Stimulus("current", (Epoch(0, 100), Epoch(50, 500))).tail == 0


@pytest.mark.parametrize("observed", [-1, 0, 2])
def test_a_step_without_an_epoch_before_it_is_refused(observed):
    with pytest.raises(ValueError, match=f"Epoch {observed} of 2 is to be observed"):
        Stimulus("current", (Epoch(0, 100), Epoch(50, 500)), observed=observed)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_no_rate_is_refused(rate):
    with pytest.raises(ValueError, match="kHz, a positive one was wanted"):
        step(100.0).command(rate)


@pytest.mark.parametrize(
    ("level", "duration"), [(float("nan"), 1.0), (float("inf"), 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, float("nan"))]
)
def test_an_epoch_that_cannot_be_played_is_refused(level, duration):
    with pytest.raises(ValueError, match="was wanted"):
        Epoch(level, duration)


def test_a_stimulus_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        step(100.0).observed = 2


@pytest.mark.parametrize(("factor", "added"), [(-0.1, 0.0), (math.nan, 0.0), (math.inf, 0.0), (1.0, math.nan)])
def test_a_dose_that_is_no_number_or_negative_is_refused(factor, added):
    with pytest.raises(ValueError, match=r"g_M is .* was wanted"):
        Dose("g_M", factor, added)


def test_two_doses_of_one_conductance_are_refused():
    with pytest.raises(ValueError, match="each conductance once"):
        Epoch(0.0, 10.0, (Dose("g_M", 0.0), Dose("g_M", 1.0, 2.0)))


def test_a_drug_acts_in_every_epoch_and_changes_no_command():
    plain = step(50.0, onset=100.0, duration=200.0, tail=50.0)
    dosed = plain.dosed((Dose("g_M", 1.0, -0.05),))
    assert (plain.is_dosed, dosed.is_dosed, dosed.dosed(())) == (False, True, plain)
    assert all(epoch.doses == (Dose("g_M", 1.0, -0.05),) for epoch in dosed.epochs)
    np.testing.assert_array_equal(dosed.command(20.0), plain.command(20.0))
