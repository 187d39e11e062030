"""This file is the follower: the features of a sweep while it is still coming in.

Blocks are conditioned as they come; asked at any moment, it measures what is there with the very code that reads
whole batches, so the numbers do not depend on how the stream was cut.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.conditioning import RATE, condition, weights
from estimators.features import NAMES
from estimators.measuring import LIMIT, measure
from estimators.spikes import COLUMNS
from simulators.stimulus import Stimulus

__all__ = ["Follower"]


class Follower:
    """Follow one sweep.

    Args:
        stimulus: What is being put out, with the step that is observed.
        rate: Sampling rate [kHz].

    Raises:
        ValueError: If the rate is not positive.
    """

    def __init__(self, stimulus: Stimulus, rate: float) -> None:
        self.stimulus, self.rate = stimulus, rate
        self._table = weights(rate)
        self._samples = np.empty(len(stimulus.command(rate)), dtype=np.float32)
        self._available = 0
        self._trace = np.empty(round((stimulus.onset + stimulus.step_duration + stimulus.tail) * RATE))
        self._done = 0
        self._impossible = False

    def push(self, block: npt.NDArray[np.float64]) -> None:
        """Take the next samples; what goes beyond the stimulus is left out.

        Args:
            block: Shape (n,) [mV].
        """
        count = min(len(block), len(self._samples) - self._available)
        # Asked this way round, a missing sample counts as wrong.
        self._impossible |= not bool((np.abs(block[:count]) <= LIMIT).all())
        self._samples[self._available : self._available + count] = block[:count]
        self._available += count
        complete = self._available == len(self._samples)
        self._done = condition(
            self._samples, self._available, complete, self.rate, self._table, self._trace, self._done
        )

    def features(self) -> dict[str, float]:
        """Measure what is there.

        Returns:
            {name: value}, NaN where the sweep does not have it, or not yet.
        """
        return dict(zip(NAMES, (float(value) for value in self.row()), strict=True))

    def row(self) -> npt.NDArray[np.float64]:
        """Measure what is there.

        Returns:
            Values in the order of the catalogue, shape (f,).
        """
        return np.asarray(self._measure()[0])

    def spikes(self) -> npt.NDArray[np.float64]:
        """Give the spikes so far.

        Returns:
            Table in the order of `estimators.spikes.COLUMNS`, shape (spikes, 9); times from the sweep's start [ms].
        """
        return np.asarray(self._measure()[1])

    def _measure(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        s = self.stimulus
        if self._impossible:
            return np.full(len(NAMES), np.nan), np.empty((0, len(COLUMNS)))
        values, spikes = measure(self._trace, self._done, s.onset, s.step_duration, s.tail, s.amplitude)
        return values, spikes
