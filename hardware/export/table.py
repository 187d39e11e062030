"""This file is the table: rows of plain values as NWB keeps them, each column with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from hdmf.common import DynamicTable, VectorData  # type: ignore[import-untyped]

__all__ = ["flattened", "plain", "table"]


def table(name: str, description: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Any:
    """Make a table.

    Args:
        name: Of the table.
        description: What a row is.
        columns: What each column means, with its unit, in order.
        rows: Values by column: text, numbers or booleans, of one kind in each column.

    Returns:
        The `DynamicTable`, or None where there are no rows: NWB can't keep an empty table with columns of its own.
    """
    if not rows:
        return None
    return DynamicTable(
        name=name,
        description=description,
        columns=[
            VectorData(name=key, description=meaning, data=_column([row[key] for row in rows]))
            for key, meaning in columns.items()
        ],
    )


def plain(value: object) -> str:
    """Write a value as text that HDF5 can keep: what has no code in UTF-8 is replaced, and NUL is left out.

    Args:
        value: Any.

    Returns:
        The text.

    Example:
        >>> plain("C" + chr(0) + "ell"), plain(chr(0xD800)), plain(7)
        ('Cell', '?', '7')
    """
    return str(value).encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def flattened(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Take a JSON value apart, because a table that holds JSON text in a cell is read by nobody.

    Args:
        value: What `json.loads` gives.
        name: What leads to it.

    Yields:
        Each plain value with the names that lead to it, joined by dots; nothing for null.

    Example:
        >>> list(flattened({"rig": {"kind": "nidaq", "gain": [10, None]}}))
        [('rig.kind', 'nidaq'), ('rig.gain.0', '10')]
    """
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from flattened(item, f"{name}.{key}" if name else plain(key))
    elif value is not None:
        yield plain(name), plain(value)


def _column(values: list[Any]) -> Any:
    return [plain(value) for value in values] if isinstance(values[0], str) else np.array(values)
