"""This file is the balance: what the bridge leaves, as the median of the last pulses, for one pulse alone is noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rig_plugin.remark import BRIDGE
from rig_plugin.rule import Alarm

__all__ = ["ASSUMED", "PULSES", "Balance", "balance"]

ASSUMED = 7.0
"""Standard deviation of what one pulse of -20 pA says, 5 to 7 on the simulated cell: what is known
before there are pulses, as if from four of them [MOhm]."""

PULSES = 7
"""With so many the median's standard error is 1.25 * 7 / sqrt(7) = 3.3 MOhm, a third of the 10 MOhm that are allowed:
fewer make a false alarm more often than every few hundred sweeps, more make a changed access wait beyond the fourth."""

_NOTED = 30
_WORTH = 4
_SURE = 3.0
_MEDIAN = 1.2533


@dataclass(frozen=True)
class Balance:
    """What the last pulses say together.

    Args:
        median: Series resistance that the bridge leaves [MOhm].
        error: Its standard error [MOhm].
        pulses: How many it rests on.
    """

    median: float
    error: float
    pulses: int

    @property
    def is_off(self) -> bool:
        """Whether it is beyond what is allowed, and surely not balanced: by three standard errors."""
        return abs(self.median) > max(BRIDGE, _SURE * self.error)

    @property
    def alarm(self) -> Alarm | None:
        """The rule, where it is broken."""
        if not self.is_off:
            return None
        last = "the last pulse" if self.pulses == 1 else f"the last {self.pulses} pulses"
        error = f"{self.error:.{0 if self.error >= 1.0 else 1}f}"
        said = (
            f"The bridge leaves {self.median:+.0f} ± {error} MOhm (median of {last}), {BRIDGE:g} MOhm either "
            "way at most was wanted: balance it."
        )
        return Alarm("bridge", "warn", said)


def balance(residuals: Sequence[float]) -> Balance | None:
    """Sum up what single pulses said.

    The noise of a pulse is told by the differences between one and the next, so that a bridge that was off all the
    time, or was changed once, is not taken for noise.

    Args:
        residuals: Of the pulses so far, oldest first, NaN where one could not tell [MOhm].

    Returns:
        The balance, or None where no pulse could tell, or the last could not.

    Example:
        >>> left = balance([1.0, -6.0, 8.0])
        >>> left.median, round(left.error, 1), left.is_off
        (1.0, 4.6, False)
    """
    if not residuals or not math.isfinite(residuals[-1]):
        return None
    known = np.array([each for each in residuals if math.isfinite(each)][-_NOTED:])
    halves = np.sort(np.diff(known) ** 2) / 2.0
    # One change of the access is one large step, and no noise.
    halves[-1:] = halves[-2] if halves.size > 1 else np.minimum(halves, ASSUMED**2)
    noise = math.sqrt((_WORTH * ASSUMED**2 + float(halves.sum())) / (_WORTH + halves.size))
    last = known[-PULSES:]
    # The median of one or two is their mean.
    factor = _MEDIAN if last.size > 2 else 1.0
    return Balance(float(np.median(last)), factor * noise / math.sqrt(last.size), int(last.size))
