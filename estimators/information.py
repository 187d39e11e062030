"""This file is the information: how much a sweep would tell of theta, before it is made.

Each of some draws of theta makes a sweep under the design; how much likelier it is under its own theta than under the
others is, on average, the mutual information. With its own theta among those that are averaged over, the estimate is
too low, without it too high: the truth lies between, as far as the likelihood is right.

References:
    Rainforth et al. (2018), On nesting Monte Carlo estimators. arXiv:1709.06181
    Foster et al. (2020), A unified stochastic gradient approach to designing Bayesian-optimal experiments.
    arXiv:1911.00294
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["Information", "Speaker", "information"]


class Speaker(Protocol):
    """Whoever draws sweeps from theta and scores them, as `estimators.likelihood.Likelihood` does."""

    def draw(self, u: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one sweep under each theta, shape (n, f)."""

    def table(self, features: Tensor, context: Tensor, u: Tensor) -> Tensor:
        """Score each sweep under each theta, shape (d, n)."""


@dataclass(frozen=True)
class Information:
    """Mutual information of theta and a sweep [nat].

    Args:
        low: Estimate that is too low on average.
        high: Estimate that is too high on average.
        error: Standard error, the larger of both.
    """

    low: float
    high: float
    error: float


def information(
    likelihood: Speaker, u: Tensor, context: Tensor, generator: torch.Generator, outer: int = 100
) -> Information:
    """Estimate what a sweep would tell.

    Args:
        likelihood: Of the sweep.
        u: Draws of theta as it is known so far, unconstrained, shape (d, p), two at least.
        context: Of the sweep to come, shape (c,).
        generator: Source of randomness.
        outer: Draws that make a sweep, at most d; all serve the average.

    Returns:
        The information.

    Raises:
        ValueError: If there are fewer than two draws.
    """
    if len(u) < 2:
        raise ValueError(f"Theta has shape {tuple(u.shape)}; two draws at least were wanted.")
    n = min(outer, len(u))
    sweeps = likelihood.draw(u[:n], context, generator)
    scores = likelihood.table(sweeps, context.expand(n, -1), u).double()
    own = scores.diagonal()
    others = scores.clone()
    others.fill_diagonal_(-math.inf)
    low = own - (torch.logsumexp(scores, dim=0) - math.log(len(u)))
    high = own - (torch.logsumexp(others, dim=0) - math.log(len(u) - 1))
    error = max(float(part.std()) for part in (low, high)) / math.sqrt(n)
    return Information(float(low.mean()), float(high.mean()), error)
