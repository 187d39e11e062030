"""This file is the logistics: mixtures of logistic distributions, for numbers and for counts.

Their tails are wider than a normal's, and their distribution function is closed: the chance that a whole number falls
between two edges is one difference, and so is a percentile.

References:
    Salimans et al. (2017), PixelCNN++. arXiv:1701.05517
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["SHARPEST", "Logistics", "start"]

SHARPEST = -6.0
"""Logarithm of the narrowest scale: nothing is thought to be known better."""

_WIDEST = 4.0
_HALVINGS = 48


class Logistics:
    """Mixtures, one for each entry of the axes behind the first; components lie along that, where sums are quick.

    Args:
        shift: Where all components of a mixture are moved to, shape (*).
        spread: Logarithm of what they are all stretched by, shape (*).
        numbers: Logarithms of the shares, places and log scales before that, shape (3 k, *).
    """

    def __init__(self, shift: Tensor, spread: Tensor, numbers: Tensor) -> None:
        shares, places, scales = numbers.tensor_split(3)
        self._shares = shares - torch.logsumexp(shares, dim=0)
        self._scales = _bounded(spread + scales)
        self._places = shift + places * torch.exp(spread.clamp(max=_WIDEST))

    def log_prob(self, x: Tensor) -> Tensor:
        """Evaluate the log density.

        Args:
            x: Shape (*).

        Returns:
            Shape (*).
        """
        z = torch.abs(self._away(x))
        return torch.logsumexp(self._shares - self._scales - z - 2.0 * torch.log1p(torch.exp(-z)), dim=0)

    def log_mass(self, low: Tensor, high: Tensor) -> Tensor:
        """Evaluate the log chance of lying between two edges.

        Args:
            low: Shape (*), far down where there is none.
            high: Shape (*), above `low`.

        Returns:
            Shape (*).
        """
        above, below = self._away(high), self._away(low)
        # The difference of two distribution functions, without a cancellation in either tail.
        between = torch.log(-torch.expm1(torch.clamp(below - above, max=-1e-6)))
        each = functional.logsigmoid(above) + functional.logsigmoid(-below) + between
        return torch.logsumexp(self._shares + each, dim=0)

    def share_below(self, x: Tensor) -> Tensor:
        """Give the distribution function.

        Args:
            x: Shape (*).

        Returns:
            Shape (*), 0 to 1.
        """
        return (self._shares.exp() * torch.sigmoid(self._away(x))).sum(0)

    def quantile(self, share: Tensor) -> Tensor:
        """Invert the distribution function, by halving between the components' own quantiles.

        Args:
            share: Between 0 and 1, shape (*).

        Returns:
            Shape (*).
        """
        each = self._places + torch.exp(self._scales) * torch.logit(share, eps=1e-12)
        low, high = each.amin(0), each.amax(0)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            is_above = self.share_below(middle) >= share
            low, high = torch.where(is_above, low, middle), torch.where(is_above, middle, high)
        return 0.5 * (low + high)

    def draw(self, uniform: Tensor) -> Tensor:
        """Draw one number from each.

        Args:
            uniform: Between 0 and 1, shape (2, *).

        Returns:
            Shape (*).
        """
        edges = torch.cumsum(self._shares.exp(), dim=0)
        which = (uniform[0] > edges[:-1]).sum(0, keepdim=True)
        place, scale = (t.gather(0, which)[0] for t in (self._places, self._scales))
        return place + torch.exp(scale) * torch.logit(uniform[1], eps=1e-6)

    def _away(self, x: Tensor) -> Tensor:
        return (x - self._places) * torch.exp(-self._scales)


def _bounded(scale: Tensor) -> Tensor:
    """Keep a log scale between the narrowest and the widest, softly."""
    middle, reach = 0.5 * (_WIDEST + SHARPEST), 0.5 * (_WIDEST - SHARPEST)
    return middle + reach * torch.tanh((scale - middle) / reach)


def start(components: int) -> Tensor:
    """Give numbers to begin with: components side by side, so that they don't learn the same.

    Args:
        components: How many.

    Returns:
        Shape (3 components,).
    """
    places = torch.linspace(-1.0, 1.0, components) if components > 1 else torch.zeros(1)
    return torch.cat([torch.zeros(components), places, torch.full((components,), -math.log(1.8))])
