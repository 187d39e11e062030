"""This file is the abort: when a sweep has to be broken off for the cell's sake, and how surely it will not be.

References:
    Clopper & Pearson (1934), Biometrika 26, 404-413. https://doi.org/10.1093/biomet/26.4.404
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from estimators.features import NAMES
from estimators.runs import longest
from simulators.compiled import ENTRY
from simulators.refusal import Refusal

__all__ = ["LEARNED", "AbortRule", "AbortRuleError", "upper_bound"]

_SPIKES = [NAMES.index(name) for name in ("spikes_before", "spike_count", "rebound_spikes")]


class AbortRuleError(Refusal):
    """Bounds of an abort rule make no sense; the message says which."""


@dataclass(frozen=True)
class AbortRule:
    """Bounds at which a sweep is aborted; give those that the session aborts by.

    Args:
        above: Voltage that must not be exceeded for long [mV].
        above_for: How long that is [ms].
        below: Voltage that must not be undercut for long [mV].
        below_for: How long that is [ms].
        beyond: Magnitude that no sample may exceed [mV].
        max_spikes: Most spikes in a sweep.
        share: Largest share of the posterior predictive that may abort.
        confidence: With which the share is known not to be larger.

    Raises:
        AbortRuleError: If a bound is not finite or out of order.
    """

    above: float = -10.0
    above_for: float = 50.0
    below: float = -120.0
    below_for: float = 5.0
    beyond: float = 150.0
    max_spikes: int = 100
    share: float = 0.02
    confidence: float = 0.95

    def __post_init__(self) -> None:
        bounds = (-self.beyond, self.below, self.above, self.beyond)
        if not all(map(math.isfinite, bounds)) or list(bounds) != sorted(bounds):
            raise AbortRuleError(
                f"A sweep is aborted below {self.below} mV, above {self.above} mV and beyond {self.beyond} mV; finite "
                "bounds in this order were wanted."
            )
        if not (self.above_for > 0 and self.below_for > 0 and self.max_spikes >= 1):
            raise AbortRuleError(
                f"A sweep is aborted after {self.above_for} ms above, {self.below_for} ms below or {self.max_spikes} "
                "spikes; positive numbers were wanted."
            )
        if not (0 < self.share < 1 and 0.5 <= self.confidence < 1):
            raise AbortRuleError(
                f"A share of {self.share} with confidence {self.confidence} was given; a share between 0 and 1 and a "
                "confidence from 0.5 to below 1 were wanted."
            )

    def breaks(
        self,
        samples: npt.NDArray[np.float32],
        counts: npt.NDArray[np.int64],
        rate: float | npt.NDArray[np.float64],
        features: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.bool_]:
        """Tell which sweeps would be aborted.

        Args:
            samples: Shape (s, n) [mV].
            counts: How many of its row each sweep has, shape (s,).
            rate: Sampling rate, of all or of each [kHz].
            features: Of the same sweeps, shape (s, f), by whose definition spikes are counted.

        Returns:
            Shape (s,).
        """
        with ENTRY:
            runs = longest(samples, np.asarray(counts, dtype=np.int64), self.above, self.below, self.beyond)
        spikes = np.nan_to_num(features[:, _SPIKES]).sum(axis=1)
        held = (runs[:, 0] >= self.above_for * rate) | (runs[:, 1] >= self.below_for * rate)
        return np.asarray(held | (runs[:, 2] > 0) | (spikes > self.max_spikes))

    def is_within(self, other: AbortRule) -> bool:
        """Tell whether this rule aborts nothing that the other does not abort, whatever shares they admit.

        Args:
            other: For instance the one that something was learned by.

        Returns:
            Whether it is as mild or milder in each bound.

        Example:
            >>> AbortRule(max_spikes=300).is_within(LEARNED), AbortRule(above=-20.0, max_spikes=300).is_within(LEARNED)
            (True, False)
        """
        milder = self.above >= other.above and self.above_for >= other.above_for and self.below <= other.below
        return (
            milder
            and self.below_for >= other.below_for
            and self.beyond >= other.beyond
            and self.max_spikes >= other.max_spikes
        )

    @property
    def fewest(self) -> int:
        """Draws without a single abort that it takes to admit anything."""
        return math.ceil(math.log(1.0 - self.confidence) / math.log(1.0 - self.share))


LEARNED = AbortRule(max_spikes=300)
"""When sessions abort a sweep by default; by this rule prospects learn which sweeps are."""


def upper_bound(aborted: int, draws: int, confidence: float) -> float:
    """Give the one-sided upper confidence bound of a share.

    Args:
        aborted: How many did.
        draws: Of how many.
        confidence: Of the bound.

    Returns:
        Between 0 and 1; 1 where there are no draws.

    Example:
        >>> round(upper_bound(0, 149, 0.95), 4), upper_bound(3, 3, 0.95)
        (0.0199, 1.0)
    """
    if aborted >= draws:
        return 1.0
    # Late, since who only names a rule waits for no library.
    from scipy.special import betaincinv

    return float(betaincinv(aborted + 1, draws - aborted, confidence))
