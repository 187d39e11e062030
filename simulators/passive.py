"""This file is the passive cell: a leaky capacitor, whose answer is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.simulator import Simulator
from simulators.stimulus import Clamp, Stimulus

__all__ = ["Passive"]

_Array = npt.NDArray[np.float64]


class Passive(Simulator):
    """The oracle of every other cell: without channels, each epoch is one exponential.

    In voltage clamp the pipette's series resistance stands between the command and the membrane; the answer is the
    current through it, with the transients of a membrane test. A dose that leaves no leak turns an epoch in current
    clamp into a ramp; a cell that is to rest without one has no rest and answers NaN.

    Args:
        series: Series resistance of the pipette, which only voltage clamp sees [MOhm].

    Raises:
        ValueError: If the series resistance is not positive.

    Example:
        >>> from simulators.stimulus import Epoch
        >>> test = Stimulus("voltage", (Epoch(-70.0, 5.0), Epoch(-80.0, 10.0)))
        >>> current = Passive(10.0).simulate(np.array([[100.0, 10.0, -70.0]]), test, 20.0, np.random.default_rng(0))
        >>> current[0, [0, 100, 299]].round(1).tolist()
        [0.0, -1000.0, -90.9]
    """

    parameters = (
        Parameter("C", "pF", 1.0, 1000.0, "log"),
        Parameter("g_leak", "nS", 0.01, 1000.0, "log"),
        Parameter("E_leak", "mV", -120.0, 0.0),
    )
    clamps: tuple[Clamp, ...] = ("current", "voltage")
    conductances = ("g_leak",)

    def __init__(self, series: float = 10.0) -> None:
        if not (math.isfinite(series) and series > 0):
            raise ValueError(f"Series resistance is {series} MOhm, a positive one was wanted.")
        self.series = series

    def _simulate(self, theta: _Array, stimulus: Stimulus, rate: float, rng: np.random.Generator) -> _Array:
        # A voltage clamp is a second conductance to a battery: mV through MOhm are nA, so that 1000/MOhm is in nS.
        pipette = 1000.0 / self.series if stimulus.clamp == "voltage" else 0.0
        C, E = theta[:, 0, None], theta[:, 2, None]
        leaks = self.courses(theta, stimulus)[:, :, 1, None]
        V = E + _driven(stimulus.epochs[0].level, pipette, E) / _resting(leaks[:, 0] + pipette)
        parts = []
        begin = 0.0
        sampled = 0
        for k, epoch in enumerate(stimulus.epochs):
            end = begin + epoch.duration
            # A sample belongs to the epoch that its time lies in; only the last epoch is cut as the command is.
            last = round(end * rate) if k == len(stimulus.epochs) - 1 else math.ceil(end * rate - 1e-9)
            time = np.arange(sampled, last) / rate - begin
            g = leaks[:, k] + pipette
            slope = (_driven(epoch.level, pipette, E) + g * (E - V)) / C
            with np.errstate(over="ignore", invalid="ignore"):
                course = V + slope * time * _mean_decay(time * g / C)
                V = V + slope * epoch.duration * _mean_decay(epoch.duration * g / C)
            parts.append((epoch.level - course) * pipette if pipette else course)
            begin, sampled = end, last
        response = np.concatenate(parts, axis=1)
        return np.where(np.isfinite(response), response, np.nan)


def _driven(level: float, pipette: float, E: _Array) -> _Array:
    """Tell the current that a command sends into a cell at its leak's reversal [pA]."""
    return np.asarray(pipette * (level - E) if pipette else np.full_like(E, level))


def _resting(g: _Array) -> _Array:
    """Take a conductance at which a cell rests; another one has no rest [nS]."""
    return np.where(g > 0, g, np.nan)


def _mean_decay(x: _Array) -> _Array:
    """Average exp(-x) from 0 to x."""
    return np.divide(-np.expm1(-x), x, out=np.ones_like(x), where=x != 0)
