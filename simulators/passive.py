"""This file is the passive cell: a leaky capacitor, whose answer is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.simulator import Simulator
from simulators.stimulus import Stimulus

__all__ = ["Passive"]


class Passive(Simulator):
    """The oracle of every other cell: without channels, each epoch is one exponential."""

    parameters = (
        Parameter("C", "pF", 1.0, 1000.0, "log"),
        Parameter("g_leak", "nS", 0.01, 1000.0, "log"),
        Parameter("E_leak", "mV", -120.0, 0.0),
    )

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        C, g, E = (theta[:, k, None] for k in range(3))
        V = E + stimulus.epochs[0].level / g
        parts = []
        begin = 0.0
        sampled = 0
        for k, epoch in enumerate(stimulus.epochs):
            end = begin + epoch.duration
            # A sample belongs to the epoch that its time lies in; only the last epoch is cut as the command is.
            last = round(end * rate) if k == len(stimulus.epochs) - 1 else math.ceil(end * rate - 1e-9)
            time = np.arange(sampled, last) / rate - begin
            goal = E + epoch.level / g
            parts.append(goal + (V - goal) * np.exp(-time * g / C))
            V = goal + (V - goal) * np.exp(-epoch.duration * g / C)
            begin, sampled = end, last
        return np.concatenate(parts, axis=1)
