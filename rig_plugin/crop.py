"""This file is the crop: which part of a stimulus features are taken from, and what came before it."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.passage import History
from simulators.stimulus import Epoch, Stimulus

__all__ = ["Crop", "crop"]

_BEFORE = 250.0
_AFTER = 300.0


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
