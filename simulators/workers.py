"""This file is the workers: whoever makes the chunks of a long simulation, in this process or in many.

Any `concurrent.futures.Executor` will do: threads, processes, `dask.distributed`'s `Client.get_executor()`,
`mpi4py.futures`. Results come as they are done, a bounded number of chunks is under way, and nothing else is kept.

- Threads: parallel kernels are entered by one thread of a process at a time (`simulators.compiled.ENTRY`) and use all
  cores by themselves, so threads gain only where a simulator is not compiled.
- Processes: give them the "spawn" context; a forked copy of numba's or HDF5's threads hangs. In every process but the
  one that asks, kernels run on one thread: give a machine as many workers as it has cores, each with one thread
  (dask: `threads_per_worker=1`), and they do not get in each other's way. Where a kernel was never compiled, every
  process compiles it for itself, about a minute each: make one chunk before you start many.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from simulators.compiled import threads
from simulators.orphan import end_with_parent
from simulators.refusal import Refusal

__all__ = ["WorkerError", "processes", "spread"]

T = TypeVar("T")


class WorkerError(Refusal):
    """The workers are gone; the message says what to do."""


@contextmanager
def processes(count: int) -> Iterator[Executor | None]:
    """Start worker processes for a while.

    Args:
        count: How many; with 1, none is started, for this process works by itself, with all its threads.

    Yields:
        Their executor, or None.
    """
    if count == 1:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn, initializer=_begin) as executor:
        yield executor


def _begin() -> None:
    """Be a worker, who ends with who gives the work."""
    # An interrupt from the keyboard reaches every process: the workers are to end by it at once, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()


def spread(
    work: Callable[[int], T], chunks: Iterable[int], executor: Executor | None = None, ahead: int | None = None
) -> Generator[tuple[int, T], None, None]:
    """Let workers make chunks.

    Where it ends early, by an error, an interrupt or because it is closed, what has not begun is cancelled. When a
    chunk fails, others that are done by then still come before its error does.

    Args:
        work: Makes a chunk from its number; importable by name, or a `functools.partial` of such with plain arguments.
        chunks: Numbers of the chunks.
        executor: Who works; None makes one after the other here.
        ahead: Chunks under way or done and not yet taken, at most; None for twice this machine's cores. A cluster
            wants twice its workers.

    Yields:
        A chunk's number and what `work` made of it, as they are done.

    Raises:
        WorkerError: If a worker of a pool died, the executor was shut down, or its processes are forked.
    """
    if executor is None:
        for chunk in chunks:
            yield chunk, work(chunk)
        return
    context = getattr(executor, "_mp_context", None)
    if context is not None and context.get_start_method() == "fork":
        raise WorkerError(
            "The pool forks its processes, which may hang them and leaves the file locked; make it with "
            "ProcessPoolExecutor(n, mp_context=multiprocessing.get_context('spawn'))."
        )
    most = ahead or 2 * (os.cpu_count() or 1)
    queue = iter(chunks)
    pending: dict[Future[T], int] = {}
    try:
        while True:
            for chunk in islice(queue, most - len(pending)):
                pending[executor.submit(_make, work, chunk, os.getpid())] = chunk
            if not pending:
                return
            done = wait(pending, return_when=FIRST_COMPLETED).done
            failed = {future for future in done if future.cancelled() or future.exception()}
            for future in done - failed:
                yield pending.pop(future), future.result()
            if failed:
                min(failed, key=lambda future: pending[future]).result()
    except CancelledError as error:
        raise WorkerError(
            "The workers were shut down with chunks under way; what was done is kept: run it again with a new executor."
        ) from error
    except Exception as error:
        if _is_death(error):
            raise WorkerError(
                "A worker process died, by a kill or for lack of memory; what was done is kept: run it again with a "
                "new executor and it goes on from there, or anew with smaller chunks if it dies again."
            ) from error
        raise
    finally:
        for future in pending:
            future.cancel()


def _is_death(error: Exception) -> bool:
    """Tell whether an error says that a worker is gone; dask's is known by its name, for dask may not be installed."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def _make(work: Callable[[int], T], chunk: int, asker: int) -> T:
    """Make a chunk, on one thread if this is not the process that asked."""
    if os.getpid() == asker:
        return work(chunk)
    with threads(1):
        return work(chunk)
