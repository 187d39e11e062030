"""This file is the eLife statistics: the seven numbers by which the paper reads a sweep, of whole traces.

They are those that `simulators.moments` sums while a cell runs, for traces that were recorded, simulated or not. As the
paper has it, the deviation at rest is that of the last tenth of the time before the step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["statistics"]

_SPIKE = -10.0
_LATE = 0.1


def statistics(
    traces: npt.NDArray[np.floating], baseline: float, duration: float, rate: float
) -> npt.NDArray[np.float64]:
    """Summarize traces of one protocol.

    Args:
        traces: From the start of the baseline to the end of the step or later, shape (b, n) [mV].
        baseline: Time before the step [ms].
        duration: Of the step [ms].
        rate: Sampling rate [kHz].

    Returns:
        Shape (b, 7), in the order of `simulators.moments.NAMES`: spikes during the step (upward crossings of -10 mV),
            mean before it [mV], standard deviation in the last tenth before it [mV], and during it the mean [mV],
            variance [mV2], skewness and kurtosis (3 for a normal distribution); NaN for what a voltage that never
            moves or is not finite lacks.

    References:
        Goncalves et al. (2020), eLife 9:e56261. https://doi.org/10.7554/eLife.56261

    Example:
        >>> trace = np.concatenate([np.full(100, -70.0), np.tile([-60.0, -40.0], 50)])
        >>> statistics(trace[None], 10.0, 10.0, 10.0).round(3).tolist()
        [[0.0, -70.0, 0.0, -50.0, 100.0, 0.0, 1.0]]
    """
    onset, late = round(baseline * rate), round((1.0 - _LATE) * baseline * rate)
    during = traces[:, onset : onset + round(duration * rate)].astype(np.float64)
    out = np.empty((len(traces), 7))
    # A voltage that blew up has nothing, and one that never moves has no shape.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        out[:, 0] = np.sum((during[:, :-1] < _SPIKE) & (during[:, 1:] >= _SPIKE), axis=1)
        out[:, 1] = traces[:, :onset].mean(axis=1, dtype=np.float64)
        out[:, 2] = traces[:, late:onset].std(axis=1, dtype=np.float64)
        out[:, 3] = during.mean(axis=1)
        during -= out[:, 3, None]
        square = during * during
        out[:, 4] = square.mean(axis=1)
        out[:, 5] = (square * during).mean(axis=1) / out[:, 4] ** 1.5
        out[:, 6] = (square * square).mean(axis=1) / out[:, 4] ** 2
    out[~np.isfinite(out[:, :5]).all(axis=1)] = np.nan
    return out
