"""This file is the samples: a trace on its way from one file into another, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.backends.hdf5 import H5DataIO  # type: ignore[import-untyped]
from hdmf.data_utils import GenericDataChunkIterator  # type: ignore[import-untyped]

from hardware.kept.trace import Trace

__all__ = ["Pour", "pour"]

Pour = Callable[[Trace], Any]
"""Takes a trace to what HDMF writes."""

_CHUNK = 1 << 15
_BUFFER = 1 << 20  # samples in memory: 8 MiB


class _Pieces(GenericDataChunkIterator):  # type: ignore[misc]
    """Reads a trace as HDMF asks for it."""

    def __init__(self, trace: Trace, check: Callable[[], None]) -> None:
        self._trace, self._check = trace, check
        chunk, buffer = min(_CHUNK, trace.samples), min(_BUFFER, trace.samples)
        super().__init__(chunk_shape=(chunk,), buffer_shape=(buffer,))

    def _get_data(self, selection: tuple[slice]) -> npt.NDArray[np.float64]:
        self._check()
        return self._trace.read(selection[0].start, selection[0].stop)

    def _get_maxshape(self) -> tuple[int]:
        return (self._trace.samples,)

    def _get_dtype(self) -> np.dtype[np.float64]:
        return np.dtype(np.float64)


def pour(check: Callable[[], None]) -> Pour:
    """Make what takes traces, at least one sample long, to `H5DataIO`: packed without loss, and read when written.

    Args:
        check: Called before each piece is read; what it raises ends the writing.

    Returns:
        What never holds more than a piece of a trace.
    """
    return lambda trace: H5DataIO(_Pieces(trace, check), compression="gzip", compression_opts=1, shuffle=True)
