"""This file is the ledger: a row for each trial of a session, to be saved as a table at any moment.

Its columns are named as `rig-plugin run --json` names them, with dots between the levels. Rows lie in a file without a
name, so that a session of any length takes no more memory, and saving takes as long as copying.
"""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rig_plugin.comma_line import Cell, comma_line
from rig_plugin.draws import titled
from rig_plugin.trial import Trial
from rig_plugin.widgets.features import Feature
from rig_plugin.widgets.verdict import verdict
from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["Ledger", "LedgerError"]

_FIRST = (
    "trial", "file_sweep",
    "stimulus.clamp", "stimulus.holding_pA", "stimulus.step_pA", "stimulus.onset_ms", "stimulus.duration_ms",
    "stimulus.source", "stimulus.epochs",
    "membrane.resistance_MOhm", "membrane.capacitance_pF", "membrane.tau_ms", "membrane.residual_MOhm",
    "membrane.holding_pA", "membrane.potential_mV",
)  # fmt: skip
_QUANTILES = ("median", "q05", "q95")
_WITHHELD = "posterior.withheld"
_LAST = (
    "trust.in_distribution", "trust.score", "trust.reason",
    "latency_ms.features", "latency_ms.posterior", "latency_ms.total",
)  # fmt: skip
_PIECE = 1 << 20


class LedgerError(Refusal):
    """The table can't be had; the message says why, and what to do."""


class Ledger:
    """The trials of a session; one thread writes rows, and another may read what is written.

    A posterior that is withheld is empty cells, and the reason stands in the column `posterior.withheld`.

    Args:
        parameters: The network's, in order.
        features: The network's, in order.
    """

    def __init__(self, parameters: Sequence[Parameter], features: Sequence[Feature]) -> None:
        posterior = {f"posterior.{p.name}.{name}": p.unit for p in parameters for name in _QUANTILES}
        units = dict.fromkeys(_FIRST, "")
        units |= {f"features.{feature.name}": feature.unit for feature in features}
        units |= {"sweeps_used": ""} | posterior | dict.fromkeys((_WITHHELD, *_LAST), "")
        self._names = tuple(units)
        self.columns = tuple(titled(name, unit) for name, unit in units.items())
        self.count = 0
        self._size = 0
        self._lock = threading.Lock()
        self._refusal = ""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as this is there
        weakref.finalize(self, self._file.close)

    def enter(self, trial: Trial) -> None:
        """Write a trial down; a disk without room is told when the table is saved.

        Args:
            trial: The next one.
        """
        self._append(comma_line(self.row(trial)))
        self.count += 1

    def row(self, trial: Trial) -> list[Cell]:
        """Lay a trial out.

        Args:
            trial: Any.

        Returns:
            A cell for each of `columns`, None where it is missing.
        """
        told = trial.to_json()
        if verdict(trial) == "withheld":
            told["posterior"] = {"withheld": trial.trust.reason or "No reason was given."}
        cells = dict(_flat(told))
        return [cells.get(name) for name in self._names]

    def clear(self) -> None:
        """Forget all trials: another session begins."""
        with self._lock:
            self._file.seek(0)
            self._file.truncate()
            self._size = self.count = 0
            self._refusal = ""

    def pieces(self) -> Iterator[bytes]:
        """Give the table as it is now; trials that come meanwhile are not in it.

        Returns:
            Pieces of a CSV file.

        Raises:
            LedgerError: If there are no trials yet, or the disk had no room for them.
        """
        if self._refusal:
            raise LedgerError(self._refusal)
        if not self.count:
            raise LedgerError("There is no table to save before the first trial is over.")
        return self._read(self._size)

    def _read(self, size: int) -> Iterator[bytes]:
        yield comma_line(self.columns)
        for first in range(0, size, _PIECE):
            with self._lock:
                self._file.seek(first)
                piece = self._file.read(min(_PIECE, size - first))
            yield piece

    def _append(self, line: bytes) -> None:
        if self._refusal:
            return
        with self._lock:
            try:
                self._file.seek(self._size)
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                where = tempfile.gettempdir()
                self._refusal = (
                    f"The table broke off after {self.count} trials: {where} can't be written ({error.strerror}). "
                    "Make room there; the next session is kept again, and the recording has all of this one."
                )
                return
            self._size += len(line)


def _flat(told: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Cell]]:
    """Give the leaves of nested mappings with their dotted names; a list stays JSON."""
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", json.dumps(value) if isinstance(value, list) else value
