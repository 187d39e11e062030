"""This file is the report on real cells: what was recorded beside what was predicted, as a page to read and to keep."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from estimators.checkpoint import Checkpoint
from rig_plugin.report.family import family_section
from rig_plugin.report.page import grid, page
from rig_plugin.report.single import single_section
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.half import Half, held
from rig_plugin.tasks.in_sample import Single

__all__ = ["families_page"]


def families_page(
    families: Sequence[tuple[Cell, Sequence[Half]]], singles: Sequence[Single], checkpoint: Checkpoint, today: str
) -> str:
    """Make the page.

    Args:
        families: Recordings of families, each with what either half says of the other.
        singles: Recordings of one sweep.
        checkpoint: The network.
        today: When it was asked.

    Returns:
        HTML.
    """
    facts = {
        "network": checkpoint.spec.name,
        "made": str(checkpoint.record.get("made") or "unknown"),
        "asked": today,
        "families": str(len(families)),
        "single sweeps": str(len(singles)),
    }
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    parts = [f'<h1>Real cells, as {escape(checkpoint.spec.name)} predicts them</h1>\n<dl class="facts">{rows}</dl>']
    if families:
        parts += [_summary(families), _explained()]
        parts += [family_section(cell, both, checkpoint) for cell, both in families]
    if singles:
        parts.append(single_section(singles))
    return page(f"Real cells, as {checkpoint.spec.name} predicts them", "\n".join(parts))


def _summary(families: Sequence[tuple[Cell, Sequence[Half]]]) -> str:
    """Tabulate how the families came out."""
    rows = []
    for cell, both in families:
        right: list[bool] = []
        alone: list[bool] = []
        for half in both:
            for sweep, drawn, unaided in zip(half.asked, half.drawn, half.unaided, strict=True):
                right += held(drawn, cell.rows[sweep]).values()
                alone += held(unaided, cell.rows[sweep]).values()
        shares = [f"{100.0 * float(np.mean(found)):.0f} %" for found in (right, alone)]
        rows.append([cell.name, str(len(cell.rows)), str(len(right)), *shares])
    columns = ("recording", "sweeps", "quantities", "inside, with the model's error", "inside, posterior alone")
    return f'<div class="panel">{grid(columns, rows, (1, 2, 3, 4))}</div>'


def _explained() -> str:
    """Say how to read the page."""
    return (
        '<p class="quiet">Each half of a family, every second sweep, is shown to the network, which predicts the other '
        "half; so each sweep is predicted once, from sweeps that are not it. An interval of 90 % should hold nine of "
        "ten: fewer is too sure, all of them is too wide. <em>The posterior alone</em> takes the model for the truth. "
        "<em>With the model's error</em>, what the model missed of the sweeps that were seen is carried over to the "
        "others, as a smooth function of the current.</p>"
    )
