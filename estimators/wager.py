"""This file is the wager: a bet against the model, sweep after sweep, whose gains are the evidence that it is wrong.

Each sweep's p-value is turned into what a fair bet pays for it. As long as the model is right, no way of betting makes
money on average, and whatever the number of sweeps and whenever one looks, one cell in twenty at most ever multiplies
the stake by twenty. So the alarm of a session needs no correction for how many sweeps it has.

References:
    Ville (1939), Etude critique de la notion de collectif. Gauthier-Villars, Paris.
    Vovk & Wang (2021), Ann. Statist. 49, 1736-1754. https://doi.org/10.1214/20-AOS2020
    Shafer (2021), J. R. Stat. Soc. A 184, 407-431. https://doi.org/10.1111/rssa.12647
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["ALARM", "Wager", "payout"]

ALARM = 20.0
"""Evidence from which a session is an alarm: one sound cell in twenty at most ever reaches it."""

_SMALLEST = 1e-6


@dataclass(frozen=True)
class Wager:
    """A bet under way.

    Args:
        capital: What one unit has become.
        highest: What it was at its best.
        sweeps: How many were bet on.
    """

    capital: float = 1.0
    highest: float = 1.0
    sweeps: int = 0

    def after(self, p: float) -> Wager:
        """Bet on one more sweep.

        Args:
            p: Its p-value, valid given the sweeps before, 0 to 1.

        Returns:
            The bet after it.

        Raises:
            ValueError: If p is not between 0 and 1.
        """
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"A p-value is {p}, a number from 0 to 1 was wanted.")
        capital = self.capital * payout(p)
        return Wager(capital, max(self.highest, capital), self.sweeps + 1)

    @property
    def is_alarm(self) -> bool:
        """Whether the evidence has ever been enough."""
        return self.highest >= ALARM


def payout(p: float) -> float:
    """Tell what a fair bet pays for a p-value: the mean of k p^(k - 1) over all k from 0 to 1.

    Args:
        p: Between 0 and 1; below a millionth it pays no more.

    Returns:
        At least a half, whose mean over uniform p is 1.

    Example:
        >>> round(payout(1.0), 3), round(payout(0.01), 2)
        (0.5, 4.45)
    """
    p = max(p, _SMALLEST)
    if p > 0.999:
        # Near 1 the quotient is nothing over nothing; its series is 1/2 + (1 - p)/6.
        return 0.5 + (1.0 - p) / 6.0
    log = math.log(p)
    return (1.0 - p + p * log) / (p * log * log)
