"""This file is the distillation: rows from which one network, the pupil, learns what an ensemble knows.

At every observation the pupil sees twenty draws of the ensemble's posterior beside five copies of the theta that was
simulated. The draws make the density smooth where one theta an observation leaves it to chance, and the simulated ones
hold it to the truth where the ensemble errs.

References:
    Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network. https://arxiv.org/abs/1503.02531
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from estimators.descent import Rows
from estimators.network import Network

__all__ = ["heavier", "taught"]

_DRAWS, _COPIES = 20, 5
_MOST = 1_000_000
"""Rows above which fewer draws and copies are made of each."""

_AT_ONCE = 1024


def heavier(n: int, networks: int) -> tuple[int, int]:
    """Say how many rows are made of one.

    Args:
        n: Rows that were simulated.
        networks: Of the ensemble.

    Returns:
        Draws of each network, and copies of what was simulated; one of each at least.
    """
    room = min(1.0, _MOST / (n * (_DRAWS + _COPIES)))
    return max(1, round(room * _DRAWS / networks)), max(1, round(room * _COPIES))


def taught(networks: Sequence[Network], rows: Rows, seed: int) -> Rows:
    """Make the rows that a pupil learns from.

    Args:
        networks: The ensemble; each draws as many.
        rows: That were simulated.
        seed: Of the draws.

    Returns:
        Copies of the rows, and the same observations with drawn theta; a draw that is not finite is left out.
    """
    draws, copies = heavier(len(rows.z), len(networks))
    generator = torch.Generator().manual_seed(seed)
    drawn = [_drawn(network, rows.x, draws, generator) for network in networks]
    z = torch.cat([rows.z.repeat(copies, 1), *drawn])
    x = rows.x.repeat(len(z) // len(rows.z), 1)
    sound = torch.isfinite(z).all(1)
    return Rows(x[sound], z[sound])


def _drawn(network: Network, x: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    """Draw at every observation, shape (draws x n, p), all observations once before any a second time."""
    with torch.no_grad():
        parts = [network(some).draw(draws, generator) for some in torch.split(x, _AT_ONCE)]
    return torch.cat(parts, dim=1).flatten(0, 1)
