"""This file is the whole file: one that is either all there or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from simulators.refusal import Refusal

__all__ = ["WholeFileError", "write_whole"]


class WholeFileError(Refusal):
    """A file can't be written; the message says where and why, and what to do."""


def write_whole(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file beside its place, and give it its name when the disk has all of it.

    Args:
        path: Where to; a file that is there is replaced, and stays as it is until then.
        pieces: What it holds.

    Returns:
        Its size [bytes].

    Raises:
        WholeFileError: If the folder can't take it.
    """
    beside = path.with_name(f".{secrets.token_hex(6)}.writing")
    try:
        with beside.open("xb") as file:
            size = sum(file.write(piece) for piece in pieces)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise WholeFileError(f"{path} can't be written ({why}); choose another place for it.") from error
    finally:
        beside.unlink(missing_ok=True)
    return size
