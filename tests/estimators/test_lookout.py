"""An alarm is raised where a parameter has changed, and seldom where none has."""

import numpy as np
import pytest

from estimators.cell import CELL
from estimators.lookout import MOST, Lookout, comparisons, outline
from estimators.stillness import limits, wandering
from simulators.cortical import Cortical

PARAMETERS = Cortical.parameters[:3]
NAMES = CELL[:3]


def posteriors(means, sd=0.2, seed=0):
    """Draws whose unconstrained means are given, in physical units, one array a sweep."""
    rng = np.random.default_rng(seed)
    for mean in means:
        u = rng.normal(mean, sd, (400, len(PARAMETERS)))
        yield np.stack([p.constrain(u[:, k]) for k, p in enumerate(PARAMETERS)], axis=1)


def followed(means, limit=3.0, first=0, **given):
    lookout = Lookout(PARAMETERS, np.full(len(PARAMETERS), limit))
    return [lookout.after(first + k, draws) for k, draws in enumerate(posteriors(means, **given))]


def jump(at, of, by, sweeps=12):
    means = np.zeros((sweeps, len(PARAMETERS)))
    means[at:, of] = by
    return means


def test_a_parameter_that_jumps_is_told_by_name_with_its_first_sweep_and_size():
    told = followed(jump(5, 1, -2.0), first=30)
    assert [len(shifts) for shifts in told] == [0] * 5 + [1] * 7
    (shift,) = told[-1]
    assert (shift.parameter, shift.unit, shift.since) == (NAMES[1], PARAMETERS[1].unit, 35)
    p = PARAMETERS[1]
    was, become = p.constrain(np.array(0.0)), p.constrain(np.array(-2.0))
    assert shift.change[0] < become - was < shift.change[2]
    assert shift.percent[0] < 100 * (become - was) / was < shift.percent[2] < 0.0
    assert shift.strength > 1.0


def test_a_cell_that_holds_still_raises_none():
    assert not any(followed(np.zeros((40, len(PARAMETERS))), limit=1.0))


def test_an_alarm_is_not_taken_back_but_its_size_is_that_of_now():
    means = jump(4, 0, 2.0)
    means[8:, 0] = 0.5
    told = followed(means)
    assert all(shifts[0].parameter == NAMES[0] for shifts in told[4:])
    assert told[-1][0].now[1] < told[5][0].now[1]


def test_the_surest_comes_first():
    means = jump(5, 2, 1.5) + jump(5, 0, 3.0)
    assert [shift.parameter for shift in followed(means)[-1]] == [NAMES[0], NAMES[2]]


def test_only_the_latest_sweeps_are_compared():
    told = followed(jump(2, 0, 2.0, sweeps=MOST + 6))
    (soon,), (late,) = told[10], told[-1]
    assert soon.change[0] > 0.0
    # All that is compared lies behind the jump: of what was before it nothing is said any more.
    assert late.change[0] < 0.0 < late.change[2]


def test_draws_of_other_parameters_are_refused():
    with pytest.raises(ValueError, match=r"shape \(10, 4\), \(s, 3\) was wanted"):
        Lookout(PARAMETERS, np.ones(3)).after(0, np.ones((10, 4)))


def wandered(cells, seed, sweeps=15):
    """Posterior courses of cells that hold still: what is known drifts within its own width."""
    rng = np.random.default_rng(seed)
    for _ in range(cells):
        widths = np.tile(1.0 / np.sqrt(1.0 + np.arange(sweeps)), (4, 1)).T * [0.2, 1.0, 1.0, 3.0]
        yield widths * rng.normal(0.0, [1.0, 0.3, 1.0, 2.0], (sweeps, 4)), widths


def test_one_session_in_twenty_of_cells_that_hold_still_is_an_alarm():
    fitted = limits(np.stack([wandering(*course) for course in wandered(400, 0)]))
    assert fitted.shape == (4,)
    fresh = np.stack([wandering(*course) for course in wandered(1500, 1)])
    alarms = (fresh > fitted).any(axis=1).mean()
    assert 0.01 < alarms < 0.09
    # No parameter has all the alarms, however differently they wander.
    assert (fresh > fitted).mean(axis=0).max() < 0.7 * alarms


def test_a_session_wanders_as_far_as_its_farthest_comparison():
    middles, widths = np.array([[0.0], [3.0], [0.5]]), np.ones((3, 1))
    assert wandering(middles, widths) == pytest.approx(3.0 / np.sqrt(2.0))
    assert comparisons(middles, widths).ravel() == pytest.approx([0.5 / np.sqrt(2.0), -2.5 / np.sqrt(2.0)])


def test_limits_want_enough_sessions():
    assert limits(np.ones((40, 2))) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="30 sessions to measure limits on; 40 at least"):
        limits(np.ones((30, 2)))


def test_an_outline_is_never_without_width():
    middle, width = outline(np.full((50, 2), 1.5))
    assert (middle == 1.5).all()
    assert (width > 0.0).all()
