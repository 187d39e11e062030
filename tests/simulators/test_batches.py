"""Simulations of any length: the same numbers whoever makes them, and nothing lost whoever dies."""

import importlib.util
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulators.batches import Progress, read_batches
from simulators.cortical import Cortical
from simulators.plan import BatchError
from simulators.stimulus import step
from simulators.workers import WorkerError

pytestmark = pytest.mark.usefixtures("importable")

# The run that `run` makes where nothing else is said.
STIMULI = (step(100.0, onset=5.0, duration=10.0, tail=5.0), step(-50.0, onset=5.0, duration=20.0, tail=5.0))
CHUNK, CELLS, SEED = 8, 8 * 12, 11


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


def test_a_chunk_is_made_from_the_seed_and_its_number(tmp_path, stand_ins, run):
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


@pytest.mark.long
def test_numbers_are_the_same_for_threads_processes_and_a_cluster(tmp_path, prior, pool, cluster, run, same):
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


def test_numbers_are_the_same_under_mpi(tmp_path, stand_ins, run, same):
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


def test_numbers_do_not_depend_on_the_order_in_which_chunks_come(tmp_path, stand_ins, run, same):
    run(tmp_path / "alone.h5", stand_ins.Noisy())
    hoarder = Hoarder(CELLS // CHUNK)
    run(tmp_path / "backwards.h5", stand_ins.Noisy(), hoarder, ahead=CELLS // CHUNK)
    assert hoarder.order == list(reversed(range(CELLS // CHUNK)))
    same(tmp_path / "alone.h5", tmp_path / "backwards.h5")


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_chunks_are_ahead_than_were_allowed(tmp_path, stand_ins, ahead, run):
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


def test_a_stimulus_more_does_not_change_what_the_others_get(tmp_path, stand_ins, run):
    run(tmp_path / "two.h5", stand_ins.Noisy())
    run(tmp_path / "one.h5", stand_ins.Noisy(), stimuli=STIMULI[:1])
    for two, one in zip(read_batches(tmp_path / "two.h5"), read_batches(tmp_path / "one.h5"), strict=True):
        np.testing.assert_array_equal(two.theta, one.theta)
        np.testing.assert_array_equal(two.responses[0], one.responses[0])


@pytest.mark.long
def test_a_cluster_whose_worker_is_killed_loses_no_chunk(tmp_path, stand_ins, cluster, run, same):
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


def test_a_pool_whose_worker_dies_says_so_and_a_new_one_goes_on(tmp_path, stand_ins, pool, run, same, contents):
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


def test_a_pool_that_forks_is_refused(tmp_path, stand_ins, run):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("This system does not fork.")
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool,
        pytest.raises(WorkerError, match=r"get_context\('spawn'\)"),
    ):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), pool)


def test_workers_that_were_shut_down_are_told_from_those_that_died(tmp_path, stand_ins, run):
    class Gone(Executor):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(WorkerError, match="were shut down"):
        run(tmp_path / "cells.h5", stand_ins.Noisy(), Gone())


def test_an_interrupt_stops_cleanly_and_the_rest_can_follow(tmp_path, stand_ins, run, same, contents):
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


def test_what_has_not_begun_is_cancelled_by_an_interrupt(tmp_path, stand_ins, run):
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


def test_a_chunk_that_fails_is_named_with_its_seed_and_the_others_stay(tmp_path, stand_ins, pool, run, same, contents):
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


def test_a_chunk_that_fails_takes_none_with_it_that_was_done(tmp_path, stand_ins, run, contents):
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
