"""This file is the disagreement: where two posteriors of one cell differ, in a sentence where it matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FARTHEST", "WIDEST", "Apart", "apart", "sentence"]

FARTHEST = 0.45
"""Distance of medians, in widths of the amortized 90 % interval, from which it is spoken of. Of 34 simulated cells, the
largest of a cell was above 0.26 in one, by which this and the next were chosen."""

WIDEST = 2.25
"""Ratio of widths, either way, from which it is spoken of; the largest of those cells was 2.01."""

_ENDS = (0.05, 0.5, 0.95)
_NAMED = 3


@dataclass(frozen=True)
class Apart:
    """How a refined marginal differs from the amortized one.

    Args:
        name: Of the parameter.
        moved: Distance of the medians, in widths of the amortized 90 % interval, where the prior is normal; positive
            is up.
        ratio: Width of the refined interval over that of the amortized one.
    """

    name: str
    moved: float
    ratio: float

    @property
    def matters(self) -> bool:
        """Whether it is spoken of."""
        return abs(self.moved) >= FARTHEST or max(self.ratio, 1.0 / max(self.ratio, 1e-9)) >= WIDEST

    @property
    def said(self) -> str:
        """Write what matters of it in words.

        Example:
            >>> Apart("g_M", -0.62, 0.9).said, Apart("C", 0.1, 2.4).said
            ('g_M lies lower by 0.6 of its interval', 'C has an interval 2.4 times as wide')
        """
        found = []
        if abs(self.moved) >= FARTHEST:
            found.append(f"lies {'higher' if self.moved > 0 else 'lower'} by {abs(self.moved):.1f} of its interval")
        if self.ratio >= WIDEST:
            found.append(f"has an interval {self.ratio:.1f} times as wide")
        elif 1.0 / max(self.ratio, 1e-9) >= WIDEST:
            found.append(f"has an interval {1.0 / max(self.ratio, 1e-9):.1f} times as narrow")
        return f"{self.name} {' and '.join(found)}" if found else ""


def apart(
    names: Sequence[str], amortized: npt.NDArray[np.float64], refined: npt.NDArray[np.float64]
) -> tuple[Apart, ...]:
    """Compare two posteriors, parameter by parameter.

    Args:
        names: Of the parameters.
        amortized: Unconstrained draws, shape (s, p).
        refined: Unconstrained draws, shape (t, p).

    Returns:
        One entry a parameter, in order.
    """
    before, after = np.quantile(amortized, _ENDS, axis=0), np.quantile(refined, _ENDS, axis=0)
    width = np.maximum(before[2] - before[0], 1e-9)
    moved, ratio = (after[1] - before[1]) / width, (after[2] - after[0]) / width
    return tuple(Apart(name, float(a), float(b)) for name, a, b in zip(names, moved, ratio, strict=True))


def sentence(found: Sequence[Apart]) -> str:
    """Say where two posteriors disagree.

    Args:
        found: As `apart` gives it.

    Returns:
        A sentence, of the parameters that are farthest apart; empty where it does not matter.

    Example:
        >>> sentence([Apart("C", 0.1, 1.0), Apart("g_M", 0.62, 0.9)])[:74]
        'Refined and amortized disagree: g_M lies higher by 0.6 of its interval. Ta'
        >>> sentence([Apart("C", 0.1, 1.0)])
        ''
    """
    loud = sorted((each for each in found if each.matters), key=lambda each: -abs(each.moved))
    if not loud:
        return ""
    named = "; ".join(each.said for each in loud[:_NAMED])
    more = f"; and {len(loud) - _NAMED} more" if len(loud) > _NAMED else ""
    return f"Refined and amortized disagree: {named}{more}. Take the wider, or play more sweeps."
