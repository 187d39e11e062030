"""Simulations of any length: the same numbers whoever makes them, and nothing lost whoever dies."""

import importlib.util
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulators.batches import Progress, read_batches, simulate_batches
from simulators.chunks import ChunkError
from simulators.cortical import Cortical
from simulators.plan import BatchError
from simulators.stimulus import Epoch, Stimulus, step
from simulators.workers import WorkerError

HERE = Path(__file__).parent
STIMULI = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))
CHUNK, CELLS, SEED = 8, 8 * 12, 11


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let this process and the workers that it starts import the stand-ins."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parents[1])]))


@pytest.fixture
def stand_ins(importable):
    import stand_ins

    return stand_ins


@pytest.fixture
def pool(importable):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def cluster(importable, tmp_path):
    """A cluster of two worker processes that can be reached from this machine only."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed.")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            worker_dashboard_address=None,
            silence_logs="CRITICAL",
            local_directory=str(tmp_path / "dask"),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        yield client


def run(path, simulator, executor=None, **other):
    given = {"cells": CELLS, "rate": 10.0, "seed": SEED, "chunk": CHUNK, "executor": executor} | other
    prior, stimuli = given.pop("prior", simulator.parameters), given.pop("stimuli", STIMULI)
    return simulate_batches(simulator, prior, stimuli, path, **given)


def contents(path):
    """Everything in a file but what it was made from, by name."""
    with h5py.File(path, "r") as file:
        there = {}
        file.visititems(lambda name, item: there.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
        attributes = {f"{key}@{name}": value for key in file for name, value in file[key].attrs.items()}
    there.pop("origin")
    return there | attributes


def same(path, other):
    ours, theirs = contents(path), contents(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def first_potential(stand_ins, chunk):
    """The first cell's potential in a chunk, by which a stand-in knows that it is its turn."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(chunk,)).spawn(1)[0])
    return float(stand_ins.Noisy.parameters[0].constrain(rng.standard_normal(CHUNK))[0])


def wait_until(holds):
    """Wait for what another process is about to do; give up where it hangs."""
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.01)
    raise TimeoutError("A worker hangs.")


class Hoarder(Executor):
    """Takes as many chunks as it is given at once and makes the last of them first."""

    def __init__(self, most):
        self.most, self.waiting, self.order = most, [], []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.waiting.append((future, fn, args))
        if len(self.waiting) == self.most:
            for one, make, given in reversed(self.waiting):
                self.order.append(given[1])
                one.set_result(make(*given))
            self.waiting = []
        return future


def test_a_chunk_is_made_from_the_seed_and_its_number(tmp_path, stand_ins):
    path = tmp_path / "cells.h5"
    assert run(path, stand_ins.Noisy()) == Progress(CELLS, CELLS, 0)
    batches = list(read_batches(path))
    assert len(batches) == CELLS // CHUNK
    for chunk, batch in enumerate(batches):
        streams = np.random.SeedSequence(SEED, spawn_key=(chunk,)).spawn(3)
        first, *others = (np.random.default_rng(stream) for stream in streams)
        theta = stand_ins.Noisy.parameters[0].constrain(first.standard_normal((CHUNK, 1)))
        np.testing.assert_array_equal(batch.theta, theta)
        for stimulus, rng, response in zip(STIMULI, others, batch.responses, strict=True):
            wanted = stand_ins.Noisy().simulate(theta, stimulus, 10.0, rng)
            np.testing.assert_array_equal(response, wanted.astype(np.float32))
    with h5py.File(path, "r") as file:
        np.testing.assert_array_equal(file["000007"].attrs["seed"], [SEED, 7])


def test_numbers_are_the_same_for_threads_processes_and_a_cluster(tmp_path, prior, pool, cluster):
    given = {"prior": prior, "cells": 96, "chunk": 40, "rate": 20.0}
    run(tmp_path / "alone.h5", Cortical(), **given)
    with ThreadPoolExecutor(3) as threads:
        run(tmp_path / "threads.h5", Cortical(), threads, **given)
    run(tmp_path / "processes.h5", Cortical(), pool, **given)
    run(tmp_path / "cluster.h5", Cortical(), cluster.get_executor(), **given)
    for other in ("threads", "processes", "cluster"):
        same(tmp_path / "alone.h5", tmp_path / f"{other}.h5")


