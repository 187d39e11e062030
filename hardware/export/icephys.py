"""This file is the icephys tables: which sweeps belong together, from the single recording to the condition."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pynwb import NWBFile  # type: ignore[import-untyped]

from hardware.export.traces import Pair, protocol
from hardware.kept.sweep import KeptSweep

__all__ = ["Row", "gap_free_row", "icephys_tables", "sweep_row"]

_NO_DRUG = "no virtual drug"


@dataclass(frozen=True, eq=False)
class Row:
    """One recording and what decides to which others it belongs.

    Args:
        pair: Response and stimulus.
        kind: The type of stimulus.
        parameters: What varies within a family.
        condition: Under which virtual drugs the cell was.
    """

    pair: Pair
    kind: str
    parameters: Hashable
    condition: str


def sweep_row(sweep: KeptSweep, pair: Pair) -> Row:
    """Make the row of a sweep."""
    doses = [dose for epoch in sweep.stimulus.epochs for dose in epoch.doses]
    drugs = sorted({f"{dose.conductance} x {dose.factor:g} + {dose.added:g}" for dose in doses})
    levels = tuple(epoch.level for epoch in sweep.stimulus.epochs)
    return Row(pair, protocol(sweep), levels, ", ".join(drugs) or _NO_DRUG)


def gap_free_row(index: int, pair: Pair) -> Row:
    """Make the row of a gap-free segment."""
    return Row(pair, "gap-free", index, _NO_DRUG)


def icephys_tables(file: NWBFile, rows: Sequence[Row], electrode: Any) -> None:
    """Fill the five tables.

    With one electrode each recording is simultaneous with itself only. A sequential recording is a family: stimuli of
    one type with levels that differ. Families of one type that follow each other are a repetition, and all that
    was played under the same virtual drugs is a condition.

    Args:
        file: To which.
        rows: In the order of recording.
        electrode: The `IntracellularElectrode`.
    """
    for row in rows:
        pair = row.pair
        stimulus = {} if pair.stimulus is None else _window("stimulus", pair.stimulus, pair.samples)
        k = file.add_intracellular_recording(
            electrode=electrode, **stimulus, **_window("response", pair.response, pair.samples)
        )
        file.add_icephys_simultaneous_recording(recordings=[k])
    conditions: dict[str, list[int]] = {}
    for (kind, condition), families in groupby(_families(rows), key=lambda family: _shape(rows[family[0]])):
        members = [
            file.add_icephys_sequential_recording(simultaneous_recordings=family, stimulus_type=kind)
            for family in families
        ]
        repetition = file.add_icephys_repetition(sequential_recordings=members)
        conditions.setdefault(condition, []).append(repetition)
    table = file.get_icephys_experimental_conditions()
    table.add_column(name="condition", description="Virtual drugs: conductance x factor + what was added.")
    for condition, repetitions in conditions.items():
        file.add_icephys_experimental_condition(repetitions=repetitions, condition=condition)


def _window(name: str, series: Any, count: int) -> dict[str, Any]:
    return {name: series, f"{name}_start_index": 0, f"{name}_index_count": count}


def _shape(row: Row) -> tuple[str, str]:
    return row.kind, row.condition


def _families(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Cut the session where the type of stimulus changes, or a stimulus comes again."""
    family: list[int] = []
    for k, row in enumerate(rows):
        seen = {rows[member].parameters for member in family}
        if family and (_shape(row) != _shape(rows[family[0]]) or row.parameters in seen):
            yield family
            family = []
        family.append(k)
    if family:
        yield family
