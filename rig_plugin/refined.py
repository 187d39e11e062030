"""This file is the refined: what a round of simulations for one cell said, from the worker to the screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Refined"]


@dataclass(frozen=True, eq=False)
class Refined:
    """The refined posterior after a trial, or why there is none.

    Args:
        trial: Number of the newest that it rests on.
        draws: Samples in physical units, shape (s, p), or None where it could not be refined.
        refusal: Why not, as a sentence; empty where it could.
        disagreement: Where it differs from the amortized one, as a sentence; empty where that does not matter.
        gained: What it knows more of cells like this one than the amortized one [nat].
        effective: What draws of the amortized one are worth as draws of it, of `of`.
        of: How many draws these were.
        k: Pareto k of their weights.
        simulated: Sweeps that were simulated.
        seconds: That it took.
    """

    trial: int
    draws: npt.NDArray[np.float64] | None = None
    refusal: str = ""
    disagreement: str = ""
    gained: float = 0.0
    effective: float = 0.0
    of: int = 0
    k: float = math.nan
    simulated: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """Write it in one line, as it stands beside the posterior.

        Example:
            >>> Refined(3, np.zeros((1000, 2)), gained=1.234, effective=612.0, of=1000, k=0.4, simulated=9000).line
            'refined (9000 sweeps): +1.2 nat; amortized worth 612 of 1000, Pareto k 0.4'
        """
        if self.draws is None:
            return self.refusal
        k = f"{self.k:.1f}" if math.isfinite(self.k) else "not known"
        return (
            f"refined ({self.simulated} sweeps): {self.gained:+.1f} nat; amortized worth {self.effective:.0f} "
            f"of {self.of}, Pareto k {k}"
        )

    def to_json(self) -> dict[str, Any]:
        """Lay it out for a letter, but for the draws."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "draws"}
        return plain | {"k": self.k if math.isfinite(self.k) else None}

    @staticmethod
    def of_json(told: Mapping[str, Any], draws: npt.NDArray[np.float64] | None) -> Refined:
        """Read it from a letter.

        Args:
            told: As `to_json` laid it out.
            draws: That belong to it, or None.

        Returns:
            The same, but that a k without an end is not known.
        """
        read = Refined(**{**told, "k": math.nan if told["k"] is None else told["k"]})
        return replace(read, draws=draws)
