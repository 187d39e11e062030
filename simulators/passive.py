"""This file is the passive cell: a leaky capacitor, whose answer is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.pospischil import DT
from simulators.stimulus import Stimulus
from simulators.traces import see

__all__ = ["Passive"]

_Array = npt.NDArray[np.float64]


class Passive(Patched):
    """The oracle of every other cell: without channels, each epoch is one exponential.

    In voltage clamp the series resistance stands between the command and the membrane; the answer is the current
    through it, with the transients of a membrane test. Samples are exact at their times behind an ideal electrode;
    another one is given the exact voltage at every 0.025 ms. A dose that leaves no leak turns an epoch in current
    clamp into a ramp; a cell that is to rest without one has no rest and answers NaN.

    Args:
        electrode: What the cell is seen through.

    Example:
        >>> from simulators.stimulus import Epoch
        >>> test = Stimulus("voltage", (Epoch(-70.0, 5.0), Epoch(-80.0, 10.0)))
        >>> current = Passive().simulate(np.array([[100.0, 10.0, -70.0]]), test, 20.0, np.random.default_rng(0))
        >>> current[0, [0, 100, 299]].round(1).tolist()
        [0.0, -1000.0, -90.9]
    """

    parameters = (
        Parameter("C", "pF", 1.0, 1000.0, "log"),
        Parameter("g_leak", "nS", 0.01, 1000.0, "log"),
        Parameter("E_leak", "mV", -120.0, 0.0),
    )
    conductances = ("g_leak",)

    def _simulate(self, theta: _Array, stimulus: Stimulus, rate: float, rng: np.random.Generator) -> _Array:
        b, clamped = len(theta), stimulus.clamp == "voltage"
        # A voltage clamp is a second conductance to a battery: mV through MOhm are nA, so that 1000/MOhm is in nS.
        pipette = 1000.0 / self.electrode.series if clamped else 0.0
        leaks = self.courses(theta, stimulus)[:, :, 1]
        electrodes, _, levels = self._wired(stimulus, b, rng)
        ends = np.cumsum([epoch.duration for epoch in stimulus.epochs])
        count = len(stimulus.command(rate))
        if self.electrode.leaves_alone(clamped):
            V, command = _course(theta, leaks, levels, ends, pipette, rate, count)
            response = (command - V) * pipette if clamped else V
        else:
            finish = np.rint(ends / DT)
            V, _ = _course(theta, leaks, levels, finish * DT, pipette, 1 / DT, int(finish[-1]) + 1)
            seeds = rng.integers(1, 2**32 - 1, b, dtype=np.uint32)
            with np.errstate(over="ignore"):
                traces = V.astype(np.float32)
            response = see(traces, electrodes, ends, levels, clamped, rate, count, DT, seeds).astype(np.float64)
        return np.where(np.isfinite(response), response, np.nan)


def _course(
    theta: _Array, leaks: _Array, levels: _Array, ends: _Array, pipette: float, rate: float, count: int
) -> tuple[_Array, _Array]:
    """Give voltage and command at each sample, shape (b, count) [mV, and pA or mV]."""
    C, E = theta[:, 0, None], theta[:, 2, None]
    V = E + _driven(levels[:, :1], pipette, E) / _resting(leaks[:, :1] + pipette)
    courses, commands = [], []
    begin, sampled = 0.0, 0
    for k, end in enumerate(ends):
        # A sample belongs to the epoch that its time lies in; only the last epoch is cut as the command is.
        last = count if k == len(ends) - 1 else math.ceil(end * rate - 1e-9)
        time = np.arange(sampled, last) / rate - begin
        level, g = levels[:, k, None], leaks[:, k, None] + pipette
        slope = (_driven(level, pipette, E) + g * (E - V)) / C
        with np.errstate(over="ignore", invalid="ignore"):
            courses.append(V + slope * time * _mean_decay(time * g / C))
            V = V + slope * (end - begin) * _mean_decay((end - begin) * g / C)
        commands.append(np.broadcast_to(level, courses[-1].shape))
        begin, sampled = end, last
    return np.concatenate(courses, axis=1), np.concatenate(commands, axis=1)


def _driven(level: _Array, pipette: float, E: _Array) -> _Array:
    """Tell the current that a command sends into a cell at its leak's reversal [pA]."""
    return np.asarray(pipette * (level - E) if pipette else level)


def _resting(g: _Array) -> _Array:
    """Take a conductance at which a cell rests; another one has no rest [nS]."""
    return np.where(g > 0, g, np.nan)


def _mean_decay(x: _Array) -> _Array:
    """Average exp(-x) from 0 to x."""
    return np.divide(-np.expm1(-x), x, out=np.ones_like(x), where=x != 0)
