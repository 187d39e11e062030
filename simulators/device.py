"""This file is the CUDA device: sweeps of the eLife cell with a thread for each, where there is such a device.

It is optional: nothing of CUDA is loaded before it is asked for. It is checked in numba's simulator of a device and
compiled for real ones, but has never run on one: how fast it is there is not known.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.compiled import ENTRY
from simulators.moments import LATE, statistics
from simulators.pospischil import DT
from simulators.refusal import Refusal
from simulators.thread import begun, kernel

__all__ = ["DeviceError", "name", "summarize"]

_THREADS = 128
# Steps of all cells of a launch: memory stays flat, and a device that draws the screen as well soon returns to it.
_LAUNCH = 2_000_000_000


class DeviceError(Refusal):
    """There is no CUDA device that can be used."""


def name() -> str:
    """Name the CUDA device in use.

    Returns:
        What its maker calls it.

    Raises:
        DeviceError: If there is none.
    """
    given = _cuda().get_current_device().name
    return given.decode() if isinstance(given, bytes) else str(given)


def summarize(
    cells: npt.NDArray[np.float64],
    reversals: npt.NDArray[np.float64],
    durations: tuple[float, float, float],
    levels: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Do on a CUDA device what `simulators.moments.summarize` does on the processor.

    Seeds, equations and random numbers are the same. The last bits are not, for each compiler fuses multiplications
    and additions of its own choice. How much that may do was measured on the processor, with none fused, over 40,000
    sweeps of cells drawn from the prior of Goncalves et al. (2020): the mean voltage moved by 8e-7 mV in half of them
    and by less than 5e-4 mV in 99 of 100, and two cells at the edge of firing had another number of spikes.

    Args:
        cells: As there.
        reversals: As there.
        durations: As there.
        levels: As there.
        rng: As there; it is left in the same state.

    Returns:
        As there.

    Raises:
        DeviceError: If there is no device.

    References:
        Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
    """
    cuda = _cuda()
    b = len(cells)
    finish = np.rint(np.cumsum(durations) / DT).astype(np.int32)
    bounds = np.array([0, finish[0] - LATE, finish[0], finish[1]], dtype=np.int32)
    # Both segments before the step have one current; no statistic looks at what comes after it.
    currents = levels[:, [0, 0, 1]].astype(np.float32)
    seeds = rng.integers(1, 2**32 - 1, b, dtype=np.uint32)
    sums, spikes = np.empty((b, 3, 4)), np.empty(b, dtype=np.int64)
    size = max(1, _LAUNCH // int(finish[1]))
    for part in (slice(first, first + size) for first in range(0, b, size)):
        with ENTRY:
            row, state = begun(cells[part].astype(np.float64), reversals[part].astype(np.float64))
        centres = cells[part, 7].astype(np.float32)
        sums[part], spikes[part] = _run(cuda, row, state, currents[part].T, centres, seeds[part], bounds)
    return statistics(sums, spikes, cells[:, 7], finish)


def _run(cuda: Any, *given: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:  # noqa: ANN401
    """Launch a thread for each cell; give its sums of powers, shape (b, 3, 4), and its spikes."""
    b = given[0].shape[1]
    sums, spikes = cuda.to_device(np.zeros((3, 4, b))), cuda.to_device(np.zeros(b, dtype=np.int64))
    with warnings.catch_warnings():
        # A few cells are welcome, too.
        warnings.filterwarnings("ignore", "Grid size .* under-utilization")
        kernel(cuda)[math.ceil(b / _THREADS), _THREADS](
            *(cuda.to_device(np.ascontiguousarray(values)) for values in given), sums, spikes
        )
    return np.moveaxis(sums.copy_to_host(), 2, 0), spikes.copy_to_host()


def _cuda() -> Any:  # noqa: ANN401 - a module that may be missing
    """Load numba's CUDA, and refuse where it has no device."""
    try:
        from numba import cuda

        missing = None if cuda.is_available() else cuda.cuda_error() or "libNVVM, which compiles for it, was not found."
    except ImportError as error:
        missing = f"{error}."
    if missing is not None:
        raise DeviceError(
            f"A CUDA device was wanted to simulate on, and there is none that can be used: {' '.join(missing.split())} "
            "Install NVIDIA's driver and the extra 'cuda', or simulate on the processor."
        )
    return cuda
