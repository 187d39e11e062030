"""This file is the membrane's row: what a terminal shows of a membrane test as it ends."""

from __future__ import annotations

from dataclasses import replace

from hardware.pulse import CURRENT, VOLTAGE
from rig_plugin.commands.output import Output
from rig_plugin.commands.table import cell
from rig_plugin.membrane_tests import ModelCellCheck, Tested, membrane_tests
from rig_plugin.opening import rig
from rig_plugin.settings import Settings, SettingsError
from simulators.stimulus import Clamp

__all__ = ["tell_tests"]

_COLUMNS = (
    ("test", 4, "test"),
    ("access MOhm", 11, "access_MOhm"),
    ("Rin MOhm", 8, "resistance_MOhm"),
    ("Cm pF", 7, "capacitance_pF"),
    ("tau ms", 6, "tau_ms"),
    ("hold pA", 7, "holding_pA"),
    ("Vm mV", 6, "potential_mV"),
    ("stage", 10, "stage"),
)
_HEADER = "  ".join(name.rjust(width) for name, width, _ in _COLUMNS) + "  remark"


def tell_tests(
    output: Output, settings: Settings, clamp: Clamp, count: int, expected: ModelCellCheck | None, *, as_json: bool
) -> None:
    """Play membrane tests on a rig and say each as it ends.

    Args:
        output: Where to.
        settings: Of the rig; in current clamp the protocol's holding is where the pulses start from.
        clamp: In which they are played.
        count: How many.
        expected: What a model cell has, or None.
        as_json: One object a test; else a row.

    Raises:
        SettingsError: If it is asked in voltage clamp before a cell, and no amplifier tells its mode.
    """
    pulse = VOLTAGE if clamp == "voltage" else replace(CURRENT, holding=settings.protocol.holding)
    # Only of a simulated amplifier is the filter known here.
    corner = settings.electrode.corner if settings.rig.kind == "model-cell" else 0.0
    # A simulated patch has its own time, in which there is a test a second.
    settings = replace(settings, protocol=replace(settings.protocol, interval=1000.0))
    made = rig(settings)
    if clamp == "voltage" and made.is_alive and settings.amplifier.kind is None:
        raise SettingsError(
            "Nobody tells the amplifier's mode, and a holding of -70 mV that is meant for voltage clamp is more than a "
            "nanoampere into a cell in current clamp: nothing is put out; connect a telegraph, or, where you know that "
            'it is in voltage clamp, say so in the rig file: kind = "manual" and mode = "voltage" in [amplifier].'
        )
    with made as attached:
        for tested in membrane_tests(attached, pulse, count, settings.quality, corner=corner):
            if as_json:
                output.line(tested.to_json(expected))
            else:
                row = _row(tested, expected)
                output.text(row if tested.index else f"{_HEADER}\n{row}")


def _row(tested: Tested, expected: ModelCellCheck | None) -> str:
    """Show one test in the columns of the header, what is wrong with it last."""
    shown = tested.to_json(expected)
    cells = (cell(shown[key]).rjust(width) for _, width, key in _COLUMNS)
    remarks = [alarm.said for alarm in tested.alarms]
    if expected is not None:
        off = ((name, there, share) for name, share in shown["off"].items() if (there := getattr(expected, name)))
        remarks += [
            f"{name}: {cell(there)} was expected, {'unknown' if share is None else format(share, '+.1%')}."
            for name, there, share in off
        ]
    return f"{'  '.join(cells)}  {' '.join(remarks)}".rstrip()
