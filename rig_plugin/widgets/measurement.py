"""This file is the measurement: what two cursors say of the channels under them, as a table of fixed columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rig_plugin.widgets.number import MISSING, fixed, significant

__all__ = ["COLUMNS", "Measured", "laid_out"]

_WIDTHS = (10, 15, 15, 19, 13, 14, 13)
COLUMNS = sum(_WIDTHS)
"""Letters of a line."""


@dataclass(frozen=True)
class Measured:
    """One channel under the cursors.

    Args:
        name: Of the channel.
        unit: Of its samples.
        a: The sample at cursor A; NaN where there is none.
        b: The sample at cursor B; NaN where there is none.
        mean: Of all samples from the one to the other; NaN where there are none.
    """

    name: str
    unit: str
    a: float
    b: float
    mean: float

    @property
    def difference(self) -> float:
        """From A to B."""
        return self.b - self.a

    def slope(self, elapsed: float) -> float:
        """Tell how steep the line from A to B is.

        Args:
            elapsed: Time from A to B.

        Returns:
            Change for each unit of that time; NaN where there is none.
        """
        return self.difference / elapsed if elapsed else math.nan


def laid_out(a: float, b: float, unit: str, rate: float, rows: Sequence[Measured]) -> str:
    """Write the table.

    Times have the digits that the sampling rate deserves, values four.

    Args:
        a: Time of cursor A.
        b: Time of cursor B.
        unit: Of the times, "ms" or "s".
        rate: Sampling rate [kHz].
        rows: One for each channel.

    Returns:
        Lines of equal columns for a face whose letters are all of one width.

    Example:
        >>> print(laid_out(10.0, 30.0, "ms", 20.0, [Measured("response", "mV", -70.0, -50.5, -60.0)]))
                  A 10.00 ms     B 30.00 ms     B − A 20.00 ms     mean A to B  slope         1/Δt 50 Hz
        response  −70 mV         −50.50 mV      19.50 mV           −60 mV       0.9750 mV/ms
    """
    decimals = max(0, math.ceil(math.log10(rate))) + (3 if unit == "s" else 0)
    elapsed = b - a
    hertz = (1.0 if unit == "s" else 1e3) / elapsed if elapsed else math.nan
    times = {"A": a, "B": b, "B − A": elapsed}
    headings = [f"{name} {fixed(time, decimals)} {unit}" for name, time in times.items()]
    lines = [("", *headings, "mean A to B", "slope", f"1/Δt {_said(abs(hertz), 'Hz')}")]
    for row in rows:
        values = [_said(value, row.unit) for value in (row.a, row.b, row.difference, row.mean)]
        per = f"{row.unit}/{unit}" if row.unit else f"1/{unit}"
        lines.append((_cut(row.name), *values, _said(row.slope(elapsed), per), ""))
    return "\n".join("".join(map(str.ljust, line, _WIDTHS)).rstrip() for line in lines)


def _said(value: float, unit: str) -> str:
    return f"{significant(value, 4)} {unit}".rstrip() if math.isfinite(value) else MISSING


def _cut(name: str) -> str:
    most = _WIDTHS[0] - 1
    return name if len(name) <= most else f"{name[: most - 1]}…"
