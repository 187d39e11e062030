import time

import numpy as np
import pytest

from estimators.candidate import StepCandidate
from estimators.features import NAMES
from estimators.foresight import Answers, Scores
from estimators.weighing import Weighing
from estimators.wish import Wish

STEPS = [StepCandidate(10.0 * (k + 1)) for k in range(4)]
ENTROPY = 5.0


class Cells:
    """Whose gains are drawn about a mean for each candidate, and whose entropies follow them."""

    entropy = ENTROPY

    def __init__(self, means, spread, apart=(0.0, 0.0, 0.0, 0.0), steps=STEPS):
        self.means, self.spread = dict(zip(steps, means, strict=True)), spread
        self.apart = dict(zip(steps, apart, strict=True))
        self.scored = []

    def simulate(self, candidates, blocks):
        pass

    def block(self, candidate, k):
        return Answers(np.zeros((32, len(NAMES))), np.zeros(32, dtype=bool))

    def scores(self, candidates, answers, draws):
        self.scored.append((len(candidates), int(draws[0])))
        found = []
        for candidate in candidates:
            rng = np.random.default_rng([int(candidate.amplitude), int(draws[0])])
            gain = self.means[candidate] + self.spread * rng.standard_normal(len(draws))
            found.append(Scores(gain, ENTROPY - gain + self.apart[candidate]))
        return found


def weigh(cells, *, wish=None, deadline=None, most=256, steps=STEPS):
    weighing = Weighing(cells, cells, wish or Wish(), deadline, most)
    weighing.weigh(steps)
    return weighing


def test_a_clear_leader_takes_one_block_of_draws():
    weighing = weigh(Cells([3.0, 1.0, 0.5, 0.0], 0.5))
    assert weighing.leader == STEPS[0]
    assert {len(weight.gains) for weight in weighing.weights.values()} == {32}


def test_the_draws_are_doubled_until_the_leader_is_ahead():
    weighing = weigh(Cells([1.4, 1.0, 0.9, 0.8], 1.2))
    leader = weighing.leader
    assert leader == STEPS[0]
    assert len(weighing.weights[leader].gains) > 32
    assert weighing.is_settled


def test_equals_are_settled_once_the_difference_is_known_well_enough():
    weighing = weigh(Cells([1.0, 1.0, 1.0, 1.0], 0.3))
    assert weighing.is_settled
    assert len(weighing.weights[STEPS[0]].gains) <= 64


def test_a_rival_that_is_clearly_behind_gets_no_more_draws():
    weighing = weigh(Cells([2.0, 2.0, 2.0, -4.0], 1.0))
    draws = [len(weighing.weights[step].gains) for step in STEPS]
    assert draws[3] == 32
    assert min(draws[:3]) > 32


def test_draws_end_at_the_most_and_at_the_deadline():
    assert len(weigh(Cells([1.0] * 4, 5.0), most=128).weights[STEPS[0]].gains) == 128
    late = weigh(Cells([1.0] * 4, 5.0), deadline=time.monotonic() - 1.0)
    assert late.is_late
    assert len(late.weights[STEPS[0]].gains) == 32


def test_a_gain_that_the_entropy_contradicts_does_not_lead():
    cells = Cells([3.0, 1.0, 0.5, 0.0], 0.2, [0.8, 0.0, 0.0, 0.0])
    weighing = weigh(cells)
    assert weighing.weights[STEPS[0]].disagrees(0.5)
    assert weighing.leader == STEPS[1]
    assert weigh(cells, wish=Wish(disagreement=1.0)).leader == STEPS[0]


def test_what_all_candidates_are_off_by_contradicts_none():
    steps = [StepCandidate(10.0 * (k + 1)) for k in range(6)]
    means = [3.0, 1.0, 0.5, 0.0, 0.2, 0.1]
    assert weigh(Cells(means, 0.2, [0.8] * 6, steps), steps=steps).leader == steps[0]
    assert weigh(Cells(means, 0.2, [2.0] + [0.8] * 5, steps), steps=steps).leader == steps[1]


def test_figures_are_means_of_the_draws_and_errors_their_standard_errors():
    weighing = weigh(Cells([3.0, 1.0, 0.5, 0.0], 0.5))
    weight = weighing.weights[STEPS[1]]
    assert weight.gain == pytest.approx(weight.gains.mean())
    assert weight.reduction == pytest.approx(ENTROPY - weight.entropies.mean())
    assert weight.error == pytest.approx(weight.gains.std(ddof=1) / np.sqrt(32))
    apart = weighing.weights[STEPS[0]].gains - weight.gains
    assert weighing.lead(STEPS[0], STEPS[1]) == pytest.approx((apart.mean(), apart.std(ddof=1) / np.sqrt(32)))


def test_candidates_that_come_later_are_weighed_beside_the_others():
    cells = Cells([1.0, 2.0, 0.0, 0.0], 0.2)
    weighing = Weighing(cells, cells, Wish(), None, 256)
    weighing.weigh(STEPS[:1])
    assert weighing.leader == STEPS[0]
    weighing.weigh(STEPS[1:])
    assert weighing.leader == STEPS[1]
