import pytest

from estimators.admission import Tolerance, ToleranceError, ladder, refusal
from estimators.candidate import Setting, StepCandidate
from estimators.context import Context

SETTING = Setting()


def tolerated(*amplitudes, **more):
    contexts = [Context(a, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0) for a in amplitudes]
    return Tolerance.of(contexts, **more)


def test_the_first_step_is_expected_to_hyperpolarize_by_ten_millivolts():
    assert [r.amplitude for r in ladder(tolerated(resistance=200.0), 500.0, -250.0, 500.0)] == [-50.0]
    assert [r.amplitude for r in ladder(tolerated(resistance=20.0), 500.0, -250.0, 500.0)] == [-250.0]
    assert [r.amplitude for r in ladder(tolerated(smallest=8.0), 500.0, -250.0, 500.0)] == [-8.0]


def test_with_one_trusted_sweep_the_rungs_go_no_higher_than_twice_of_it():
    rungs = ladder(tolerated(-50.0), 500.0, -250.0, 500.0)
    assert [r.amplitude for r in rungs] == [100.0, 50.0, -100.0, -50.0]
    for rung in rungs:
        assert refusal(rung, tolerated(-50.0), SETTING, rungs) is None


def test_fewer_than_two_trusted_sweeps_offer_the_ladder_only():
    for cell in (tolerated(resistance=100.0), tolerated(-50.0)):
        rungs = ladder(cell, 500.0, -250.0, 500.0)
        why = refusal(StepCandidate(20.0), cell, SETTING, rungs)
        assert why.startswith(f"{cell.trusted} of the 2 sweeps are trusted")
        assert rungs[0].words in why
    assert refusal(StepCandidate(20.0), tolerated(-50.0, 20.0), SETTING, ()) is None


def test_no_step_is_more_than_twice_the_largest_that_was_tolerated():
    cell = tolerated(-50.0, 60.0)
    assert refusal(StepCandidate(120.0), cell, SETTING, ()) is None
    assert "121 pA from the holding; no more than 120 pA" in refusal(StepCandidate(121.0), cell, SETTING, ())
    # A new holding is a step, too.
    assert "200 pA" in refusal(StepCandidate(-50.0, holding=200.0), cell, SETTING, ())
    assert "first step of an unknown cell is -5 pA" in refusal(StepCandidate(10.0), tolerated(), SETTING, ())


def test_an_excluded_sweep_was_not_tolerated():
    borne = Context(40.0, 10.0, 1.0, 500.0, 200.0, 300.0, 20.0)
    aborted = Context(400.0, 10.0, 1.0, 500.0, 200.0, 300.0, 20.0, excluded=1.0)
    assert Tolerance.of([borne, aborted]) == Tolerance(1, 40.0, 10.0)


def test_what_is_impossible_of_a_cell_is_refused():
    with pytest.raises(ToleranceError, match="resistance is 0 MOhm"):
        Tolerance(resistance=0)
    with pytest.raises(ToleranceError, match="-1 trusted sweeps"):
        Tolerance(trusted=-1)
