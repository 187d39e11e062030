"""This file is the in-sample fit: recordings of one sweep, each predicted from the posterior that it gave itself.

It tells whether the model can make such a sweep at all, and nothing about sweeps to come. The capacitance stands
beside the membrane's area of five Allen cells that the eLife paper fitted, at 1 uF/cm2.

References:
    Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from estimators.checkpoint import Checkpoint
from estimators.features import NAMES
from estimators.forecast import Forecast
from rig_plugin.benchmarks.cells import Cell
from rig_plugin.tasks.figure import Figure

__all__ = ["AREAS", "in_sample"]

_LOOKED_AT = ("rest", "spike_count", "threshold", "peak", "mean_voltage")
_WANTED = 22 / 25

AREAS = {
    "509881736": 83.15,
    "526950199": 85.32,
    "532571720": 109.4,
    "555060623": 91.87,
    "567399060": 160.9,
}
"""Capacitance that the paper's area stands for, tau over input resistance, by the cell's number [pF]."""


def in_sample(cells: Sequence[Cell], checkpoint: Checkpoint, draws: int) -> list[dict[str, Any]]:
    """Predict sweeps from themselves, by the posterior alone.

    Args:
        cells: Recordings of one sweep that fires.
        checkpoint: The network.
        draws: Draws of theta of each.

    Returns:
        Share inside 90 % intervals of rest, count, threshold, peak and mean over all cells; total capacitance of each,
            with the paper's beside it where it is one of the paper's.
    """
    if not cells:
        return []
    names = [parameter.name for parameter in checkpoint.spec.parameters]
    inside, figures = [], []
    for cell in cells:
        forecast = Forecast(checkpoint, cell.rows, cell.contexts, cell.contexts, 0, draws)
        drawn = forecast.unaided(0)
        for name in _LOOKED_AT:
            truth, there = cell.rows[0, NAMES.index(name)], drawn[:, NAMES.index(name)]
            low, high = np.nanquantile(there, [0.05, 0.95]) if np.isfinite(there).any() else (np.nan, np.nan)
            inside.append(bool(low - 1e-9 <= truth <= high + 1e-9))
        theta = forecast.sure
        total = theta[:, names.index("C")]
        if "dendrite_ratio" in names:
            total = total * (1.0 + theta[:, names.index("dendrite_ratio")])
        paper = next((area for number, area in AREAS.items() if number in cell.name), None)
        peer = None if paper is None else "area of the eLife paper"
        figure = Figure("in_sample_C", float(np.median(total)), "pF", len(theta), peer=peer, there=paper).row()
        figures.append(figure | {"name": f"{cell.name}/in_sample_C"})
    share = Figure("in_sample_90", float(np.mean(inside)), "1", len(inside), aim=_WANTED, better="more").row()
    return [share, *figures]
