from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from estimators.candidate import Setting, StepCandidate
from estimators.designs import Designs
from estimators.domain import Domain
from estimators.menu import allowed, around, menu
from simulators.limits import Limits

DOMAIN = Domain(Designs().domain())


def test_sixteen_steps_of_both_signs_are_offered_where_all_are_allowed():
    offered = menu(DOMAIN, Limits(), Setting())
    assert len(offered) == 16
    assert {step.amplitude > 0 for step in offered} == {True, False}
    assert len({step.duration for step in offered}) == 2


def test_a_fine_grid_goes_up_by_less_than_an_eighth_from_step_to_step():
    offered = menu(DOMAIN, Limits(), Setting(), fine=True)
    assert len(offered) == 74
    up = sorted({step.amplitude for step in offered if step.amplitude > 0})
    assert max(b / a for a, b in pairwise(up)) < 1.14
    assert up[-1] == menu(DOMAIN, Limits(), Setting())[7].amplitude


@given(st.floats(5, 2000), st.floats(20, 1000), st.floats(-200, 200), st.booleans())
def test_nothing_leaves_the_domain_the_limits_or_the_reach(reach, bound, holding, fine):
    limits = Limits(-bound, bound)
    for step in menu(DOMAIN, limits, Setting(), reach=reach, holdings=(holding,), fine=fine):
        limits.check(step.stimulus(Setting()))
        DOMAIN.check(step.context(Setting()))
        assert abs(step.amplitude) <= reach + 0.1


def test_the_steps_about_a_leader_come_nearer_from_round_to_round():
    leader = StepCandidate(100.0, 0.0, 500.0)
    spans = []
    for round_ in range(3):
        near = around(leader, DOMAIN, Limits(), Setting(), round_=round_)
        assert leader not in near
        assert {step.holding for step in near} == {0.0}
        spans.append(max(abs(step.amplitude - 100.0) for step in near))
    assert spans[0] > spans[1] > spans[2] > 0
    held = around(leader, DOMAIN, Limits(), Setting(), holdings=True)
    assert {step.holding for step in held} == {-10.0, 0.0, 10.0}


def test_a_step_outside_says_which_bound_it_leaves():
    assert allowed(StepCandidate(100.0), DOMAIN, Limits(), Setting()) is None
    assert "limits [-50, 50] pA" in allowed(StepCandidate(100.0), DOMAIN, Limits(-50, 50), Setting())
    assert "outside the 200 to 1000 ms" in allowed(StepCandidate(100.0, 0.0, 50.0), DOMAIN, Limits(), Setting())
