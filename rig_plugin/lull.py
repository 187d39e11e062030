"""This file is the lull: what was made before a recording is not searched for garbage while it runs.

Python looks through all objects now and then, which takes 150 ms with everything loaded that infers: a cell would wait
for that between two sweeps, and the window for its samples.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["lull"]


@contextmanager
def lull() -> Iterator[None]:
    """Leave what there is now out of every search until the end; what comes later is searched as always.

    Where somebody does that already it stays as they want it.

    Yields:
        Nothing.
    """
    if gc.get_freeze_count():
        yield
        return
    # Nothing is searched first: that alone is what nobody should wait for.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
