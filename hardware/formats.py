"""This file is the formats: which reader takes a file, told by its first bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hardware.choice import Choice, chosen
from hardware.recording import Recording, RecordingError

__all__ = ["FORMATS", "Reader", "reader_of"]

Reader = Callable[[Path, Choice], Recording]


def _abf(path: Path, choice: Choice) -> Recording:
    from hardware.abf import read_abf

    return read_abf(path, choice)


def _hdf5(path: Path, choice: Choice) -> Recording:
    from hardware.nwb import read_nwb
    from hardware.own import is_own, read_own

    return _as_asked(read_own(path), choice) if is_own(path) else read_nwb(path, choice)


FORMATS: dict[bytes, Reader] = {b"ABF ": _abf, b"ABF2": _abf, b"\x89HDF\r\n\x1a\n": _hdf5}
"""Reader of each format, by the bytes that its files begin with."""


def reader_of(path: Path) -> Reader:
    """Find the reader of a file; its content decides, whatever its name ends in.

    Args:
        path: The file.

    Returns:
        The reader, of which nothing has run yet.

    Raises:
        RecordingError: If there is no such file, it can't be opened, or is of no format that is known.
    """
    try:
        with path.open("rb") as file:
            head = file.read(max(map(len, FORMATS)))
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
    return reader


def _as_asked(recording: Recording, choice: Choice) -> Recording:
    """Check a choice in a recording of ours, which has one channel of each kind."""
    if choice.channel is not None:
        chosen(choice.channel, recording.channels, "voltage", recording.path)
    if choice.current_channel is not None:
        chosen(choice.current_channel, recording.channels, "current", recording.path)
    return recording
