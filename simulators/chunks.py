"""This file is the chunk: a numbered part of a long simulation, in an HDF5 file that one process writes.

A chunk is written under a temporary name and then moved to its number, so what bears a number is whole, and a run
that was killed goes on with the numbers that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from simulators.refusal import Refusal

__all__ = ["ChunkError", "holds", "keep", "missing", "open_file", "title"]

_WRITING = "writing"


class ChunkError(Refusal):
    """A file of chunks can't be used; the message says why, and what to do."""


def open_file(path: Path) -> h5py.File:
    """Open a file to write chunks to; HDF5's lock keeps every other writer out until it is closed.

    Args:
        path: HDF5 file, made where there is none.

    Returns:
        The open file.

    Raises:
        ChunkError: If it is no HDF5 file, another process has it open, it may not be written, or its folder is missing.
    """
    if not path.parent.is_dir():
        raise ChunkError(f"{path.parent} is no folder; make it, or choose another place for {path.name}.")
    try:
        return h5py.File(path, "r+" if path.exists() and path.stat().st_size else "w")
    except OSError as error:
        if path.is_file() and h5py.is_hdf5(path):
            raise ChunkError(
                f"{path} is open in another process or may not be written; wait until that is done, or choose another."
            ) from error
        raise ChunkError(f"{path} is no HDF5 file; choose another name or move it.") from error


def title(chunk: int) -> str:
    """Name a chunk's group.

    Args:
        chunk: Its number.

    Returns:
        Its name in the file.

    Example:
        >>> title(12)
        '000012'
    """
    return f"{chunk:06d}"


def holds(file: h5py.File, chunk: int) -> bool:
    """Tell whether a chunk is there.

    Args:
        file: File of chunks.
        chunk: Its number.

    Returns:
        True where it is, and then it is whole.
    """
    return title(chunk) in file


def missing(file: h5py.File, wanted: int) -> Iterator[int]:
    """Name the chunks that are still to be made, one by one as they are asked for.

    Args:
        file: File of chunks.
        wanted: How many it is to hold.

    Yields:
        Their numbers, ascending.
    """
    return (chunk for chunk in range(wanted) if not holds(file, chunk))


def keep(
    file: h5py.File,
    chunk: int,
    arrays: Mapping[str, npt.NDArray[np.generic]],
    attributes: Mapping[str, object] | None = None,
) -> None:
    """Write a chunk, completely or not at all, and hand it to the operating system.

    Args:
        file: File of chunks.
        chunk: Its number.
        arrays: What it holds, by name.
        attributes: What is to be known of it.
    """
    # A chunk under its temporary name is one that a kill left unfinished.
    if _WRITING in file:
        del file[_WRITING]
    group = file.create_group(_WRITING)
    for name, array in arrays.items():
        group[name] = array
    group.attrs.update(attributes or {})
    file.move(_WRITING, title(chunk))
    file.flush()
