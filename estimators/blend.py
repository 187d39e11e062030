"""This file is the blend: what a network learned for one cell, and a little of what it said before.

Two thousand cells teach a network to be surer than it may be. A share of the posterior from before the lesson stays in
what it says after it, so that nothing becomes impossible by a lesson.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from estimators.posterior import Density

__all__ = ["Blend", "blended"]

_SHARE = 0.2
"""Of what was said before. Over 10 200 new cells like 34 simulated ones, intervals of 50, 90 and 98 % held 51.5, 91.3
and 98.4 % of the truths where the network was amortized, 48.5, 88.8 and 97.6 % where it had learned, and so blended
50.2, 90.5 and 98.2 %; the log density was higher by 0.90 nat where it had learned, and so blended by 0.97."""


def blended(before: Tensor, after: Tensor) -> Tensor:
    """Blend log densities of the same values.

    Args:
        before: Without the lesson.
        after: With it, in the same shape.

    Returns:
        In the same shape.
    """
    return torch.logaddexp(before + math.log(_SHARE), after + math.log(1.0 - _SHARE))


class Blend:
    """A density of unconstrained theta.

    Args:
        before: Without the lesson.
        after: With it.
    """

    def __init__(self, before: Density, after: Density) -> None:
        self._before, self._after = before, after

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density of values of shape (..., b, p), shape (..., b)."""
        return blended(self._before.log_prob(value), self._after.log_prob(value))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw, shape (count, b, p)."""
        before, after = (each.draw(count, generator) for each in (self._before, self._after))
        chance = torch.rand(after.shape[:-1], generator=generator)
        return torch.where((chance < _SHARE)[..., None], before, after)
