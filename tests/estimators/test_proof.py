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

    def answers(self, candidate, draws):
        self.asked.append((candidate, len(draws)))
        return Answers(np.zeros((len(draws), len(NAMES))), candidate.amplitude > self.bears[draws])


def prove(cells, candidates, **more):
    proof = Proof(cells, AbortRule(), SETTING, **more)
    proof.prove(candidates)
    return proof


def test_a_mild_step_needs_no_draw_of_its_own_where_a_harsher_one_is_borne():
    cells = Cells()
    proof = prove(cells, (MILD, DOWN, HARSH))
    assert {candidate for candidate, _ in cells.asked} == {HARSH, DOWN}
    for candidate in (MILD, HARSH, DOWN):
        assert proof.counts(candidate) == (0, 160)
        assert proof.refusal(candidate) is None


def test_only_the_draws_that_aborted_are_simulated_under_the_milder_step():
    cells = Cells(fragile=range(0, 60, 7))
    proof = prove(cells, (MILD, HARSH))
    assert "would be aborted" in proof.refusal(HARSH)
    assert proof.refusal(MILD) is None
    # The harsh one was given up before all its draws were simulated; those were not asked twice.
    assert sum(count for candidate, count in cells.asked if candidate == MILD) < 160


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
    cells.bears[:10] = 20.0
    proof.block(MILD, 0)
    assert proof.counts(MILD)[0] == 10
    assert proof.refusal(MILD) is not None


def test_a_block_is_simulated_once():
    cells = Cells()
    proof = prove(cells, [HARSH])
    asked = len(cells.asked)
    assert proof.block(HARSH, 0) is proof.block(HARSH, 0)
    assert len(cells.asked) == asked
    assert all(count == BLOCK for _, count in cells.asked)


def test_what_could_not_be_proven_in_time_is_refused_and_says_so():
    proof = prove(Cells(), [HARSH], deadline=time.monotonic() - 1.0)
    assert proof.is_late
    assert proof.refusal(HARSH).startswith("In the time there was, 0 of 0")


@pytest.mark.parametrize("amplitude", [50.0, 100.0])
def test_a_step_that_all_draws_bear_is_admitted(amplitude):
    assert prove(Cells(), [StepCandidate(amplitude)]).refusal(StepCandidate(amplitude)) is None
