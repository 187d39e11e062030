"""This file is the rounds: what the worker is given of a cell, and the refined posterior that it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rig_plugin.refined import Refined

if TYPE_CHECKING:
    from estimators.context import Context

__all__ = ["Cell", "refined"]


@dataclass(frozen=True, eq=False)
class Cell:
    """All that is known of a cell, as plain data.

    Args:
        trial: Number of the newest.
        network: The checkpoint.
        rows: Features of the sweeps so far, shape (n, f), NaN where missing.
        contexts: Their circumstances.
        seed: Of everything that is random.
    """

    trial: int
    network: Path
    rows: npt.NDArray[np.float64]
    contexts: tuple[Context, ...]
    seed: int = 0


def refined(cell: Cell) -> Refined:
    """Refine the posterior of a cell, in a process of its own.

    Args:
        cell: What is known of it.

    Returns:
        The refined posterior.

    Raises:
        Refusal: If the network can't be read, or the sweeps can't be simulated as they were made.
    """
    import torch

    from estimators.checkpoint import load
    from estimators.disagreement import sentence
    from estimators.rounds import refine_by_round

    torch.set_num_threads(1)
    context = np.stack([each.row() for each in cell.contexts])
    found = refine_by_round(load(cell.network), cell.rows, context, cell.seed)
    return Refined(
        cell.trial,
        found.draws,
        disagreement=sentence(found.apart),
        gained=found.gained,
        effective=found.effective,
        of=len(found.draws),
        k=found.k,
        simulated=found.simulated,
        seconds=found.seconds,
    )
