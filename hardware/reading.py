"""This file is reading: one function that takes any file to the reader of its format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hardware.recording import Recording, RecordingError

__all__ = ["FORMATS", "Reader", "read"]

Reader = Callable[[Path], Recording]


def _abf(path: Path) -> Recording:
    from hardware.abf import read_abf

    return read_abf(path)


def _hdf5(path: Path) -> Recording:
    from hardware.nwb import read_nwb
    from hardware.own import is_own, read_own

    return read_own(path) if is_own(path) else read_nwb(path)


FORMATS: dict[bytes, Reader] = {b"ABF ": _abf, b"ABF2": _abf, b"\x89HDF\r\n\x1a\n": _hdf5}
"""Reader of each format, by the bytes that its files begin with."""


def read(path: Path | str) -> Recording:
    """Read a recording; its content decides the format, whatever its name ends in.

    Args:
        path: An ABF1, ABF2, NWB 2 or own file.

    Returns:
        The recording, in mV, pA and kHz.

    Raises:
        RecordingError: If there is no such file, or it is no recording of a cell in current clamp.
    """
    path = Path(path)
    longest = max(map(len, FORMATS))
    try:
        with path.open("rb") as file:
            head = file.read(longest)
    except FileNotFoundError as error:
        raise RecordingError(f"{path} does not exist: check the name of the file.") from error
    except IsADirectoryError as error:
        raise RecordingError(f"{path} is a folder: give one of the files in it.") from error
    except OSError as error:
        # Windows answers the opening of a folder with a refused permission.
        remedy = "give one of the files in it" if path.is_dir() else "check the disk and who may read the file"
        raise RecordingError(f"{path} can't be opened ({error.strerror}): {remedy}.") from error
    reader = next((reader for magic, reader in FORMATS.items() if head.startswith(magic)), None)
    if reader is None:
        raise RecordingError(
            f"{path} is neither an ABF, an NWB nor a recording of this program: give a file of one of these formats."
        )
    return reader(path)
