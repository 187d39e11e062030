import numpy as np
import pytest
import torch

from estimators.firing import Firing
from estimators.scaling import Scaling
from estimators.yardstick import COUNTS, Yardstick

SEEN, ASKED = np.arange(0.0, 300.0, 40.0), np.arange(20.0, 300.0, 40.0)
CURRENTS = np.concatenate([SEEN, ASKED])
ALL = np.arange(60)


def counted(rheobase, slope=0.06, currents=CURRENTS):
    return np.maximum(np.round(0.5 + slope * (currents - rheobase)), 0.0)


@pytest.fixture
def yardstick(sets):
    scaling = Scaling()
    scaling.fit(torch.from_numpy(sets.features), torch.from_numpy(sets.context))
    return Yardstick(scaling)


def firing(yardstick, made, truth, draws=60):
    rows = np.tile(made, (draws, 1)) if np.ndim(made) == 1 else made
    return Firing(yardstick, CURRENTS, rows, truth[: len(SEEN)], np.random.default_rng(0))


def interval(yardstick, firing, k):
    drawn = np.zeros((len(ALL), len(yardstick._unit)))
    drawn[:, COUNTS[0]] = firing.draw(len(SEEN) + k, ALL)
    return np.quantile(yardstick.back(drawn)[:, COUNTS[0]], [0.05, 0.95])


@pytest.mark.parametrize("made", [counted(100.0), counted(40.0), counted(190.0), np.zeros(len(CURRENTS))])
def test_whatever_the_model_gives_the_counts_between_those_seen_are_held(yardstick, made):
    truth = counted(100.0)
    learned = firing(yardstick, made, truth)
    held = [low <= truth[len(SEEN) + k] <= high for k in range(7) for low, high in [interval(yardstick, learned, k)]]
    assert np.mean(held) >= 6 / 7
    assert max(np.ptp(interval(yardstick, learned, k)) for k in range(1, 6)) <= 4.0


def test_a_model_that_is_right_has_more_evidence_and_a_larger_share_than_one_that_is_jagged(yardstick):
    rng = np.random.default_rng(4)
    jagged = counted(100.0) * rng.choice([0.2, 2.0], len(CURRENTS))
    learned = firing(yardstick, np.stack([counted(100.0), jagged]), counted(100.0))
    assert learned.evidence[0] > learned.evidence[1] + 1.0
    assert learned.share[0] > learned.share[1] + 0.3


def test_the_rheobase_lies_between_the_last_silent_step_and_the_first_that_fires(yardstick):
    truth = counted(100.0)
    drawn = firing(yardstick, counted(60.0), truth).rheobase(ALL)
    fired = SEEN[truth[: len(SEEN)] > 0].min()
    assert (drawn <= fired).all()
    assert (drawn >= fired - 40.0).all()
    assert np.median(drawn) == pytest.approx(100.0, abs=20.0)


def test_a_cell_that_never_fired_may_have_no_rheobase_among_the_currents(yardstick):
    learned = firing(yardstick, np.zeros(len(CURRENTS)), np.zeros(len(CURRENTS)))
    assert (learned.rheobase(ALL) > 200.0).all()
    assert interval(yardstick, learned, 0)[1] <= 1.0


def test_one_sweep_is_enough_to_learn_from(yardstick):
    learned = Firing(yardstick, CURRENTS, np.tile(counted(100.0), (60, 1)), np.array([2.0]), np.random.default_rng(0))
    assert np.isfinite(learned.evidence).all()
    assert np.isfinite(learned.draw(5, ALL)).all()
