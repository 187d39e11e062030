"""This file is the comma line: one row of a table as every spreadsheet and every program for statistics reads it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

__all__ = ["Cell", "comma_line"]

Cell = str | float | bool | None


def comma_line(cells: Sequence[Cell]) -> bytes:
    r"""Write a row as RFC 4180 has it, so that reading gives back every number exactly.

    Args:
        cells: Numbers as they are; None is an empty cell; truth is "true" or "false", as in JSON.

    Returns:
        The row with its line break, in UTF-8; what UTF-8 can't hold is written as an escape.

    References:
        Shafranovich (2005), Common format and MIME type for comma-separated values. https://doi.org/10.17487/RFC4180

    Example:
        >>> comma_line(["C [pF]", 0.1, None, True, "a, b"])
        b'C [pF],0.1,,true,"a, b"\r\n'
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow([_told(cell) for cell in cells])
    return row.getvalue().encode("utf-8", "backslashreplace")


def _told(cell: Cell) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    # The shortest digits that read back as the same number.
    return str(cell).lower() if isinstance(cell, bool) else repr(cell)