UNDER_MPI = """
import sys
from mpi4py.futures import MPIPoolExecutor
from stand_ins import Noisy
from simulators.batches import simulate_batches
from simulators.stimulus import step
if __name__ == "__main__":
    stimuli = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))
    with MPIPoolExecutor() as executor:
        simulate_batches(
            Noisy(), Noisy.parameters, stimuli, sys.argv[1], cells=96, rate=10.0, seed=11, chunk=8, executor=executor
        )
"""


def test_numbers_are_the_same_under_mpi(tmp_path, stand_ins):
    mpiexec = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if mpiexec is None or importlib.util.find_spec("mpi4py") is None:
        pytest.skip("mpi4py, or the MPI that it needs, is not installed.")
    script = tmp_path / "script.py"
    script.write_text(UNDER_MPI, encoding="utf-8")
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script), str(tmp_path / "mpi.h5")]
    # Both kinds of MPI are to stay on this machine.
    inside = {"HYDRA_IFACE": "lo", "OMPI_MCA_btl_tcp_if_include": "lo", "OMPI_MCA_oob_tcp_if_include": "lo"}
    subprocess.run(command, env=os.environ | inside, check=True, timeout=300)
    same(tmp_path / "alone.h5", tmp_path / "mpi.h5")


def test_numbers_do_not_depend_on_the_order_in_which_chunks_come(tmp_path, stand_ins):
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    hoarder = Hoarder(CELLS // CHUNK)
    run(tmp_path / "backwards.h5", stand_ins.Noisy(), hoarder, ahead=CELLS // CHUNK)
    assert hoarder.order == list(reversed(range(CELLS // CHUNK)))
    same(tmp_path / "alone.h5", tmp_path / "backwards.h5")


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_chunks_are_ahead_than_were_allowed(tmp_path, stand_ins, ahead):
    class Counted(ThreadPoolExecutor):
        submitted = 0

        def submit(self, *args, **kwargs):
            self.submitted += 1
            return super().submit(*args, **kwargs)

    untaken = []
    with Counted(2) as executor:
        run(
            tmp_path / "cells.h5",
            stand_ins.Noisy(),
            executor,
            ahead=ahead,
            told=lambda progress: untaken.append(executor.submitted - progress.cells // CHUNK + 1),
        )
    assert max(untaken) == ahead
    assert len(untaken) == CELLS // CHUNK


def test_a_stimulus_more_does_not_change_what_the_others_get(tmp_path, stand_ins):
    run(tmp_path / "two.h5", stand_ins.Noisy())
    run(tmp_path / "one.h5", stand_ins.Noisy(), stimuli=STIMULI[:1])
    for two, one in zip(read_batches(tmp_path / "two.h5"), read_batches(tmp_path / "one.h5"), strict=True):
        np.testing.assert_array_equal(two.theta, one.theta)
        np.testing.assert_array_equal(two.responses[0], one.responses[0])


def test_a_cluster_whose_worker_is_killed_loses_no_chunk(tmp_path, stand_ins, cluster):
    marks = tmp_path / "marks"
    marks.mkdir()
    held = stand_ins.Held(marks)
    run(tmp_path / "alone.h5", held)
    for mark in marks.iterdir():
        mark.unlink()
    victim, other = (nanny.pid for nanny in cluster.cluster.workers.values())
    (marks / "hold").touch()

    def at_work():
        return {int(mark.name.split("-")[0]) for mark in marks.iterdir() if mark.name != "hold"}

    def kill():
        try:
            wait_until(lambda: at_work() == {victim, other})
            os.kill(victim, stand_ins.KILL)
        finally:
            (marks / "hold").unlink()

    killer = threading.Thread(target=kill)
    killer.start()
    progress = run(tmp_path / "cells.h5", held, cluster.get_executor())
    killer.join()
    assert progress == Progress(CELLS, CELLS, 0)
    same(tmp_path / "alone.h5", tmp_path / "cells.h5")
    # Two sweeps a chunk; the victim had signed for one that another made again.
    made = len(list(marks.iterdir()))
    assert made > 2 * CELLS // CHUNK
    assert at_work() > {victim}


def test_a_pool_whose_worker_dies_says_so_and_a_new_one_goes_on(tmp_path, stand_ins, pool):
    fatal = stand_ins.Fatal(tmp_path / "died", first_potential(stand_ins, 9))
    path = tmp_path / "cells.h5"
    with pytest.raises(WorkerError, match=r"died.*what was done is kept: run it again with a new executor"):
        run(path, fatal, pool, ahead=2)
    there = set(contents(path))
    # One of those before it may have been under way.
    assert len({f"00000{k}/theta" for k in range(9)} & there) >= 8
    assert "000009/theta" not in there
    with pytest.raises(WorkerError, match="run it again with a new executor"):
        run(path, fatal, pool)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as fresh:
        assert run(path, fatal, fresh) == Progress(CELLS, CELLS, 0)
    run(tmp_path / "alone.h5", fatal)
    same(tmp_path / "alone.h5", path)


def test_a_pool_that_forks_is_refused(tmp_path, stand_ins):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("This system does not fork.")
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool,
        pytest.raises(WorkerError, match=r"get_context\('spawn'\)"),
    ):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), pool)


def test_workers_that_were_shut_down_are_told_from_those_that_died(tmp_path, stand_ins):
    class Gone(Executor):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(WorkerError, match="were shut down"):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), Gone())


KILLED = """
import sys
from stand_ins import Noisy
from simulators.batches import simulate_batches
from simulators.stimulus import step
stimuli = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))
def told(progress):
    print(progress.cells, flush=True)
    sys.stdin.readline()
simulate_batches(Noisy(), Noisy.parameters, stimuli, sys.argv[1], cells=96, rate=10.0, seed=11, chunk=8, told=told)
"""


@pytest.fixture
def begun(tmp_path, stand_ins):
    """A run in another process that waits after its third chunk."""
    path = tmp_path / "cells.h5"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for cells in (8, 16, 24):
            assert process.stdout.readline() == f"{cells}\n"
            if cells < 24:
                process.stdin.write("\n")
                process.stdin.flush()
        yield path, process
        process.kill()


def test_a_run_that_is_killed_resumes_with_identical_numbers(begun, tmp_path, stand_ins):
    path, process = begun
    process.kill()
    process.wait()
    with h5py.File(path, "a") as file:
        file.create_group("writing")["theta"] = np.zeros((2, 1))
    told = []
    run(path, stand_ins.Noisy(), told=told.append)
    assert [progress.cells for progress in told] == list(range(32, CELLS + 1, CHUNK))
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    same(tmp_path / "alone.h5", path)


def test_a_file_that_another_run_writes_is_left_to_it(begun, stand_ins):
    path, _ = begun
    with pytest.raises(ChunkError, match="is open in another process"):
        run(path, stand_ins.Noisy())


def test_an_interrupt_stops_cleanly_and_the_rest_can_follow(tmp_path, stand_ins):
    marker = tmp_path / "marker"
    marker.touch()
    cell = stand_ins.Stubborn(marker, first_potential(stand_ins, 5), "KeyboardInterrupt")
    path = tmp_path / "cells.h5"
    with pytest.raises(KeyboardInterrupt):
        run(path, cell)
    assert {name for name in contents(path) if name.endswith("theta")} == {f"00000{k}/theta" for k in range(5)}
    marker.unlink()
    run(path, cell)
    run(tmp_path / "alone.h5", cell)
    same(tmp_path / "alone.h5", path)


def test_what_has_not_begun_is_cancelled_by_an_interrupt(tmp_path, stand_ins):
    futures = []

    class Kept(Hoarder):
        def submit(self, *args, **kwargs):
            futures.append(super().submit(*args, **kwargs))
            return futures[-1]

    def interrupt(_):
        raise KeyboardInterrupt

    kept = Kept(4)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), kept, ahead=6, told=interrupt)
    assert [future.cancelled() for future in futures] == [False] * 4 + [True] * 2


