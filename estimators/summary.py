"""This file is the summary: a long simulation's responses as features, taken where they are made and then let go."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from estimators.generation import features_of
from simulators.stimulus import Stimulus

__all__ = ["features"]


def features(response: npt.NDArray[np.float64], stimulus: Stimulus, rate: float) -> npt.NDArray[np.float64]:
    """Measure the features of a step on every row, for `simulators.batches.simulate_batches`.

    Args:
        response: Shape (b, n) [mV].
        stimulus: What they answer, in current clamp; its baseline, observed step and the tail after it are measured.
        rate: Sampling rate [kHz].

    Returns:
        Shape (b, f), in the order of `estimators.features.NAMES`, NaN where missing.
    """
    first, last = (
        round(time * rate)
        for time in (
            stimulus.onset - stimulus.baseline,
            stimulus.onset + stimulus.step_duration + stimulus.tail,
        )
    )
    samples = response[:, first:last].astype(np.float32)
    known = {
        "rate": rate,
        "baseline": stimulus.baseline,
        "duration": stimulus.step_duration,
        "tail": stimulus.tail,
        "amplitude": stimulus.amplitude,
    }
    column = {name: np.full(len(samples), float(value)) for name, value in known.items()}
    return features_of(samples, np.full(len(samples), samples.shape[1]), column)
