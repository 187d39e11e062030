"""This file is the context: what is known of how a sweep was made, which a network needs beside its features."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt

__all__ = ["CONTEXT", "Context"]


@dataclass(frozen=True)
class Context:
    """The circumstances of one sweep, one column each.

    Args:
        amplitude: Height of the step above the holding [pA].
        holding: Current before the step, 0 where it is unknown [pA].
        holding_known: 1 where the holding current is known, else 0.
        duration: Length of the step [ms].
        baseline: Constant current kept before the step [ms].
        tail: Constant current kept after the step [ms].
        rate: Sampling rate [kHz].
        history_level: Current of the last epoch before the baseline, above the holding, 0 if none [pA].
        history_duration: Its length, 0 if none [ms].
        history_gap: Time from its end to the onset, 0 if none [ms].
        start: Start of the sweep, from that of the first in the set [s].
        excluded: 1 for a sweep that was made and not used, else 0.
    """

    amplitude: float
    holding: float
    holding_known: float
    duration: float
    baseline: float
    tail: float
    rate: float
    history_level: float = 0.0
    history_duration: float = 0.0
    history_gap: float = 0.0
    start: float = 0.0
    excluded: float = 0.0

    def row(self) -> npt.NDArray[np.float64]:
        """Lay the context out in the order of `CONTEXT`.

        Returns:
            Shape (c,).
        """
        return np.array(astuple(self), dtype=np.float64)


CONTEXT: tuple[str, ...] = tuple(field.name for field in fields(Context))
"""Names of the columns."""
