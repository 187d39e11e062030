"""This file is HDF5: opening one and taking a trace out of it, without trusting what it says of its size."""

from __future__ import annotations

import math
import re
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from hardware.journal import Journalled, unpack
from hardware.recording import RecordingError

__all__ = ["LONGEST", "open_hdf5", "rows", "scalar", "text", "trace"]

LONGEST = 50_000_000
"""Most samples of one sweep: a quarter of an hour at 50 kHz."""

_INSIDE = (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT)
_LONGEST_VALUE = 1 << 16  # bytes
_LARGEST_CHUNK = 1 << 28  # bytes, which the library unpacks at once
_DEFLATE = 1032  # gzip can't pack more tightly


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading, with the changes that a killed recording has left in its journal.

    Args:
        path: The file.

    Returns:
        The open `h5py.File`, to be closed by the caller.

    Raises:
        RecordingError: If it is cut off or damaged, or still being written.
    """
    try:
        changes = unpack(path)
        file = h5py.File(Journalled(path, changes), "r") if changes else h5py.File(path, "r", locking="best-effort")
    except BlockingIOError as error:
        raise RecordingError(f"{path} is being written by another program: end its session first.") from error
    except OSError as error:
        sizes = re.search(r"truncated file: eof = (\d+).*stored_eof = (\d+)", str(error))
        if sizes:
            raise RecordingError(
                f"{path} is truncated: it promises {sizes[2]} bytes and holds {sizes[1]}; copy it again from the rig."
            ) from error
        if "file signature not found" in str(error):
            raise RecordingError(f"{path} is no HDF5 file: give a recording of this program, or NWB.") from error
        raise RecordingError(f"{path} is not a whole HDF5 file ({error}): copy it again from the rig.") from error
    try:
        outside = file.id.links.visit(_outside, info=True)
    except (RuntimeError, OSError, ValueError, LookupError) as error:
        file.close()
        raise RecordingError(f"{path} is not a whole HDF5 file ({error}): copy it again from the rig.") from error
    if outside is not None:
        file.close()
        # Nobody's recording may make this program open another file.
        raise RecordingError(f"{path} points to another file at '{outside}': export it again as one file.")
    return file


def _outside(name: bytes, link: h5py.h5l.LinkInfo) -> str | None:
    """Stop at a link that leads out of the file, by name."""
    return name.decode("utf-8", "replace") if link.type not in _INSIDE else None


def trace(dataset: h5py.Dataset, path: Path, lost: int = 0) -> npt.NDArray[np.float64]:
    """Read a one-dimensional dataset of numbers, as stored.

    Args:
        dataset: An `h5py.Dataset`.
        path: The file, for the message.
        lost: Samples that are known to be missing, which take no bytes.

    Returns:
        Shape (n,) with n > 0.

    Raises:
        RecordingError: If it is no such dataset, or claims more samples than its bytes can hold.
    """
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iuf":
        raise RecordingError(f"{path} has no numbers in '{getattr(dataset, 'name', dataset)}': export the file again.")
    size, name = dataset.size, dataset.name
    if dataset.external or dataset.is_virtual:
        raise RecordingError(f"{path} keeps '{name}' in another file, a whole one was wanted: export it as one file.")
    if dataset.ndim not in (1, 2) or dataset.shape[1:] not in ((), (1,)):
        raise RecordingError(f"{path} has an array of shape {dataset.shape} in '{name}', one trace was wanted.")
    held = (size - lost) * dataset.dtype.itemsize
    if not size or size > LONGEST or held > _DEFLATE * dataset.id.get_storage_size():
        raise RecordingError(
            f"{path} claims {size} samples in '{name}', more or less than it can hold: it is damaged, copy it again."
        )
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > _LARGEST_CHUNK:
        raise RecordingError(
            f"{path} stores '{name}' in pieces of {math.prod(dataset.chunks)} samples, at most "
            f"{_LARGEST_CHUNK // dataset.dtype.itemsize} were wanted: export it again in smaller pieces."
        )
    try:
        return np.asarray(dataset[()], dtype=np.float64).reshape(-1)
    except OSError as error:
        raise RecordingError(f"{path} is damaged in '{name}' ({error}): copy it again from the rig.") from error


def rows(dataset: h5py.Dataset, most: int = 20_000) -> npt.NDArray[np.void]:
    """Read a column of a table.

    Args:
        dataset: An `h5py.Dataset`.
        most: How many rows any table has.

    Returns:
        Shape (n,).

    Raises:
        RecordingError: If it is no column, or claims more rows than any table has.
    """
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 1 or dataset.size > most:
        raise RecordingError(
            f"'{getattr(dataset, 'name', dataset)}' is no column of at most {most} rows: export the file again."
        )
    return np.asarray(dataset[()])


def scalar(dataset: h5py.Dataset) -> object:
    """Read one value.

    Args:
        dataset: An `h5py.Dataset`.

    Returns:
        The value.

    Raises:
        RecordingError: If it holds more than one.
    """
    if not isinstance(dataset, h5py.Dataset) or dataset.size != 1 or dataset.dtype.itemsize > _LONGEST_VALUE:
        raise RecordingError(f"'{getattr(dataset, 'name', dataset)}' holds no single value: export the file again.")
    return dataset[()]


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
