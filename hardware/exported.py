"""This file is the exported sweep: what an NWB file of this program tells beyond what NWB has a place for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import h5py  # type: ignore[import-untyped]

from hardware.gap import lost_samples, missing
from hardware.hdf5 import text
from hardware.recording import RecordedSweep
from hardware.rig import Provenance
from simulators.stimulus import Dose, Epoch, Stimulus
from simulators.sweep import Junction

__all__ = ["ExportedSweep", "exported", "exported_tests"]

_MODULE = "processing/icephys"
_MOST = 10_000_000


@dataclass(frozen=True)
class ExportedSweep:
    """What was played and where it came from.

    Args:
        stimulus: What was put out.
        provenance: Where the sweep came from.
    """

    stimulus: Stimulus
    provenance: Provenance

    def of(self, sweep: RecordedSweep) -> RecordedSweep:
        """Make of what the series tell what the recording told.

        Args:
            sweep: As any NWB file gives it.

        Returns:
            The sweep with its stimulus; one that lacks samples or is shorter says so in its problem.
        """
        origin, wanted = self.provenance, self.stimulus.samples(sweep.rate)
        problem = sweep.problem
        if gaps := missing(sweep.response):
            problem = lost_samples(gaps, sweep.rate)
        if sweep.response.size != wanted:
            problem = f"Sweep {sweep.index} ended after {sweep.response.size} of {wanted} samples: record it again."
        return replace(
            sweep,
            start=origin.start,
            clamp=self.stimulus.clamp,
            command_source=origin.command_source,
            holding_source=origin.holding_source,
            protocol="",
            stimulus=self.stimulus,
            junction=origin.junction,
            bridge=origin.bridge,
            problem=problem,
        )


def exported(file: h5py.File) -> dict[str, ExportedSweep]:
    """Read the tables of what was played.

    Args:
        file: The open NWB file.

    Returns:
        {name of the response: what was played}; nothing where another program made the file.

    Raises:
        LookupError: If a table lacks a column.
        ValueError: If a value can't be used.
    """
    module = file.get(_MODULE)
    if not isinstance(module, h5py.Group) or "sweeps" not in module or "epochs" not in module:
        return {}
    doses: dict[tuple[int, int], list[Dose]] = {}
    for row in _rows(module, "doses"):
        dose = Dose(row["conductance"], float(row["factor"]), float(row["added"]))
        doses.setdefault((int(row["sweep"]), int(row["epoch"])), []).append(dose)
    epochs: dict[int, list[Epoch]] = {}
    for row in _rows(module, "epochs"):
        of_sweep = epochs.setdefault(int(row["sweep"]), [])
        drugs = doses.get((int(row["sweep"]), len(of_sweep)), ())
        of_sweep.append(Epoch(float(row["level"]), float(row["duration"]), tuple(drugs)))
    return {
        row["response"]: ExportedSweep(
            Stimulus(row["clamp"], tuple(epochs[int(row["sweep"])]), int(row["observed_epoch"])), _provenance(row)
        )
        for row in _rows(module, "sweeps")
    }


def exported_tests(file: h5py.File) -> frozenset[str]:
    """Name the responses that are membrane tests, and no sweeps of a cell that is asked.

    Args:
        file: The open NWB file.

    Returns:
        Names of series; none where another program made the file.
    """
    module = file.get(_MODULE)
    if not isinstance(module, h5py.Group):
        return frozenset()
    return frozenset(row["response"] for row in _rows(module, "membrane_tests"))


def _provenance(row: Mapping[str, Any]) -> Provenance:
    potential = float(row["junction_potential"])
    return Provenance(
        datetime.fromisoformat(row["start"]) if row["start"] else None,
        row["command_source"],
        row["holding_source"],
        Junction(row["junction_state"], None if math.isnan(potential) else potential),
        float(row["bridge"]),
    )


def _rows(module: h5py.Group, name: str) -> Iterator[dict[str, Any]]:
    """Give the rows of a table that may be missing."""
    table = module.get(name)
    if table is None:
        return
    columns = {key: column for key, column in table.items() if key != "id"}
    for key, column in columns.items():
        if column.ndim != 1 or column.size > _MOST:
            raise ValueError(f"column '{key}' of '{name}' has the shape {column.shape}")
    values = {key: column[()].tolist() for key, column in columns.items()}
    for row in zip(*values.values(), strict=True):
        yield {key: text(v) if isinstance(v, bytes) else v for key, v in zip(values, row, strict=True)}
