"""This file is the exported amplifier: how it stood before each sweep, where NWB has a place for it and in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from hardware.amplifier import Reading
from hardware.export.table import table
from hardware.kept.sweep import KeptSweep
from simulators.stimulus import Clamp

__all__ = ["amplifier_table", "filtering", "in_series", "injected"]

_MEANINGS = {
    "mode": "Clamp: current, voltage, zero (no current, whatever the command) or unknown.",
    "gain": "From the cell to the output [mV/mV in current clamp, mV/pA in voltage clamp].",
    "corner": "Of its low-pass [kHz].",
    "sensitivity": "From the command input to the cell [pA/V in current clamp, mV/V in voltage clamp].",
    "bridge": "Series resistance that it has balanced itself [MOhm].",
    "holding": "What it injects itself, on top of the command [pA in current clamp, mV in voltage clamp].",
    "neutralization": "Capacitance that it neutralizes [pF].",
    "residual": "Series resistance that its bridge leaves, to be subtracted from the response [MOhm].",
}


def in_series(sweep: KeptSweep) -> dict[str, float]:
    """Say how the amplifier stood in the fields that the series of a response has.

    Args:
        sweep: The sweep.

    Returns:
        In SI units, what is known of "gain", "bias_current", "bridge_balance" and "capacitance_compensation"; in
        voltage clamp of "gain" only, for NWB parts the capacitance there in a way that no reading does.
    """
    reading = sweep.provenance.amplifier or Reading()
    clamp: Clamp = sweep.stimulus.clamp
    if clamp == "voltage":
        found = {"gain": (reading.gain.value, 1e9)}
    else:
        found = {
            "gain": (reading.gain.value, 1.0),
            "bias_current": (reading.holding.value, 1e-12),
            "bridge_balance": (reading.bridge.value, 1e6),
            "capacitance_compensation": (reading.neutralization.value, 1e-12),
        }
    return {name: value * factor for name, (value, factor) in found.items() if value is not None}


def injected(sweep: KeptSweep) -> float:
    """Give the current that the amplifier injected itself, which the kept command contains and NWB's does not.

    Args:
        sweep: The sweep.

    Returns:
        The current [A]; 0 where it is not known, and in voltage clamp.
    """
    return in_series(sweep).get("bias_current", 0.0)


def filtering(sweeps: Sequence[KeptSweep]) -> str | None:
    """Describe the low-pass for the electrode.

    Args:
        sweeps: Of the recording.

    Returns:
        A sentence with all corners that there were, or None where none is known.
    """
    readings = [sweep.provenance.amplifier for sweep in sweeps]
    corners = dict.fromkeys(r.corner.value for r in readings if r is not None and r.corner.value is not None)
    if not corners:
        return None
    said = ", ".join(f"{corner:g}" for corner in corners)
    return f"Low-pass of the amplifier, corner at {said} kHz; the table 'amplifier' has it sweep by sweep."


def amplifier_table(sweeps: Sequence[KeptSweep]) -> list[Any]:
    """Make the table of all that was read.

    Args:
        sweeps: Of the recording.

    Returns:
        The `DynamicTable`, a row for each sweep before which an amplifier was asked; nothing where none was.
    """
    columns = {"sweep": "Number of the sweep, from 0; its series end in it."}
    for field in fields(Reading):
        unknown = "" if field.name == "mode" else " NaN where it is unknown."
        columns[field.name] = _MEANINGS[field.name] + unknown
        columns[f"{field.name}_source"] = f"Who says the {field.name}: telegraph, commander, rig file or unknown."
    rows = [_row(sweep.index, sweep.provenance.amplifier) for sweep in sweeps if sweep.provenance.amplifier is not None]
    made = table("amplifier", "How the amplifier stood just before each sweep.", columns, rows)
    return [] if made is None else [made]


def _row(index: int, reading: Reading) -> dict[str, Any]:
    row: dict[str, Any] = {"sweep": index}
    for field in fields(Reading):
        setting = getattr(reading, field.name)
        missing = "unknown" if field.name == "mode" else float("nan")
        row[field.name] = missing if setting.value is None else setting.value
        row[f"{field.name}_source"] = setting.source
    return row
