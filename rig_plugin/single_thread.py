"""This file is the single thread: what linear algebra a sweep needs is too small to be shared out.

The second thread of NumPy's BLAS waits busily for work, on a core that the rig or the disk may have: of 100 sweeps the
slowest took 60 to 65 ms from its last sample to the first of the next, and 40 to 46 with one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

__all__ = ["single_thread"]


@contextmanager
def single_thread() -> Iterator[None]:
    """Let BLAS use one thread until the end, then as many as before.

    Yields:
        Nothing.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
