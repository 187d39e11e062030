"""This file is the guess: what a passive membrane behind the electrode would do, as a head start for a likelihood.

A leak, a capacitance and a resistance answer a step in closed form; a network then has to learn only what channels add
to it. Where a parameter that this takes has no place in theta, there is no guess.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy.special import ndtr
from torch import Tensor

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.scaling import Scaling
from simulators.parameter import Parameter

__all__ = ["Guess"]

_TAKES = ("C", "g_leak", "E_leak", "V_T", "bridge", "offset")
_GUESSED = (
    "rest",
    "onset_jump",
    "onset_slope",
    "deflection_1_ms",
    "deflection_3_ms",
    "deflection_10_ms",
    "deflection_30_ms",
    "deflection_100_ms",
    "steady_deflection",
    "mean_voltage",
    "end_jump",
    "after_30_ms",
    "after_100_ms",
)
_TAIL = float(ndtr(-4.0))
_MOST = 10.0
_READ = 0.375


class Guess:
    """Guess features from theta.

    Args:
        parameters: What theta is.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        names = [parameter.name for parameter in parameters]
        self.possible = all(name in names for name in _TAKES)
        self._taken = [(name, parameters[names.index(name)], names.index(name)) for name in _TAKES if self.possible]
        self._columns = [NAMES.index(name) for name in _GUESSED]

    @property
    def width(self) -> int:
        """Numbers in a guess, 0 where there is none."""
        return len(_GUESSED) + 5 if self.possible else 0

    def __call__(self, u: Tensor, context: Tensor, scaling: Scaling) -> Tensor:
        """Guess.

        Args:
            u: Unconstrained theta, shape (..., p).
            context: Shape (..., c).
            scaling: Of the features.

        Returns:
            Shape (..., width).
        """
        C, g, E, V_T, bridge, offset = (_constrain(parameter, u[..., k]) for _, parameter, k in self._taken)
        column = dict(zip(CONTEXT, context.unbind(-1), strict=True))
        step, holding, duration = column["amplitude"], column["holding"], column["duration"]
        # At 1 uF/cm2 a density in mS/cm2 times the capacitance in pF is a conductance in nS, and pA over nS is mV.
        resistance, tau = 1.0 / (g * C), 1.0 / g
        jump = 1e-3 * bridge * step
        rest = E + offset + holding * (resistance + 1e-3 * bridge)
        full = step * resistance
        reached = full * (1.0 - torch.exp(-duration / tau))
        rises = [full * (1.0 - torch.exp(-time / tau)) + jump for time in (1.0, 3.0, 10.0, 30.0, 100.0)]
        # The jumps are read off between a quarter and half of a millisecond, when the membrane has begun to follow.
        begun = 1.0 - torch.exp(-_READ / tau)
        fades = [reached * torch.exp(-time / tau) for time in (30.0, 100.0)]
        slope = step / C * torch.exp(-2.75 / tau)
        guessed = torch.stack(
            [
                *(rest, full * begun + jump, slope, *rises, reached + jump, rest + reached + jump),
                *(-reached * begun - jump, *fades),
            ],
            dim=-1,
        )
        row = torch.zeros(*guessed.shape[:-1], len(NAMES), dtype=guessed.dtype)
        row[..., self._columns] = guessed
        scaled = scaling.along(row)[..., self._columns]
        above = (rest - offset + full - V_T) / 20.0
        below = (rest - offset - V_T) / 20.0
        density = torch.asinh(torch.stack([step / C, holding / C, (step + holding) / C], dim=-1) / 0.2) / 2.0
        return torch.cat([scaled, above[..., None], below[..., None], density], dim=-1).clamp(-_MOST, _MOST)


def _constrain(parameter: Parameter, u: Tensor) -> Tensor:
    """Map unconstrained values to physical ones, as the parameter does with arrays."""
    share = torch.as_tensor(torch.special.ndtr(u))
    if parameter.scale == "linear":
        return parameter.low + (parameter.high - parameter.low) * share
    if parameter.scale == "log":
        return parameter.low * torch.exp(share * math.log(parameter.high / parameter.low))
    middle, deviation = (parameter.low + parameter.high) / 2, (parameter.high - parameter.low) / 8
    return torch.as_tensor(middle + deviation * torch.special.ndtri(_TAIL + (1 - 2 * _TAIL) * share))
