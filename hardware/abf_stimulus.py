"""This file is the stimulus file of an Axon binary file: a second file that the header names, looked for beside it."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyabf  # type: ignore[import-untyped]

__all__ = ["stays_beside"]

_FROM_FILE = 2


def stays_beside(path: Path, abf: pyabf.ABF, dac: int) -> bool:
    """Let an output's command come from nowhere but the recording itself and its folder.

    The header keeps a whole path, which the library would open wherever it leads, on another computer too.

    Args:
        path: The recording.
        abf: What the library read; the path that it knows is bent to the recording's folder.
        dac: Number of the output.

    Returns:
        False where the command is in a file that is not there, or that the library would mistake for another.
    """
    if abf.abfVersion["major"] == 1:
        # Of this version the library looks for no file.
        return int(abf._headerV1.nWaveformSource[dac]) != _FROM_FILE  # noqa: SLF001 - the library has no other
    section, texts = abf._dacSection, abf._stringsSection._indexedStrings  # noqa: SLF001 - the library has no other
    if not section.nWaveformEnable[dac] or section.nWaveformSource[dac] != _FROM_FILE:
        return True
    if dac:
        # pyabf 2.3.8 takes the file of output 0 for that of every output.
        return False
    row = section.lDACFilePathIndex[dac]
    beside = path.parent / PureWindowsPath(texts[row]).name
    texts[row] = str(beside)
    return beside != path.parent and beside.is_file()
