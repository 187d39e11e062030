"""This file is the tally: how predictions of sweeps that were not shown come out, whoever made them.

References:
    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359-378, for the interval score.
    https://doi.org/10.1198/016214506000001437
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from estimators.features import NAMES
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.half import held

__all__ = ["Tally", "interval_score", "rheobase_off"]

_COUNT = NAMES.index("spike_count")

Array = npt.NDArray[np.float64]


def interval_score(low: float, high: float, truth: float) -> float:
    """Score a 90 % interval: its width, and twenty times how far the truth lies outside.

    Args:
        low: Its end.
        high: Its other end.
        truth: What it should hold.

    Returns:
        The score, in the unit of all three; less is better.

    Example:
        >>> interval_score(2.0, 5.0, 3.0), interval_score(2.0, 5.0, 6.0)
        (3.0, 23.0)
    """
    return float(high - low + 20.0 * (max(low - truth, 0.0) + max(truth - high, 0.0)))


def rheobase_off(family: Cell, drawn: Array) -> float:
    """Tell by how many steps of the family the lowest of them that fires was missed.

    Args:
        family: The sweeps.
        drawn: Draws of the current at which the cell begins to fire, shape (draws,) [pA].

    Returns:
        Steps between their median and what was recorded.
    """
    steps = np.unique(np.round(family.currents, 1))
    thought = int(np.searchsorted(steps, float(np.median(drawn)) - 0.05))
    fired = int(np.searchsorted(steps, float(family.currents[family.counts > 0].min()) - 0.05))
    return float(abs(thought - fired))


@dataclass(frozen=True)
class Tally:
    """What came out, prediction by prediction.

    Args:
        inside: Whether the 90 % interval of each quantity of each sweep held it.
        widths: Half-width of each count's interval over what is wanted, two spikes or a fifth of them.
        scores: Interval score of each count.
        off: By how many steps each rheobase was missed.
    """

    inside: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)

    def add(self, drawn: Array, truth: Array) -> None:
        """Take in a sweep.

        Args:
            drawn: Features of the draws, shape (d, f), NaN where missing.
            truth: Features of the sweep, shape (f,).
        """
        self.inside.extend(held(drawn, truth).values())
        low, high = np.nanquantile(drawn[:, _COUNT], [0.05, 0.95])
        self.scores.append(interval_score(low, high, truth[_COUNT]))
        if truth[_COUNT] > 0:
            self.widths.append(float((high - low) / 2.0 / max(2.0, 0.2 * truth[_COUNT])))

    def miss(self, family: Cell, drawn: Array) -> None:
        """Take in a rheobase.

        Args:
            family: As `rheobase_off`.
            drawn: As `rheobase_off`.
        """
        self.off.append(rheobase_off(family, drawn))

    @property
    def share(self) -> float:
        """Share of the quantities that the intervals held."""
        return float(np.mean(self.inside))

    @property
    def half_width(self) -> float:
        """Median half-width of the counts over what is wanted."""
        return float(np.median(self.widths))

    @property
    def score(self) -> float:
        """Mean interval score of the counts."""
        return float(np.mean(self.scores))
