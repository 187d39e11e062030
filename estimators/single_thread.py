"""This file is the single thread: what is inferred between two sweeps is too small to be shared out.

Two threads of torch wait for each other at every small operation: of 60 sweeps the slowest took 62 ms from its last
sample to the first of the next, and 48 with one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["single_thread"]


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch use one thread until the end, then as many as before.

    Yields:
        Nothing.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
