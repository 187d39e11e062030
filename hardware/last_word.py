"""This file is the last word: what a guardian did, left in a folder where the window finds it when the engine is dead.

A folder needs no connection that could die with the engine, and works alike on every system: a pipe would have to be
inherited through the engine, and the memory that engine and window share would tie the guardian to them. The window
makes the folder and names it in the environment, which engine and guardian inherit. A guardian that watches has a file
there; when it has acted, that file is replaced by another with its word, in one step, so that none is read half.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["FOLDER", "Lookout", "Word", "WordFile"]

FOLDER = "RIG_PLUGIN_GUARDIANS"
"""Name in the environment of the folder."""


@dataclass(frozen=True)
class Word:
    """What a guardian did.

    Args:
        returned: Whether the output is in its exit state.
        sentence: That says so, with the reason; where it is not, with the remedy.
    """

    returned: bool
    sentence: str


class WordFile:
    """The guardian's end; where nobody named a folder, or it is gone, nothing is written: its duty is the output."""

    def __init__(self) -> None:
        named = os.environ.get(FOLDER)
        self._path = Path(named) / f"{os.getpid()}.watch" if named else None

    def watch(self) -> None:
        """Say that one watches."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.touch()

    def leave(self, word: Word) -> None:
        """Say what was done, and that nobody watches any more.

        Args:
            word: To be read by the window.
        """
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.write_text(json.dumps(asdict(word)), encoding="utf-8")
                self._path.replace(self._path.with_suffix(".word"))

    def end(self) -> None:
        """Say that nobody watches any more, for all is well."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()


class Lookout:
    """The window's end.

    Args:
        folder: That exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def is_watched(self) -> bool:
        """Whether a guardian watches, or did until it was killed."""
        return any(self._folder.glob("*.watch"))

    def collect(self) -> tuple[Word, ...]:
        """Read the words that were left since the last look, and take them away.

        Returns:
            The words; what can't be read now is read at the next look.
        """
        words = []
        for path in sorted(self._folder.glob("*.word")):
            with contextlib.suppress(OSError, ValueError, TypeError):
                words.append(Word(**json.loads(path.read_text(encoding="utf-8"))))
                path.unlink()
        return tuple(words)

    def forget(self) -> None:
        """Let go of guardians that were killed, so that they are waited for no more."""
        for path in self._folder.glob("*.watch"):
            with contextlib.suppress(OSError):
                path.unlink()
