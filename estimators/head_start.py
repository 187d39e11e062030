"""This file is the head start: work that a program will need later, done meanwhile in a process of its own.

The work leaves its results in files, where the one who started it looks before it does the same itself: so a process
that dies costs time and nothing else.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from simulators.compiled import threads
from simulators.orphan import end_with_parent

__all__ = ["head_start"]


@contextmanager
def head_start(work: Callable[[], None]) -> Iterator[Callable[[float], bool]]:
    """Work in another process, on one core, for as long as the block lasts.

    Args:
        work: Importable by name, or a `functools.partial` of such with plain arguments.

    Yields:
        What waits for its end at most so long [s] and tells whether it has come. A process that is still at it when
            the block is left is ended.
    """
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(work,), daemon=True)
    process.start()

    def over(seconds: float) -> bool:
        process.join(seconds)
        return not process.is_alive()

    try:
        yield over
    finally:
        process.terminate()
        process.join()
        process.close()


def _work(work: Callable[[], None]) -> None:
    """Work on one thread, and end without a word where that fails: who needs the result will fail at it and say so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()
    torch.set_num_threads(1)
    try:
        with threads(1):
            work()
    except Exception:  # noqa: BLE001 - as above
        sys.exit(1)
