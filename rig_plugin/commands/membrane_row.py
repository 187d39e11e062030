"""This file is the membrane's row: what a terminal shows of a membrane test as it ends."""

from __future__ import annotations

from rig_plugin.commands.output import Output
from rig_plugin.commands.table import cell
from rig_plugin.membrane_tests import ModelCellCheck, Tested
from rig_plugin.patching import Patching
from rig_plugin.settings import Settings
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
    for tested in Patching(settings, clamp, count).tests():
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
