"""This file is the journal: what took hours to measure, one entry a line, so that a killed run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from simulators.refusal import Refusal

__all__ = ["Journal"]

Entry = TypeVar("Entry")


class Journal(Generic[Entry]):
    """Entries of one kind in a file of JSON lines.

    Args:
        path: The file, made where there is none; None keeps nothing.
        kind: What an entry is called.
        read: From a line's mapping to the entry; a ValueError, TypeError or KeyError says that it is none.
        write: The way back.

    Raises:
        Refusal: If a line of the file is no such entry, or its folder is not there.

    Attributes:
        entries: What is there, in the order in which it came.
    """

    def __init__(
        self,
        path: Path | None,
        kind: str,
        read: Callable[[dict[str, Any]], Entry],
        write: Callable[[Entry], dict[str, Any]],
    ) -> None:
        self._path, self._write = path, write
        self.entries: list[Entry] = []
        if path is None:
            return
        if not path.parent.is_dir():
            raise Refusal(f"The folder of {path} is not there; make it, or name another file with --out.")
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        # Who was killed while writing left a line without an end.
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self.entries.append(read(json.loads(line)))
            except (ValueError, TypeError, KeyError) as error:
                raise Refusal(
                    f"Line {number} of {path} is no {kind} ({error}); name another file with --out."
                ) from error

    def add(self, entry: Entry) -> None:
        """Keep an entry.

        Args:
            entry: A new one.
        """
        self.entries.append(entry)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self._write(entry), allow_nan=False) + "\n")
