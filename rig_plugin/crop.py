"""This file is the crop: which part of a stimulus features are taken from, and what came before it."""

from __future__ import annotations

from dataclasses import dataclass

from estimators.context import Context
from hardware.passage import History
from simulators.stimulus import Epoch, Stimulus

__all__ = ["Crop", "crop"]

_BEFORE = 250.0
_AFTER = 300.0
_LONGEST_HISTORY = 600.0
_LONGEST_GAP = 1000.0


@dataclass(frozen=True)
class Crop:
    """The observed part of a stimulus.

    Args:
        stimulus: Baseline, step and tail only.
        skip: Time from the whole stimulus's start that is left out [ms].
        history: The epoch before the baseline, or None.
    """

    stimulus: Stimulus
    skip: float
    history: History | None

    def context(self, rate: float, start: float = 0.0) -> Context:
        """Say how a sweep with this stimulus is made, in the network's terms.

        A constant current that the amplifier adds unseen does to the model what a shifted E_leak does, so the command's
        own level is told as the holding, and E_leak is then the effective one.

        Args:
            rate: Sampling rate [kHz].
            start: Start of the sweep, from that of the first of its cell [s].

        Returns:
            The context; what a cell has long forgotten counts as the longest that networks are trained with.
        """
        stimulus, history = self.stimulus, self.history
        return Context(
            amplitude=stimulus.amplitude,
            holding=stimulus.holding,
            holding_known=1.0,
            duration=stimulus.step_duration,
            baseline=stimulus.baseline,
            tail=stimulus.tail,
            rate=rate,
            history_level=history.level - stimulus.holding if history else 0.0,
            history_duration=min(history.duration, _LONGEST_HISTORY) if history else 0.0,
            history_gap=min(history.gap, _LONGEST_GAP) if history else 0.0,
            start=start,
        )


def crop(stimulus: Stimulus, history: History | None = None) -> Crop:
    """Keep at most 250 ms before the observed step and 300 ms after it, as networks are trained.

    Args:
        stimulus: The whole.
        history: What came before it, where that is known.

    Returns:
        The crop.
    """
    baseline = min(stimulus.baseline, _BEFORE)
    tail = min(stimulus.tail, _AFTER)
    step = stimulus.epochs[stimulus.observed]
    epochs = [Epoch(stimulus.holding, baseline), step]
    if tail > 0:
        epochs.append(Epoch(stimulus.epochs[stimulus.observed + 1].level, tail))
    if stimulus.observed > 1:
        before = stimulus.epochs[stimulus.observed - 2]
        history = History(before.level, before.duration, stimulus.baseline)
    return Crop(Stimulus(stimulus.clamp, tuple(epochs)), stimulus.onset - baseline, history)
