"""This file is the preferences: what the window remembers of how somebody likes it, for each rig apart.

They are a JSON file. What in it is broken, or from another version, is left out with a word in the log, and never keeps
the window from opening.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import logging
import math
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

__all__ = ["LARGEST", "SMALLEST", "Preferences", "keep", "place", "remembered"]

_LOG = logging.getLogger("rig_plugin")
_RECENT = 10
_LONGEST = 1_000_000
SMALLEST, LARGEST = 0.8, 2.0
"""Between these all letters can be scaled."""


@dataclass(frozen=True)
class Preferences:
    """How somebody likes the window over one rig.

    Args:
        theme: "dark" or "light".
        scale: Of all letters.
        layout: Where the panels stand, as Qt tells it; empty for as at first.
        geometry: Where the window stands, as Qt tells it; empty for as at first.
        followed: The parameter that is followed over the sweeps; empty for the first.
        pairs: Those of the pair plot; empty for the first ones.
        welcomed: Whether the first words need not be said again.
        recent: What was opened, newest first.
        waits: Whether each sweep waits for a word.
    """

    theme: str = "dark"
    scale: float = 1.0
    layout: bytes = b""
    geometry: bytes = b""
    followed: str = ""
    pairs: tuple[str, ...] = ()
    welcomed: bool = False
    recent: tuple[str, ...] = ()
    waits: bool = False

    def opened(self, file: Path) -> Preferences:
        """Remember that a file was opened.

        Args:
            file: Which.

        Returns:
            The same with it in front, and at most ten.
        """
        name = str(file.resolve())
        return replace(self, recent=(name, *(old for old in self.recent if old != name))[:_RECENT])


def place(key: str) -> Path:
    """Tell where the preferences of a rig are kept.

    Args:
        key: Of the preparation, see `rig_plugin.preparation`.

    Returns:
        A file in the user's own settings; named to be read by people, and different for every key.
    """
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(key).stem).strip("-")[:40] or "rig"
    return user_config_path("rig-plugin") / f"{stem}-{hashlib.sha256(key.encode()).hexdigest()[:10]}.json"


def remembered(file: Path) -> Preferences:
    """Read preferences as far as they can be read.

    Args:
        file: As `place` tells it.

    Returns:
        What was kept; the defaults for what was not, or is no longer understood.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Preferences()
    except (OSError, ValueError) as error:
        _LOG.warning("%s can't be read (%s): the window opens as at first.", file, error)
        return Preferences()
    if not isinstance(told, Mapping):
        _LOG.warning("%s holds no preferences: the window opens as at first.", file)
        return Preferences()
    good: dict[str, Any] = {}
    for name, read in _READERS.items():
        if name not in told:
            continue
        value = read(told[name])
        if value is None:
            _LOG.warning("%s: %s is %.60r, which is no longer understood and is left out.", file, name, told[name])
        else:
            good[name] = value
    return Preferences(**good)


def keep(file: Path, preferences: Preferences) -> bool:
    """Write preferences, at once and completely; what can't be written is lost with a word in the log.

    Args:
        file: As `place` tells it.
        preferences: Which.

    Returns:
        Whether they are kept.
    """
    told = asdict(preferences)
    for name in ("layout", "geometry"):
        told[name] = base64.b64encode(told[name]).decode("ascii")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=file.parent, prefix=file.stem)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(told, out, indent=1)
                out.flush()
                os.fsync(out.fileno())
            Path(beside).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(beside).unlink()
            raise
    except OSError as error:
        _LOG.warning("%s can't be written (%s): the window will open as it did this time.", file, error)
        return False
    return True


def _theme(value: object) -> str | None:
    return value if isinstance(value, str) and value in ("dark", "light") else None


def _scale(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return min(max(float(value), SMALLEST), LARGEST) if is_number and isinstance(value, int | float) else None


def _bytes(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) and len(value) < _LONGEST else None
    except (binascii.Error, ValueError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) < _LONGEST else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return None
    return tuple(value[:_RECENT])


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_READERS: Mapping[str, Callable[[object], object]] = {
    "theme": _theme,
    "scale": _scale,
    "layout": _bytes,
    "geometry": _bytes,
    "followed": _text,
    "pairs": _texts,
    "welcomed": _flag,
    "recent": _texts,
    "waits": _flag,
}
if {entry.name for entry in fields(Preferences)} != set(_READERS):
    raise TypeError("Each preference needs one who reads it.")
