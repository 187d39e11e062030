"""Workers: those in other processes keep to one thread each."""

import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numba
import pytest

from simulators.compiled import threads
from simulators.workers import WorkerError, processes, spread

HERE = Path(__file__).parent


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    import stand_ins

    return stand_ins


def test_a_worker_process_runs_kernels_on_one_thread(monkeypatch, stand_ins):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(stand_ins.number_of_threads, 0).result() == 2
        assert dict(spread(stand_ins.number_of_threads, range(3), pool)) == {0: 1, 1: 1, 2: 1}
        assert pool.submit(stand_ins.number_of_threads, 0).result() == 2


def test_workers_of_this_process_keep_its_threads(stand_ins):
    most = numba.get_num_threads()
    assert dict(spread(stand_ins.number_of_threads, range(2))) == {0: most, 1: most}
    with ThreadPoolExecutor(2) as pool:
        assert dict(spread(stand_ins.number_of_threads, range(2), pool)) == {0: most, 1: most}


def test_fewer_threads_are_given_back_whatever_happened():
    code = """
import numba
from simulators.compiled import threads
counts = []
for wanted in (1, 2, 5):
    try:
        with threads(wanted):
            counts.append(numba.get_num_threads())
            raise KeyError
    except KeyError:
        counts.append(numba.get_num_threads())
print(*counts)
"""
    env = os.environ | {"NUMBA_NUM_THREADS": "2", "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "2", "2", "2", "2", "2"]
    with threads(1):
        assert numba.get_num_threads() == 1


def test_one_worker_is_this_process_and_more_are_others(stand_ins):
    with processes(1) as executor:
        assert executor is None
    with processes(2) as executor:
        there = {process for _, process in spread(stand_ins.process_of, range(4), executor)}
    assert os.getpid() not in there


def test_an_interrupt_ends_a_worker_at_once(stand_ins):
    with processes(2) as executor:
        assert executor.submit(stand_ins.handler_of_interrupts).result() == signal.SIG_DFL


class Failing(Executor):
    """Fails every chunk with one error."""

    def __init__(self, error):
        self.error = error

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_exception(self.error)
        return future


def test_a_chunk_that_kills_every_worker_of_a_cluster_is_told_as_a_death():
    scheduler = pytest.importorskip("distributed.scheduler", reason="dask.distributed is not installed.")
    killed = Failing(scheduler.KilledWorker("chunk", None, 3))
    with pytest.raises(WorkerError, match="A worker process died") as died:
        list(spread(str, range(3), killed))
    assert died.value.__cause__ is killed.error


def test_an_error_of_the_work_itself_is_handed_on_as_it_is():
    with pytest.raises(ZeroDivisionError):
        list(spread(str, range(3), Failing(ZeroDivisionError())))


def test_nothing_to_make_is_made_by_nobody():
    assert list(spread(str, ())) == []
    with ThreadPoolExecutor(1) as pool:
        assert list(spread(str, (), pool)) == []


def test_chunks_are_taken_from_their_source_only_when_there_is_room():
    asked = []

    def chunks():
        for chunk in range(50):
            asked.append(chunk)
            yield chunk

    with ThreadPoolExecutor(2) as pool:
        made = spread(str, chunks(), pool, ahead=4)
        assert len({next(made)[0] for _ in range(10)}) == 10
        made.close()
    assert len(asked) <= 14
