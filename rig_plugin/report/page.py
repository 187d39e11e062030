"""This file is the page: one HTML file with all it needs inside, written at once and never over another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rig_plugin.report.sheet import SHEET
from simulators.refusal import Refusal

__all__ = ["ReportError", "grid", "page", "write"]


class ReportError(Refusal):
    """A report can't be written; the message says why, and what to do."""


def page(title: str, body: str) -> str:
    """Make the page.

    Args:
        title: What the window's title says.
        body: HTML.

    Returns:
        The whole file; it asks for nothing else, neither scripts nor pictures nor faces.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{SHEET}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    """Make a table.

    Args:
        columns: Their names.
        rows: Texts.
        numbers: Columns that stand to the right.

    Returns:
        HTML.
    """
    kinds = [' class="number"' if k in numbers else "" for k in range(len(columns))]
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for kind, name in zip(kinds, columns, strict=True))
    lines = ("".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True)) for row in rows)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
    )


def write(path: Path, text: str) -> None:
    """Write a report.

    Args:
        path: Where to.
        text: The page.

    Raises:
        ReportError: If something is there already, or the folder can't take it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            raise ReportError(f"{path} is there and is never overwritten; choose another name or move it.")
        beside.rename(path)
    except OSError as error:
        raise ReportError(f"{path} can't be written ({error.strerror}); choose another place for it.") from error
    finally:
        beside.unlink(missing_ok=True)
