"""Cells change within minutes, and theta is a draw of the prior at every sweep all the same."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy import stats

from estimators.cell import CELL
from estimators.changes import NONE, Changes, changed
from estimators.generation import walk
from estimators.nuisances import Nuisances
from estimators.spec import SpecError, spec_from

START = np.arange(40) * 5.0
TRACKING, STEPS = (
    (files("estimators.pretrained") / f"{name}.toml").read_text(encoding="utf-8")
    for name in ("cortical-tracking", "cortical-steps")
)
OFTEN = Changes(rundown=0.6, wash=0.6, jump=0.6)
SLOW = Nuisances(walk=(3e7, 3e7))


def drawn(changes, cells, seed=0, start=START):
    rng = np.random.default_rng(seed)
    nuisances = replace(SLOW, changes=changes)
    return np.stack([walk(start, len(CELL), nuisances, rng, CELL) for _ in range(cells)])


def moved(changes, cells=300):
    """Which parameters ever move, by name, and their courses."""
    courses = drawn(changes, cells)
    return {name for k, name in enumerate(CELL) if (np.ptp(courses[:, :, k], axis=1) > 0.1).any()}, courses


def test_theta_is_a_draw_of_the_prior_at_every_sweep_of_cells_that_change():
    u = drawn(OFTEN, 1500)
    for sweep in (0, 1, 20, 38, 39):
        for k, name in enumerate(CELL):
            assert stats.kstest(u[:, sweep, k], "norm").pvalue > 1e-4, (sweep, name)
        assert np.abs(np.corrcoef(u[:, sweep].T) - np.eye(len(CELL))).max() < 0.1
    # And they do change: else all of this would hold of cells that stand still.
    assert (np.ptp(u, axis=1).max(axis=1) > 0.5).mean() > 0.4


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("rundown", {"g_Na", "g_K", "g_M"}),
        ("wash", {"g_Na", "g_K", "g_M", "g_leak", "E_leak", "V_T", "rate_factor"}),
        ("jump", {"bridge", "offset", "g_leak", "E_leak"}),
    ],
)
def test_each_kind_moves_what_it_is_about(kind, names):
    found, courses = moved(Changes(**{kind: 1.0}, lasting=(10.0, 100.0)))
    assert found == names
    steps = np.abs(np.diff(courses, axis=1)).max(axis=(1, 2))
    # A jump is whole between two sweeps, all else takes ten seconds at least.
    largest = np.ptp(courses, axis=1).max(axis=1)
    whole = steps[largest > 0.3] > 0.95 * largest[largest > 0.3]
    assert whole.all() if kind == "jump" else whole.mean() < 0.5


def test_the_size_is_that_of_a_whole_change():
    courses = drawn(Changes(jump=1.0, size=(0.7, 0.7)), 1500, start=np.arange(10) * 5.0)
    apart = courses[:, -1] - courses[:, 0]
    apart = apart[np.abs(apart) > 0.02]
    assert np.sqrt(np.mean(apart**2)) == pytest.approx(0.7, rel=0.05)


def test_as_many_cells_change_as_was_asked_for():
    still = np.ptp(drawn(Changes(rundown=0.5, wash=0.2, jump=0.0), 1000), axis=1).max(axis=1) < 0.03
    # A change may be over before the first sweep, or come too late to be seen.
    assert 0.4 < still.mean() < 0.55


def test_a_cell_that_does_not_change_draws_nothing_for_it():
    rng, other = (np.random.default_rng(5) for _ in range(2))
    plain, named = walk(START, 3, Nuisances(), rng), walk(START, 3, Nuisances(changes=NONE), other, ("C", "g_Na", "x"))
    np.testing.assert_array_equal(plain, named)
    assert rng.random() == other.random()


def test_parameters_that_may_change_have_to_be_named():
    with pytest.raises(ValueError, match="Of 12 parameters that may change 0 are named"):
        walk(START, 12, Nuisances(changes=OFTEN), np.random.default_rng(0))


def test_what_is_given_is_left_as_it_is():
    u = np.zeros((40, len(CELL)))
    changed(u, START, CELL, Changes(1.0, 1.0, 1.0), np.random.default_rng(0))
    assert (u == 0.0).all()


def test_a_spec_may_want_cells_that_change_and_one_that_does_not_say_so_has_none():
    spec, still = spec_from(TRACKING, "mine.toml"), spec_from(STEPS, "mine.toml")
    assert spec.nuisances.changes == Changes(0.3, 0.25, 0.3, (10.0, 600.0), (0.2, 1.8))
    assert still.nuisances.changes == NONE
    # It is the shipped process otherwise.
    assert spec.parameters == still.parameters
    assert spec.designs == still.designs


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("rundown = 0.3", "rundowns = 0.3", "the key nuisances.changes.rundowns is unknown"),
        ("rundown = 0.3", "rundown = 1.3", "nuisances.changes.rundown is 1.3, a number from 0 to 1 was wanted."),
        (
            "size = [0.2, 1.8]",
            "size = [0.2, 2.8]",
            "nuisances.changes.size is [0.2, 2.8], numbers from 0.001 to 2 were",
        ),
        ("lasting = [10.0, 600.0]", "lasting = 10.0", "nuisances.changes.lasting is 10.0, a pair"),
    ],
)
def test_changes_that_cannot_be_are_refused_by_their_key(old, new, named):
    with pytest.raises(SpecError) as error:
        spec_from(TRACKING.replace(old, new, 1), "mine.toml")
    assert named in str(error.value)


def test_changes_that_are_no_table_are_refused():
    before = TRACKING[: TRACKING.index("[nuisances.changes]")].replace("\n[nuisances]", "\n[nuisances]\nchanges = 5")
    with pytest.raises(SpecError, match=r"nuisances: changes is 5, a table \[changes\] was wanted"):
        spec_from(before, "mine.toml")
