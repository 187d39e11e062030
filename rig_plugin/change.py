"""This file is the change: how one marginal differs from the one before it, by more than chance in the draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig_plugin.widgets.number import fixed, quantiles

__all__ = ["SURE", "Change", "change"]

SURE = 3.5
"""Standard errors from which a change is told: of the 26 that a posterior of 13 parameters could have, one in eighty
such posteriors has one by chance alone."""

_ENDS = (0.05, 0.95)
_FEWEST = 100
_Draws = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """What a sweep changed of a marginal; None where that is no more than chance.

    Args:
        moved: How far the median moved, in widths of the former 90 % interval; positive is up.
        wider: By what share the 90 % interval became wider; negative is narrower.
    """

    moved: float | None
    wider: float | None

    @property
    def marks(self) -> tuple[str, ...]:
        """Write it in signs.

        Example:
            >>> Change(-0.31, -0.35).marks, Change(None, 0.4).marks, Change(None, None).marks
            (('← 0.3', '↔ −35 %'), ('↔ +40 %',), ())
        """
        found = []
        if self.moved is not None:
            found.append(f"{'→' if self.moved > 0 else '←'} {_size(self.moved)}")
        if self.wider is not None:
            found.append(f"↔ {'+' if self.wider > 0 else ''}{fixed(100.0 * self.wider, 0)} %")
        return tuple(found)

    @property
    def sentence(self) -> str:
        """Write it in words; empty where nothing changed.

        Example:
            >>> Change(-0.31, -0.35).sentence
            'median down by 0.3 of the former interval, interval 35 % narrower'
        """
        found = []
        if self.moved is not None:
            found.append(f"median {'up' if self.moved > 0 else 'down'} by {_size(self.moved)} of the former interval")
        if self.wider is not None:
            found.append(f"interval {fixed(100.0 * abs(self.wider), 0)} % {'wider' if self.wider > 0 else 'narrower'}")
        return ", ".join(found)


def change(before: _Draws, now: _Draws) -> Change:
    """Compare draws of one parameter, on the axis on which it is shown, with those of one sweep ago.

    What is chance is told by the spacing of the draws around each quantile, whatever their distribution.

    Args:
        before: One sweep ago, shape (s,).
        now: With the sweep, shape (t,).

    Returns:
        What changed by more than `SURE` standard errors; nothing where there are fewer than a hundred draws.

    References:
        Woodruff (1952), J. Am. Stat. Assoc. 47, 635-646. https://doi.org/10.2307/2280781

    Example:
        >>> x = np.linspace(0.0, 1.0, 1001)
        >>> change(x, 0.5 * x + 0.5).marks
        ('→ 0.3', '↔ −50 %')
    """
    if min(before.size, now.size) < _FEWEST:
        return Change(None, None)
    (old_low, old_median, old_high), old_errors = _quantiles(before)
    (low, median, high), errors = _quantiles(now)
    old_width, width = old_high - old_low, high - low
    if not (old_width > 0.0 and width > 0.0):
        return Change(None, None)
    off = math.hypot(old_errors[1], errors[1])
    old_off, new_off = math.hypot(old_errors[0], old_errors[2]) / old_width, math.hypot(errors[0], errors[2]) / width
    has_moved = abs(median - old_median) > SURE * off
    is_other = abs(math.log(width / old_width)) > SURE * math.hypot(old_off, new_off)
    return Change(
        (median - old_median) / old_width if has_moved else None, width / old_width - 1.0 if is_other else None
    )


def _quantiles(draws: _Draws) -> tuple[list[float], list[float]]:
    """Give 5, 50 and 95 %, and the standard error of each."""
    shares = np.array([_ENDS[0], 0.5, _ENDS[1]])
    reach = np.sqrt(shares * (1.0 - shares) / draws.size)
    sought = np.clip(np.concatenate([shares - reach, shares, shares + reach]), 0.0, 1.0)
    low, middle, high = np.reshape(quantiles(draws, sought), (3, 3))
    return middle.tolist(), (0.5 * (high - low)).tolist()


def _size(moved: float) -> str:
    """Write a distance with one digit, or two below a tenth."""
    return fixed(abs(moved), 1 if abs(moved) >= 0.095 else 2)
