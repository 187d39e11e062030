"""What a network's posteriors do on cells that hold still is measured, kept with it, and what goes beyond is told."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from estimators import pretraining, stillness
from estimators.changes import NONE, Changes
from estimators.checkpoint import CheckpointError, load, save
from estimators.context import CONTEXT, Context
from estimators.features import NAMES
from estimators.lookout import LIMITS
from estimators.observer import Observer
from estimators.sets import Sets
from estimators.stillness import courses, still_limits

SWEEPS = 5


def moving(spec, most=SWEEPS):
    """The spec with cells that change, of at most so many sweeps."""
    nuisances = replace(spec.nuisances, changes=Changes(0.5, 0.5, 0.5))
    return replace(spec, nuisances=nuisances, designs=replace(spec.designs, sweeps=(1, most)))


@pytest.fixture
def asked(monkeypatch, made):
    """Stand in for the simulation, and note what was asked of it."""
    asked = []

    def generate(parameters, designs, nuisances, cells, rng, *, sweeps, chunk):
        asked.append((nuisances, cells, sweeps))
        yield made.sets(cells, int(rng.integers(1000)), sweeps=sweeps)

    monkeypatch.setattr(stillness, "generate", generate)
    return asked


def test_limits_are_measured_on_cells_that_hold_still_over_whole_sessions(network, spec, asked, monkeypatch):
    monkeypatch.setattr(stillness, "_DRAWS", 50)
    found = still_limits(network, moving(spec), np.random.default_rng(0), sessions=40)
    ((nuisances, cells, sweeps),) = asked
    assert (nuisances.changes, cells, sweeps) == (NONE, 40, SWEEPS)
    assert found[LIMITS].shape == (len(spec.parameters),)
    assert (found[LIMITS] > 0).all()
    assert np.isfinite(found[LIMITS]).all()


def test_a_network_that_does_not_track_has_no_limits_and_draws_nothing(network, spec, asked):
    rng = np.random.default_rng(0)
    assert still_limits(network, spec, rng) == {}
    assert still_limits(network, moving(spec, most=1), rng) == {}
    assert asked == []
    assert rng.random() == np.random.default_rng(0).random()


def test_pretraining_measures_them_where_cells_change_and_leaves_all_else_as_it_was(
    network, spec, sets, asked, monkeypatch
):
    monkeypatch.setattr(stillness, "_DRAWS", 20)
    monkeypatch.setattr(pretraining, "misfits", lambda network, spec, rng: {"misfit_1": rng.random(3)})
    monkeypatch.setattr(pretraining, "still_limits", lambda *given: still_limits(*given, sessions=40))
    still, tracked = (pretraining._references(each, network, sets) for each in (spec, moving(spec)))
    assert tracked.keys() - still.keys() == {LIMITS}
    for name, array in still.items():
        np.testing.assert_array_equal(tracked[name], array)


class Latest:
    """Stands for a network that believes the latest sweep's first feature, and notes the times it is given."""

    parameters_of_cell = (None,)

    def __init__(self):
        self.times = []

    def __call__(self, features, context, there):
        self.times.append(context[:, :, CONTEXT.index("start")].numpy())
        self.said = features[:, -1, :1]
        return self

    def from_noise(self, noise):
        return 0.01 * noise + self.said


def test_a_course_is_what_is_known_after_each_sweep(made):
    sets, network = made.sets(3, 4, sweeps=4), Latest()
    sets.features[:] = np.arange(12.0)[:, None]
    sets.context[:, CONTEXT.index("start")] = 100.0 + 5.0 * np.arange(12)
    middles, widths = courses(network, sets, np.random.default_rng(0))
    np.testing.assert_allclose(middles[:, :, 0], np.arange(12.0).reshape(3, 4), atol=0.01)
    np.testing.assert_allclose(widths, 0.01, rtol=0.4)
    assert [times.shape for times in network.times] == [(3, n) for n in (1, 2, 3, 4)]
    assert (network.times[-1] == [0.0, 5.0, 10.0, 15.0]).all()


@pytest.fixture
def tracking(checkpoint):
    """A checkpoint whose smallest wandering is an alarm."""
    return replace(checkpoint, reference={**checkpoint.reference, LIMITS: np.full(len(checkpoint.spec.names), 1e-6)})


def test_limits_come_back_from_the_file_and_damaged_ones_are_refused(tracking, tmp_path):
    path = tmp_path / "tracking.h5"
    save(path, tracking)
    np.testing.assert_array_equal(load(path).reference[LIMITS], tracking.reference[LIMITS])
    for broken in (np.ones(3), np.zeros(len(tracking.spec.names)), np.full(len(tracking.spec.names), np.nan)):
        with h5py.File(path, "a") as file:
            del file[f"reference/{LIMITS}"]
            file[f"reference/{LIMITS}"] = broken
        with pytest.raises(CheckpointError, match=r"change_limits has shape .* positive numbers were wanted"):
            load(path)


def observed(checkpoint, sets: Sets, sweeps=3):
    there = np.flatnonzero(np.isfinite(sets.features[:, NAMES.index("mean_voltage")]))[:sweeps]
    observer = Observer(checkpoint, seed=3, draws=200)
    contexts = (
        replace(Context(*map(float, sets.context[k])), start=5.0 * n, excluded=0.0) for n, k in enumerate(there)
    )
    return [
        observer.observe(sets.features[k].astype(float), context) for k, context in zip(there, contexts, strict=True)
    ]


def test_an_observer_tells_what_has_changed_and_says_the_surest(tracking, sets):
    first, *_, last = observed(tracking, sets)
    assert first.shifts == ()
    assert len(last.shifts) == len(tracking.spec.names)
    assert last.shifts[0].sentence in last.reasons
    assert last.shifts[1].sentence not in last.reasons
    assert {shift.since for shift in last.shifts} <= {1, 2}


def test_an_observer_whose_network_does_not_track_can_not_tell(checkpoint, sets):
    verdicts = observed(checkpoint, sets)
    assert all(verdict.shifts is None for verdict in verdicts)
    # The draws are the same: the alarm is made of what is there.
    limits = {LIMITS: np.full(len(checkpoint.spec.names), 1e-6)}
    tracked = observed(replace(checkpoint, reference={**checkpoint.reference, **limits}), sets)
    assert all(np.array_equal(a.draws, b.draws) for a, b in zip(verdicts, tracked, strict=True))
