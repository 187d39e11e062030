"""This file is the outlook: how a network learns what sweeps would teach, as a spec has it under [prospect]."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Outlook"]


@dataclass(frozen=True)
class Outlook:
    """How a prospect is made.

    Args:
        cells: Simulated for it, those of all rounds together; 0 for no prospect at all.
        rounds: How often cells are added that were asked by what was learned so far; the first is asked without.
        epochs: How often all sweeps are taken in each round.
        width: Of what is kept of each sweep.
        hidden: Of the layers that decide.
        members: Regressions beside each other, whose spread tells how sure they are.
    """

    cells: int = 0
    rounds: int = 3
    epochs: int = 10
    width: int = 56
    hidden: int = 72
    members: int = 2
