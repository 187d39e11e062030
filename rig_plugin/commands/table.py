"""This file is the table: mappings as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["cell", "outline", "table"]


def cell(value: Any) -> str:
    """Write one value for a human.

    Args:
        value: A number, text, or None.

    Returns:
        Four significant digits of a number with decimals, "-" for None, "none" for an empty list.

    Example:
        >>> cell(61.23842), cell(None), cell(7), cell(True)
        ('61.24', '-', '7', 'yes')
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value) or "none"
    return str(value)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay rows out in columns, numbers to the right.

    Args:
        rows: All with the keys of the first.

    Returns:
        A header and one line a row; one sentence where there are none.

    Example:
        >>> for line in table([{"name": "C", "value": 61.2}, {"name": "g_Na", "value": 7.0}]).splitlines():
        ...     line
        'name  value'
        'C      61.2'
        'g_Na      7'
    """
    if not rows:
        return "There are none."
    columns = list(rows[0])
    cells = [[cell(row[column]) for column in columns] for row in rows]
    widths = [max(len(text) for text in (column, *texts)) for column, *texts in zip(columns, *cells, strict=True)]
    right = [all(isinstance(row[column], int | float | None) for row in rows) for column in columns]
    return "\n".join(
        "  ".join(
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in (columns, *cells)
    )


def outline(value: Mapping[str, Any], indent: str = "") -> str:
    """Lay a JSON object out: plain values beside their keys, lists of objects as tables, objects indented.

    Args:
        value: What `--json` would show.
        indent: Before every line.

    Returns:
        The lines, joined.

    Example:
        >>> for line in outline({"kind": "abf", "channels": [{"name": "Vm", "unit": "mV"}]}).splitlines():
        ...     line
        'kind  abf'
        'channels'
        '  name  unit'
        '  Vm    mV'
    """
    lines = []
    width = max((len(key) for key, item in value.items() if not _is_nested(item)), default=0)
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            lines += [f"{indent}{key}", outline(item, f"{indent}  ")]
        elif _is_nested(item):
            lines += [f"{indent}{key}", *(f"{indent}  {line}".rstrip() for line in _items(item).splitlines())]
        else:
            lines.append(f"{indent}{key.ljust(width)}  {cell(item)}")
    return "\n".join(lines)


def _is_nested(item: Any) -> bool:
    """Tell whether an item takes lines of its own."""
    return bool(item) and (isinstance(item, Mapping) or (isinstance(item, list) and isinstance(item[0], Mapping | str)))


def _items(items: Sequence[Any]) -> str:
    """Lay out a list: sentences one a line, flat objects as a table, objects that hold more as outlines."""
    if not all(isinstance(item, Mapping) for item in items):
        return "\n".join(cell(item) for item in items)
    if any(_is_nested(value) for item in items for value in item.values()):
        return "\n\n".join(outline(item) for item in items)
    columns = dict.fromkeys(key for item in items for key in item)
    return table([{column: item.get(column) for column in columns} for item in items])
