"""This file is the bout ledger: what each method reached on the eLife task, one a line."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rig_plugin.tasks.bout import Bout, Setting
from rig_plugin.tasks.journal import Journal

__all__ = ["BoutLedger"]


class _Kept(NamedTuple):
    """A bout, and what it is known by."""

    method: str
    version: str
    setting: Setting
    bout: Bout


class BoutLedger:
    """Bouts by method, version and setting.

    It tells versions of the programs apart and nothing finer: who changes how a network is trained starts another.

    Args:
        path: A file of JSON lines, made where there is none; None keeps nothing.

    Raises:
        Refusal: If a line of the file is no bout, or its folder is not there.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._journal = Journal(path, "bout", _read, _written)

    def find(self, method: str, version: str, setting: Setting) -> Bout | None:
        """Find a bout.

        Args:
            method: Who trained.
            version: Of that program.
            setting: How much was measured.

        Returns:
            The latest, or None.
        """
        for kept in reversed(self._journal.entries):
            if kept[:3] == (method, version, setting):
                return kept.bout
        return None

    def add(self, method: str, version: str, setting: Setting, bout: Bout) -> None:
        """Keep a bout.

        Args:
            method: Who trained.
            version: Of that program.
            setting: How much was measured.
            bout: What was reached.
        """
        self._journal.add(_Kept(method, version, setting, bout))


def _written(kept: _Kept) -> dict[str, Any]:
    bout = asdict(kept.bout) | {"times": kept.bout.times.tolist()}
    return {"method": kept.method, "version": kept.version, "setting": asdict(kept.setting), "bout": bout}


def _read(row: dict[str, Any]) -> _Kept:
    bout = Bout(**(row["bout"] | {"times": np.array(row["bout"]["times"], dtype=np.float64)}))
    return _Kept(row["method"], row["version"], Setting(**row["setting"]), bout)
