"""What is on disk when a run is killed is what an undisturbed run would have written."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.resources import files

import h5py
import numpy as np
import pytest

from estimators import simulation
from estimators.designs import Designs
from estimators.generation import generate
from estimators.sets import Sets
from estimators.simulation import load_sets, simulate_to
from estimators.spec import spec_from

SPEC = replace(
    spec_from((files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8"), "the spec"),
    designs=Designs(duration=(200.0, 250.0), baseline=(50.0, 60.0), tail=(20.0, 40.0), sweeps=(1, 4)),
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(simulation, "CHUNK", 5)


def finish(path, cells=15, spec=SPEC):
    return list(simulate_to(path, spec, cells))


def same(ours, theirs):
    for name in ("u", "features", "context", "first"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulation") / "sets.h5"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "CHUNK", 5)
        assert finish(path) == [5, 10, 15]
        return load_sets(path, 15)


def test_cells_are_rounded_up_to_whole_chunks(tmp_path, undisturbed):
    assert finish(tmp_path / "sets.h5", 11) == [5, 10, 15]
    same(load_sets(tmp_path / "sets.h5", 11), undisturbed)
    assert len(undisturbed) == 15
    assert len(load_sets(tmp_path / "sets.h5", 6)) == 10


def test_workers_in_other_processes_draw_the_same_cells(tmp_path, undisturbed):
    path = tmp_path / "sets.h5"
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(simulate_to(path, SPEC, 10, pool)) == [5, 10]
        assert list(simulate_to(path, SPEC, 15, pool)) == [5, 10, 15]
    same(load_sets(path, 15), undisturbed)


def test_a_chunk_is_drawn_from_the_seed_of_the_spec_and_its_number(undisturbed):
    rng = np.random.default_rng([SPEC.seed, 1, 1])
    sets = Sets.join(list(generate(SPEC.parameters, SPEC.designs, SPEC.nuisances, 5, rng)))
    rows = slice(undisturbed.first[5], undisturbed.first[10])
    for name in ("u", "features", "context"):
        np.testing.assert_array_equal(getattr(undisturbed, name)[rows], getattr(sets, name))


def test_a_run_that_is_killed_resumes_with_identical_numbers(tmp_path, undisturbed, monkeypatch):
    path = tmp_path / "sets.h5"
    run = simulate_to(path, SPEC, 15)
    assert next(run) == 5

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(simulation, "generate", killed)
        with pytest.raises(KeyboardInterrupt):
            next(run)
    assert finish(path) == [5, 10, 15]
    same(load_sets(path, 15), undisturbed)


def test_a_chunk_half_written_is_written_again(tmp_path, undisturbed):
    path = tmp_path / "sets.h5"
    next(simulate_to(path, SPEC, 15))
    with h5py.File(path, "a") as file:
        file.create_group("writing")["u"] = np.zeros((3, 12))
    finish(path)
    same(load_sets(path, 15), undisturbed)
    with h5py.File(path, "r") as file:
        assert set(file) == {"000000", "000001", "000002"}


def test_what_is_there_is_not_simulated_again(tmp_path, monkeypatch):
    path = tmp_path / "sets.h5"
    finish(path)
    monkeypatch.setattr(simulation, "generate", None)
    assert finish(path) == [5, 10, 15]


def test_more_cells_are_added_to_those_there(tmp_path, undisturbed):
    path = tmp_path / "sets.h5"
    finish(path, 5)
    finish(path, 15)
    same(load_sets(path, 15), undisturbed)


@pytest.mark.parametrize(
    "other",
    [replace(SPEC, seed=SPEC.seed + 1), replace(SPEC, designs=replace(SPEC.designs, tail=(50.0, 60.0)))],
    ids=["seed", "designs"],
)
def test_another_process_begins_anew(tmp_path, undisturbed, other):
    path = tmp_path / "sets.h5"
    finish(path)
    assert finish(path, 5, other) == [5]
    with h5py.File(path, "r") as file:
        assert set(file) == {"000000"}
    made = load_sets(path, 5)
    finish(tmp_path / "fresh.h5", 5, other)
    same(made, load_sets(tmp_path / "fresh.h5", 5))
    assert not np.array_equal(made.context[:3], undisturbed.context[:3])


def test_chunks_are_drawn_independently(undisturbed):
    first = [undisturbed.u[undisturbed.first[k]] for k in (0, 5, 10)]
    assert len({tuple(row) for row in first}) == 3


def test_cells_of_other_code_are_begun_anew(tmp_path, undisturbed, monkeypatch):
    path = tmp_path / "sets.h5"
    finish(path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "kernel.py").write_text("# Another kernel.", encoding="utf-8")
    monkeypatch.setattr(simulation.simulators, "__file__", str(other / "__init__.py"))
    with h5py.File(path, "r+") as file:
        file["000000/u"][:] = 0.0
    finish(path)
    same(load_sets(path, 15), undisturbed)
