"""This file is the single sweeps' section of a report: recordings of one sweep, beside what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from estimators.features import FEATURES, NAMES
from rig_plugin.report.page import grid
from rig_plugin.report.trace_plot import trace_plot
from rig_plugin.tasks.in_sample import LOOKED_AT, Single

__all__ = ["single_section"]

_TRACES = 3


def single_section(singles: Sequence[Single]) -> str:
    """Write the section.

    Args:
        singles: Recordings of one sweep.

    Returns:
        HTML.
    """
    inside = [one.holds(name) for one in singles for name in LOOKED_AT]
    parts = [
        "<h2>Single sweeps, in-sample</h2>",
        f'<p class="quiet">Of these cells there is one sweep. It is shown to the network and then predicted from '
        "itself, by the posterior alone: that tells whether the model can make such a sweep at all, and nothing about "
        f"sweeps to come. {sum(inside)} of {len(inside)} quantities lie inside their 90 % intervals.</p>",
    ]
    return "\n".join([*parts, *(_one(one) for one in singles)])


def _one(one: Single) -> str:
    """Show one sweep: its trace over draws, and what was predicted of it."""
    cell, rows = one.cell, []
    for name in LOOKED_AT:
        unit = FEATURES[NAMES.index(name)].unit
        low, high = one.interval(name)
        told = "no draw has it" if np.isnan(low) else _minus(f"{low:.1f} to {high:.1f}")
        value = _minus(f"{cell.rows[0, NAMES.index(name)]:.1f}")
        rows.append([name.replace("_", " "), "" if unit == "1" else unit, value, told, _word(one.holds(name))])
    low, middle, high = np.quantile(one.capacitance, [0.05, 0.5, 0.95])
    paper = "" if one.paper is None else f"{one.paper:.0f} (eLife 2020)"
    rows.append(["total capacitance", "pF", paper, f"{low:.0f} to {high:.0f}, median {middle:.0f}", ""])
    title = f"{cell.currents[0]:.0f} pA: {cell.counts[0]:.0f} spikes recorded [mV]"
    plot = trace_plot(cell.traces[0], one.forecast.traces(0, _TRACES, sure=True), cell.contexts[0], title)
    table = grid(("quantity", "unit", "recorded", "90 % interval", ""), rows, (2, 3))
    return (
        f'<section class="panel"><h3>{escape(cell.name)} (in-sample)</h3><div class="plots wide"><figure>{plot}'
        f"<figcaption>Solid, dark: recorded. Dashed, coloured: simulated from {_TRACES} draws of the posterior that "
        f"this very sweep gave.</figcaption></figure><div>{table}</div></div></section>"
    )


def _word(holds: bool) -> str:
    return "inside" if holds else "OUTSIDE"


def _minus(text: str) -> str:
    """Write signs as they are printed."""
    return text.replace("-", "−")