def test_a_chunk_that_fails_is_named_with_its_seed_and_the_others_stay(tmp_path, stand_ins, pool):
    marker = tmp_path / "marker"
    marker.touch()
    cell = stand_ins.Stubborn(marker, first_potential(stand_ins, 5))
    for executor in (None, pool):
        path = tmp_path / f"{executor is None}.h5"
        with pytest.raises(BatchError) as failed:
            run(path, cell, executor, ahead=2)
        assert str(failed.value) == (
            "Chunk 5 (seed 11, spawn key 5) failed with ValueError: That is no cell. The chunks in the file are kept; "
            "mend this and run again."
        )
        # One of those before it may have been under way.
        assert len({f"00000{k}/theta" for k in range(5)} & set(contents(path))) >= (5 if executor is None else 4)
    marker.unlink()
    run(tmp_path / "alone.h5", cell)
    for path in (tmp_path / "True.h5", tmp_path / "False.h5"):
        run(path, cell, pool)
        same(tmp_path / "alone.h5", path)


def test_a_chunk_that_fails_takes_none_with_it_that_was_done(tmp_path, stand_ins):
    marker = tmp_path / "marker"
    marker.touch()

    class Tolerant(Hoarder):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            try:
                future.set_result(fn(*args))
            except BatchError as error:
                future.set_exception(error)
            return future

    cell = stand_ins.Stubborn(marker, first_potential(stand_ins, 5))
    with pytest.raises(BatchError, match="Chunk 5 "):
        run(tmp_path / "cells.h5", cell, Tolerant(0), ahead=CELLS // CHUNK)
    there = {name for name in contents(tmp_path / "cells.h5") if name.endswith("theta")}
    assert there == {f"{k:06d}/theta" for k in range(CELLS // CHUNK) if k != 5}


def test_a_sweep_that_blows_up_is_counted_and_is_nan(tmp_path, stand_ins):
    path = tmp_path / "cells.h5"
    progress = run(path, stand_ins.Explosive())
    expected = 0
    for batch in read_batches(path):
        blown = batch.theta[:, 0] > -30.0
        assert batch.blown_up == 2 * blown.sum()
        expected += batch.blown_up
        for response in batch.responses:
            np.testing.assert_array_equal(np.isnan(response).any(axis=1), blown)
            assert np.isfinite(response[:, : response.shape[1] // 2]).all()
    assert 0 < expected < 2 * CELLS
    assert progress == Progress(CELLS, CELLS, expected)
    assert run(path, stand_ins.Explosive(), cells=CELLS + 1).blown_up >= expected


@pytest.mark.parametrize("by_name", [False, True])
def test_a_summary_is_kept_in_place_of_the_responses(tmp_path, stand_ins, by_name):
    summary = "stand_ins:extremes" if by_name else stand_ins.extremes
    run(tmp_path / "whole.h5", stand_ins.Explosive())
    run(tmp_path / "cells.h5", stand_ins.Explosive(), summarize=summary)
    for whole, batch in zip(read_batches(tmp_path / "whole.h5"), read_batches(tmp_path / "cells.h5"), strict=True):
        assert batch.responses == ()
        assert batch.values.shape == (CHUNK, 2, 3)
        np.testing.assert_array_equal(batch.theta, whole.theta)
        blown = batch.theta[:, 0] > -30.0
        assert np.isnan(batch.values[blown]).all()
        for k, stimulus in enumerate(STIMULI):
            wanted = stand_ins.extremes(whole.responses[k], stimulus, 10.0)
            np.testing.assert_allclose(batch.values[~blown, k], wanted[~blown], rtol=1e-6)
    assert batch.blown_up == whole.blown_up


def test_a_summary_of_another_shape_is_refused_by_name(tmp_path, stand_ins):
    with pytest.raises(BatchError, match=r"stand_ins:flat gave the shape \(8,\), \(8, f\) was wanted"):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), summarize=stand_ins.flat)


def test_cells_are_rounded_up_to_whole_chunks_and_more_can_follow(tmp_path, stand_ins):
    path = tmp_path / "cells.h5"
    assert run(path, stand_ins.Noisy(), cells=9) == Progress(16, 16, 0)
    assert run(path, stand_ins.Noisy(), cells=CELLS) == Progress(CELLS, CELLS, 0)
    assert run(path, stand_ins.Noisy(), cells=9) == Progress(16, 16, 0)
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    same(tmp_path / "alone.h5", path)


def test_what_is_there_is_not_made_again(tmp_path, stand_ins):
    marks = tmp_path / "marks"
    marks.mkdir()
    run(tmp_path / "cells.h5", stand_ins.Held(marks))
    made = len(list(marks.iterdir()))
    assert made == 2 * CELLS // CHUNK
    run(tmp_path / "cells.h5", stand_ins.Held(marks))
    assert len(list(marks.iterdir())) == made


OTHERS = {
    "seed": {"seed": SEED + 1},
    "chunk": {"chunk": CHUNK + 1},
    "rate": {"rate": 20.0},
    "stimuli": {"stimuli": STIMULI[::-1]},
    "prior": {"prior": "narrower"},
    "summary": {"summarize": "stand_ins:extremes"},
    "simulator": {"simulator": "Explosive"},
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_file_of_another_origin_is_refused_and_left_alone(tmp_path, stand_ins, what):
    path = tmp_path / "cells.h5"
    run(path, stand_ins.Noisy(), cells=CHUNK)
    before = path.read_bytes()
    other = dict(OTHERS[what])
    simulator = getattr(stand_ins, other.pop("simulator", "Noisy"))()
    if what == "prior":
        other["prior"] = (replace(stand_ins.Noisy.parameters[0], low=-90.0),)
    with pytest.raises(ChunkError, match=rf"cells\.h5 was begun with another {what} and can't be continued"):
        run(path, simulator, **other)
    assert path.read_bytes() == before


def test_a_file_that_other_code_began_is_refused(tmp_path, stand_ins, monkeypatch):
    run(tmp_path / "cells.h5", stand_ins.Noisy(), cells=CHUNK)
    monkeypatch.setattr("simulators.plan.code", lambda *_: "another")
    with pytest.raises(ChunkError, match="was begun with another code"):
        run(tmp_path / "cells.h5", stand_ins.Noisy())


def test_a_simulator_is_another_when_its_attributes_are(tmp_path):
    given = {"cells": 8, "stimuli": STIMULI[:1]}
    run(tmp_path / "cells.h5", Cortical(), **given)
    with pytest.raises(ChunkError, match="another simulator"):
        run(tmp_path / "cells.h5", Cortical(E_K=-94.0), **given)


def test_a_foreign_file_is_refused_and_left_alone(tmp_path, stand_ins):
    text, foreign = tmp_path / "text.h5", tmp_path / "foreign.h5"
    text.write_text("Notes of a cell.", encoding="utf-8")
    with h5py.File(foreign, "w") as file:
        file["recording"] = np.arange(5)
    before = foreign.read_bytes()
    with pytest.raises(ChunkError, match=r"text\.h5 is no HDF5 file; choose another name or move it"):
        run(text, stand_ins.Noisy())
    with pytest.raises(ChunkError, match=r"foreign\.h5 holds something other than simulated batches"):
        run(foreign, stand_ins.Noisy())
    assert text.read_text(encoding="utf-8") == "Notes of a cell."
    assert foreign.read_bytes() == before
    with pytest.raises(ChunkError, match=r"nowhere is no folder; make it"):
        run(tmp_path / "nowhere" / "cells.h5", stand_ins.Noisy())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cells": 0}, "0 cells were asked for"),
        ({"chunk": 0}, "A chunk of 0 cells was asked for"),
        ({"seed": -1}, "The seed is -1"),
        ({"seed": 2**63}, "from 0 to 2\\^63 - 1"),
        ({"rate": float("nan")}, "nan kHz, a positive one"),
        ({"stimuli": ()}, "No stimulus was given"),
        ({"prior": Cortical.parameters}, r"The prior is of C \[pF\].*parameters were wanted: E_leak \[mV\]"),
        ({"prior": "wider"}, "E_leak reaches from -120 to 0 mV, within -100 to 0 mV was wanted"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_file_is_made(tmp_path, stand_ins, given, message):
    if given.get("prior") == "wider":
        given = {"prior": (replace(stand_ins.Noisy.parameters[0], low=-120.0),)}
    with pytest.raises(BatchError, match=message):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), **given)
    assert not (tmp_path / "cells.h5").exists()


def test_a_stimulus_in_the_wrong_clamp_is_refused_by_the_chunk_that_meets_it(tmp_path, stand_ins):
    clamp = Stimulus("voltage", (Epoch(-70.0, 10.0), Epoch(0.0, 10.0)))
    with pytest.raises(BatchError, match=r"Chunk 0 .*ValueError: Stimulus is in voltage clamp"):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), stimuli=(clamp,))


def test_a_file_says_what_it_was_made_from_without_pickle(tmp_path, stand_ins):
    run(tmp_path / "cells.h5", stand_ins.Held(tmp_path), cells=1)
    with h5py.File(tmp_path / "cells.h5", "r") as file:
        origin = json.loads(file["origin"].asstr()[()])
        assert all(item.dtype.kind in "fiuO" for item in (file["origin"], file["000000/theta"]))
    assert origin["simulator"] == ["stand_ins:Held", {"folder": str(tmp_path)}]
    assert origin["seed"] == SEED
