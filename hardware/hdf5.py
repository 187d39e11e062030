"""This file is HDF5: opening one and taking a trace out of it, without trusting what it says of its size."""

from __future__ import annotations

import re
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.recording import RecordingError

__all__ = ["open_hdf5", "text", "trace"]

_LONGEST = 50_000_000  # samples of one sweep: a quarter of an hour at 50 kHz
_DEFLATE = 1032  # gzip can't pack more tightly


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading.

    Args:
        path: The file.

    Returns:
        The open `h5py.File`, to be closed by the caller.

    Raises:
        RecordingError: If it is cut off or damaged, or still being written.
    """
    try:
        return h5py.File(path, "r", locking="best-effort")
    except BlockingIOError as error:
        raise RecordingError(f"{path} is being written by another program: end its session first.") from error
    except OSError as error:
        sizes = re.search(r"truncated file: eof = (\d+).*stored_eof = (\d+)", str(error))
        if sizes:
            raise RecordingError(
                f"{path} is truncated: it promises {sizes[2]} bytes and holds {sizes[1]}; copy it again from the rig."
            ) from error
        raise RecordingError(f"{path} is not a whole HDF5 file ({error}): copy it again from the rig.") from error


def trace(dataset: h5py.Dataset, path: Path) -> npt.NDArray[np.float64]:
    """Read a one-dimensional dataset of numbers, as stored.

    Args:
        dataset: An `h5py.Dataset`.
        path: The file, for the message.

    Returns:
        Shape (n,) with n > 0.

    Raises:
        RecordingError: If it is no such dataset, or claims more samples than its bytes can hold.
    """
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iuf":
        raise RecordingError(f"{path} has no numbers in '{getattr(dataset, 'name', dataset)}': export the file again.")
    size, name = dataset.size, dataset.name
    if dataset.ndim not in (1, 2) or dataset.shape[1:] not in ((), (1,)):
        raise RecordingError(f"{path} has an array of shape {dataset.shape} in '{name}', one trace was wanted.")
    if not size or size > _LONGEST or size * dataset.dtype.itemsize > _DEFLATE * dataset.id.get_storage_size():
        raise RecordingError(
            f"{path} claims {size} samples in '{name}', more or less than it can hold: it is damaged, copy it again."
        )
    try:
        return np.asarray(dataset[()], dtype=np.float64).reshape(-1)
    except OSError as error:
        raise RecordingError(f"{path} is damaged in '{name}' ({error}): copy it again from the rig.") from error


def text(value: object, default: str = "") -> str:
    """Read a string, whichever way HDF5 gives it.

    Args:
        value: Bytes, a string, an array of one, or None.
        default: What is meant by None.

    Returns:
        The string.
    """
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else None
    if value is None:
        return default
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
