"""What is said of a protocol before it is played is what its opening would say, and names the field."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.domain import Domain
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.review import review
from rig_plugin.settings import SettingsError
from rig_plugin.unread import unread
from simulators.limits import Limits

FAMILY = ProtocolSettings(start=0.0, stop=90.0, step=10.0, interval=2500.0)
LIMITS = Limits(-200.0, 500.0)
JUDGE = partial(unread, domain=Domain({"amplitude": (-50.0, 65.0)}), rate=20.0)


def test_a_family_that_can_be_played_has_its_sweeps_and_its_time_and_no_faults():
    found = review(FAMILY, LIMITS, is_alive=True)
    assert (found.faults, found.remark) == ({}, None)
    assert [stimulus.amplitude for stimulus in found.stimuli] == [10.0 * k for k in range(10)]
    assert found.duration == pytest.approx(9 * 2.5 + 1.0)
    assert review(FAMILY, LIMITS, is_alive=None).duration == pytest.approx(10.0)
    assert review(replace(FAMILY, gap_free=30_000.0), LIMITS).duration == 30.0


@pytest.mark.parametrize(
    "field, changed, words",
    [
        ("step", {"step": 0.0}, "by 0 pA, a step_pA that arrives"),
        ("step", {"step": -10.0}, "by -10 pA, a step_pA that arrives"),
        ("test_pulse", {"test_pulse": 120.0}, "one of at most 100 pA was wanted"),
        ("stop", {"stop": 600.0}, "outside the limits [-200, 500] pA: lower the step"),
        ("start", {"start": -300.0}, "outside the limits"),
        ("amplitudes", {"amplitudes": (0.0, 501.0)}, "outside the limits"),
        ("holding", {"holding": -250.0}, "outside the limits"),
        ("test_pulse", {"holding": -150.0, "test_pulse": -80.0}, "outside the limits"),
        ("duration", {"duration": 60_000.0, "interval": 100_000.0}, "shorten it"),
        ("interval", {"interval": 1900.0}, "interval_s is 1.9, 2 s at least"),
        ("interval", {"duration": 3000.0}, "set it to more than 3.5"),
    ],
)
def test_what_can_not_be_played_is_said_of_its_field_with_the_remedy(field, changed, words):
    found = review(replace(FAMILY, **changed), LIMITS, is_alive=True)
    assert list(found.faults) == [field]
    assert words in found.faults[field]


def test_sweeps_that_are_not_read_are_counted_and_a_family_of_which_none_is_read_is_refused():
    found = review(FAMILY, LIMITS, JUDGE)
    assert found.unread == {7, 8, 9}
    assert found.faults == {}
    assert found.remark.startswith("3 of 10 sweeps are played and not read. The step is 70 pA, outside the -50 to 65")
    none = review(replace(FAMILY, start=70.0), LIMITS, JUDGE)
    assert none.remark is None
    assert none.faults["network"].startswith("None of it can be read. The step is 70 pA")


currents = st.floats(-800.0, 800.0, allow_nan=False).map(lambda value: round(value, 1))


@given(start=currents, stop=currents, step=currents, holding=currents, pulse=st.floats(-100.0, 100.0))
def test_a_rig_file_is_refused_exactly_where_the_review_finds_a_fault(start, stop, step, holding, pulse):
    settings = ProtocolSettings(start=start, stop=stop, step=step, holding=holding, test_pulse=round(pulse, 1))
    faults = review(settings, LIMITS).faults
    if not faults:
        settings.check(LIMITS)
        for stimulus in settings.stimuli():
            LIMITS.check(stimulus)
        return
    (sentence,) = faults.values()
    with pytest.raises(SettingsError) as refusal:
        settings.check(LIMITS)
    assert str(refusal.value) == f"[protocol] {sentence}"
