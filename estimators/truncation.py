"""This file is the truncation: draws of the prior where a posterior leaves anything of it.

A network that is taught by the whole prior has to know every cell. For one cell, only theta counts that its posterior
does not rule out: the prior within the region of highest density, in which all of it is kept but a ten-thousandth, and
within a margin around that. What is learned from these draws needs no weights, since there they are the prior's own.

References:
    Deistler, Goncalves & Macke (2022), Truncated proposals for scalable and hassle-free simulation-based inference.
    arXiv:2210.04815
"""

from __future__ import annotations

import torch
from torch import Tensor

from estimators.posterior import Density

__all__ = ["truncated"]

_LEFT_OUT = 1e-4
_MARGIN = 8.0
"""How much lower than that the edge lies [nat]: what learns from draws close about a posterior takes the edge for
knowledge. Over 22 simulated cells, 90 % intervals of the amortized network had 87.1 % of the truths; refined by draws
up to the edge itself 85.6 %, and with this margin 87.4 %, at the same gain."""

_KNOWN = 20_000
_STEPS = (0.9, 0.45)
_FLOOR = 1e-6


def truncated(posterior: Density, count: int, generator: torch.Generator, moves: int = 40) -> Tensor:
    """Draw from the standard normal prior within a posterior's region of highest density.

    Each draw is led there by a random walk of its own, which begins at a draw of the posterior and steps as far as
    that one is wide; a walk that would leave the region stays where it is.

    Args:
        posterior: Of one cell, in unconstrained space.
        count: How many draws.
        generator: Source of randomness.
        moves: Of each walk.

    Returns:
        Unconstrained, shape (count, p).
    """
    with torch.inference_mode():
        drawn = posterior.draw(_KNOWN, generator)[:, 0]
        density = posterior.log_prob(drawn[:, None])[:, 0]
        lowest = torch.quantile(density, _LEFT_OUT) - _MARGIN
        within = drawn[density >= lowest]
        u = within[torch.randint(len(within), (count,), generator=generator)]
        p = u.shape[1]
        factor = torch.linalg.cholesky(torch.cov(drawn.T).reshape(p, p) + _FLOOR * torch.eye(p))
        prior = _log_prior(u)
        for k in range(moves):
            proposed = u + _STEPS[k % 2] * torch.randn(count, p, generator=generator) @ factor.T
            there = _log_prior(proposed)
            moved = torch.log(torch.rand(count, generator=generator)) < there - prior
            moved &= posterior.log_prob(proposed[:, None])[:, 0] >= lowest
            u = torch.where(moved[:, None], proposed, u)
            prior = torch.where(moved, there, prior)
    return u.clone()


def _log_prior(u: Tensor) -> Tensor:
    return -0.5 * (u**2).sum(-1)
