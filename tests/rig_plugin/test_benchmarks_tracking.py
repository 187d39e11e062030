"""The same sweeps of the same cells are given to all, and what changes is what was said to."""

import json
from dataclasses import replace

import numpy as np
import pytest

from estimators.checkpoint import save
from estimators.context import CONTEXT
from estimators.lookout import LIMITS
from estimators.sets import Sets
from rig_plugin.__main__ import main
from rig_plugin.benchmarks.tracking import MOMENTS, WINDOWS, latest, measure, paired
from rig_plugin.opening import network
from rig_plugin.tasks.transient import SWEEPS, TRANSIENTS, Transient, draw

START = CONTEXT.index("start")


@pytest.fixture(scope="module")
def checkpoint():
    return network()


def test_the_latest_sweeps_of_each_cell_are_given_with_times_from_the_first_of_them():
    rows = np.arange(2.0 * SWEEPS, dtype=np.float32)
    context = np.zeros((2 * SWEEPS, len(CONTEXT)), dtype=np.float32)
    context[:, START] = 5.0 * (rows % SWEEPS)
    sets = Sets(rows[:, None], rows[:, None], context, np.array([0, SWEEPS, 2 * SWEEPS]))
    given = latest(sets, 23, 3)
    assert given.u[:, 0].tolist() == [20, 21, 22, 60, 61, 62]
    assert given.features[:, 0].tolist() == given.u[:, 0].tolist()
    assert given.context[:, START].tolist() == [0, 5, 10, 0, 5, 10]
    assert given.first.tolist() == [0, 3, 6]
    assert latest(sets, 2, 40).u[:, 0].tolist() == [0, 1, 40, 41]
    # What was drawn is still what it was.
    assert context[SWEEPS - 1, START] == 5.0 * (SWEEPS - 1)


def test_a_gain_that_all_cells_share_is_sure_and_one_that_is_noise_is_not():
    rng = np.random.default_rng(0)
    sure, noise = paired(rng.normal(1.0, 0.1, 200), rng), paired(rng.normal(0.0, 1.0, 200), rng)
    for name in ("mean", "median"):
        assert 0.9 < sure[f"{name}_low"] < sure[name] < sure[f"{name}_high"] < 1.1
        assert noise[f"{name}_low"] < 0.0 < noise[f"{name}_high"]


@pytest.mark.parametrize("transient", TRANSIENTS, ids=lambda transient: transient.name)
def test_a_transient_is_over_before_the_session_and_leaves_a_level_before_it(transient):
    course = transient.course(np.array([10.0, 20.0]))
    assert course.shape == (2, SWEEPS)
    assert (course[:, : transient.begins].T == [10.0, 20.0]).all()
    assert course[:, -1] == pytest.approx(transient.factor * np.array([10.0, 20.0]) + transient.by)
    moving = np.flatnonzero(np.diff(course[0]))
    assert len(moving) == (0 if transient.parameter is None else transient.takes)


def test_cells_of_a_transient_change_in_nothing_else(checkpoint):
    transient = Transient("both", "E_leak", 20, by=10.0)
    ((sets, theta),) = draw(checkpoint, transient, 1)
    k = checkpoint.spec.names.index("E_leak")
    others = np.delete(theta, k, axis=2)
    assert (np.ptp(others, axis=1) == 0.0).all()
    np.testing.assert_allclose(theta[:, -1, k] - theta[:, 0, k], 10.0)
    low, high = checkpoint.spec.parameters[k].low, checkpoint.spec.parameters[k].high
    assert (theta[..., k] >= low).all()
    assert (theta[..., k] <= high).all()
    assert (len(sets), sets.features.shape) == (1, (SWEEPS, sets.features.shape[1]))
    assert np.isfinite(sets.features).any()


def test_a_network_that_does_not_track_is_refused(capsys):
    assert main(["bench", "tracking", "--json"]) == 2
    told = capsys.readouterr()
    assert "does not track; pretrain one from a spec with [nuisances.changes]" in told.err
    assert told.out == ""


@pytest.mark.long
def test_every_network_has_its_figures_at_every_moment_and_the_alarm_its_own(checkpoint, tmp_path):
    path = tmp_path / "tracking.h5"
    limits = np.full(len(checkpoint.spec.names), 1.5)
    save(path, replace(checkpoint, reference={**checkpoint.reference, LIMITS: limits}))
    found = measure(cells=3, network=path)
    assert json.dumps(found, allow_nan=False)
    names = {figure["name"] for figure in found["figures"]}
    for transient in TRANSIENTS:
        for moment in MOMENTS:
            assert {f"{transient.name}/{moment}/{who}/log_q_mean" for who in ("tracker", *WINDOWS)} <= names
    assert {"none/alarms", "rundown/alarms_of_it", "rundown/delay", "jump_of_bridge/change_inside_90"} <= names
    assert len(found["gains"]) == len(TRANSIENTS) * len(MOMENTS) * len(WINDOWS) * 2
    # Given all sweeps, this network is asked the same as the one that ships.
    same = [gain for gain in found["gains"] if gain["over"] == "all"]
    assert all(gain["mean"] == pytest.approx(0.0, abs=1e-6) for gain in same)
