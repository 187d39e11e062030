import time

import numpy as np
import pytest

from estimators.abort import AbortRule
from estimators.candidate import Setting, StepCandidate
from estimators.features import NAMES
from estimators.foresight import BLOCK, Answers
from estimators.proof import Proof

SETTING = Setting()
MILD, HARSH, DOWN = StepCandidate(50.0), StepCandidate(100.0), StepCandidate(-100.0)


class Cells:
    """Draws that each abort at a current of their own."""

    most = 320

    def __init__(self, fragile=(), bears=75.0):
        self.bears = np.full(self.most, np.inf)
        self.bears[list(fragile)] = bears
        self.asked = []

    def answers(self, asked):
        self.asked += [(candidate, len(draws)) for candidate, draws in asked]
        return [Answers(np.zeros((len(d), len(NAMES))), c.amplitude > self.bears[d]) for c, d in asked]


def prove(cells, candidates, **more):
    proof = Proof(cells, AbortRule(), SETTING, **more)
    proof.prove(candidates)
    return proof


def test_a_mild_step_needs_no_draw_of_its_own_where_a_harsher_one_is_borne():
    cells = Cells()
    proof = prove(cells, (MILD, DOWN, HARSH))
    assert cells.asked == [(MILD, 32), (DOWN, 32), (HARSH, 32), (DOWN, 128), (HARSH, 128)]
    for candidate in (MILD, HARSH, DOWN):
        assert proof.counts(candidate) == (0, 160)
        assert proof.refusal(candidate) is None


def test_only_the_draws_that_aborted_are_simulated_under_the_milder_step():
    cells = Cells(fragile=range(0, 60, 7))
    proof = prove(cells, (MILD, HARSH))
    assert "would be aborted" in proof.refusal(HARSH)
    assert proof.refusal(MILD) is None
    # The harsh one was given up after its first look; the mild one stands on its own.
    assert sum(count for candidate, count in cells.asked if candidate == MILD) == 160
    few = Cells(fragile=[40, 50, 60])
    assert prove(few, (MILD, HARSH)).refusal(MILD) is None
    assert few.asked[-1] == (MILD, 3)


def test_one_abort_in_160_draws_is_admitted_only_by_more_draws():
    proof = prove(Cells(fragile=[3]), [HARSH])
    aborted, known = proof.counts(HARSH)
    assert (aborted, proof.refusal(HARSH)) == (1, None)
    assert known > 160
    assert prove(Cells(fragile=[3, 50, 100]), [HARSH]).refusal(HARSH) is not None


def test_a_share_above_two_percent_is_refused_with_the_share_and_the_bounds():
    why = prove(Cells(fragile=range(16)), [HARSH]).refusal(HARSH)
    assert why.startswith("50 % of 32 predicted sweeps would be aborted (Vm above -10 mV, below -120 mV")
    assert why.endswith("less than 2 % is admitted.")


def test_what_a_draw_does_itself_outweighs_what_a_harsher_step_did():
    cells = Cells()
    proof = prove(cells, (MILD, HARSH))
    cells.bears[32:42] = 20.0
    proof.block(MILD, 1)
    assert proof.counts(MILD)[0] == 10
    assert proof.refusal(MILD) is not None


def test_a_block_is_simulated_once():
    cells = Cells()
    proof = prove(cells, [HARSH])
    asked = len(cells.asked)
    assert proof.block(HARSH, 0) is proof.block(HARSH, 0)
    assert len(cells.asked) == asked
    assert [count for _, count in cells.asked] == [BLOCK, 4 * BLOCK]


def test_a_doubt_that_there_is_no_time_to_settle_is_a_refusal_and_says_so():
    cells, late = Cells(fragile=[3]), time.monotonic() - 1.0
    proof = prove(cells, [HARSH], deadline=late)
    assert proof.is_late
    assert proof.refusal(HARSH).startswith("In the time there was, 1 of 160")
    # What leaves no doubt is admitted, however little time there is, and of the milder step all is known.
    hurried = prove(cells, [HARSH, MILD], deadline=late)
    assert hurried.refusal(MILD) is None
    assert hurried.counts(MILD) == (0, 160)


@pytest.mark.parametrize("amplitude", [50.0, 100.0])
def test_a_step_that_all_draws_bear_is_admitted(amplitude):
    assert prove(Cells(), [StepCandidate(amplitude)]).refusal(StepCandidate(amplitude)) is None
