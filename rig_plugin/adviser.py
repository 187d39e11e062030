"""This file is the adviser: one process of low priority that works between sweeps, whose death costs an answer.

It thinks about stimuli, or refines a posterior; nothing of a recording waits for it but who asked it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as LateError
from types import TracebackType
from typing import Generic, Self, TypeVar

from simulators.orphan import end_with_parent
from simulators.refusal import Refusal

__all__ = ["Adviser", "AdviserError"]

T = TypeVar("T")

_NICER = 5


class AdviserError(Refusal):
    """There will be no answer; the message says why, and what happens instead."""


class Adviser(Generic[T]):
    """One question at a time: `with Adviser() as adviser`. The process starts with the first.

    Args:
        threads: That it may compute with.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._pool: ProcessPoolExecutor | None = None
        self._asked: Future[T] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_busy(self) -> bool:
        """Whether it still works at what it was asked last."""
        return self._asked is not None and not self._asked.done()

    def ask(self, work: Callable[..., T], *arguments: object) -> None:
        """Have something worked out; what was asked before and not answered yet is forgotten.

        Args:
            work: Importable by name.
            arguments: Plain data.

        Raises:
            AdviserError: If no process can be started.
        """
        if self._asked is not None:
            self._asked.cancel()
        try:
            self._asked = self._started().submit(work, *arguments)
        except BrokenExecutor:
            # It died since: the next one is as good.
            self._drop()
            self._asked = self._started().submit(work, *arguments)
        except OSError as error:
            raise AdviserError(f"No process could be started to choose in ({error}): the family is played.") from error

    def answer(self, seconds: float) -> T | None:
        """Wait for what was asked last.

        Args:
            seconds: At most so long.

        Returns:
            The answer, or None where there is none yet.

        Raises:
            AdviserError: If it can't be worked out, or nothing was asked.
        """
        if self._asked is None:
            raise AdviserError("The adviser was asked nothing: ask first.")
        try:
            answer = self._asked.result(seconds)
        except LateError:
            return None
        except (BrokenExecutor, CancelledError) as error:
            self._asked = None
            self._drop()
            raise AdviserError("The process that chooses has died; another is started for the next sweep.") from error
        except Refusal as refusal:
            self._asked = None
            raise AdviserError(str(refusal)) from refusal
        self._asked = None
        return answer

    def close(self) -> None:
        """End the process at once, whatever it is at."""
        self._asked = None
        self._drop()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_begin, initargs=(self._threads,))
        return self._pool

    def _drop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        workers = list((pool._processes or {}).values())  # noqa: SLF001 - the pool has no other way to end at once
        for worker in workers:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        for worker in workers:
            with contextlib.suppress(ValueError):
                worker.join()


def _begin(threads: int) -> None:
    """Be a worker who gets in nobody's way and ends with who gives the work."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()
    if hasattr(os, "nice"):
        # Elsewhere a process can't step back by itself.
        with contextlib.suppress(OSError):
            os.nice(_NICER)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
