"""This file is the partial file: what is being written, which takes its name only when it is whole and on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import h5py  # type: ignore[import-untyped]

from hardware.export.disk import Disk, is_in_use
from simulators.refusal import Refusal

__all__ = ["ExportError", "PartialFile", "clear_leftovers"]

_ENDING = ".partial"


class ExportError(Refusal):
    """An export can't be written where it was asked for: one sentence, with the remedy."""


class PartialFile:
    """A hidden file beside the one that is wanted.

    Args:
        out: The file that is wanted; it is never written over.
        source: The recording, whose name is part of the hidden one: a leftover tells what it comes from.

    Raises:
        ExportError: If `out` is there.
    """

    def __init__(self, out: Path, source: Path) -> None:
        if out.exists():
            raise _taken(out)
        self.out = out
        self.path = out.with_name(f".{out.name}.{source.name}{_ENDING}")

    @contextmanager
    def open(self) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
        """Make the hidden file; when all went well it is brought to the disk and gets its name, else it is removed.

        Yields:
            The open `h5py.File`, and what raises where the disk has refused a part of it.

        Raises:
            ExportError: If the folder can't be written to, the disk is full, or the name was taken meanwhile.
        """
        try:
            disk = Disk(self.path)
        except FileExistsError as error:
            raise ExportError(f"{self.out} is being exported by another program: wait until it is done.") from error
        except OSError as error:
            raise ExportError(
                f"{self.out.parent} can't be written to ({error.strerror}): choose another folder."
            ) from error
        try:
            with closing(disk):
                with h5py.File(disk, "w") as file:
                    yield file, disk.check
                disk.sync()
            self._publish()
        except OSError as error:
            raise ExportError(
                f"{self.out} can't be written ({error.strerror}): make room or choose another disk."
            ) from error
        finally:
            self.path.unlink(missing_ok=True)

    def _publish(self) -> None:
        """Give the file its name in one step, which fails where the name was taken meanwhile."""
        try:
            os.link(self.path, self.out)
        except FileExistsError as error:
            raise _taken(self.out) from error
        except OSError:
            # A disk without hard links, such as FAT; on Windows a renaming refuses to replace by itself.
            if self.out.exists():
                raise _taken(self.out) from None
            self.path.rename(self.out)
        if os.name == "posix":
            _sync(self.out.parent)


def clear_leftovers(folder: Path, source: Path) -> list[str]:
    """Remove what exports of a recording left behind when they were killed.

    Args:
        folder: Where they would have been written.
        source: The recording.

    Returns:
        The names of the files that were removed; one that a living export still writes stays.
    """
    if not folder.is_dir():
        return []
    ending = f".{source.name}{_ENDING}"
    found = sorted(p for p in folder.iterdir() if p.name.startswith(".") and p.name.endswith(ending))
    removed = []
    for path in found:
        if path.is_file() and not path.is_symlink() and not is_in_use(path):
            with suppress(PermissionError):
                path.unlink()
                removed.append(path.name)
    return removed


def _sync(folder: Path) -> None:
    """Bring to the disk that the file has its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _taken(out: Path) -> ExportError:
    return ExportError(f"{out} is there and is never overwritten: choose another name or move it.")
