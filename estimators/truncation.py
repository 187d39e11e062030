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
knowledge. Over 22 simulated cells, with walks that began at the posterior, 90 % intervals of the amortized network had
87.1 % of the truths; refined by draws up to the edge itself 85.6 %, and with this margin 87.4 %, at the same gain."""

_KNOWN = 20_000
_WIDER = 8.0
"""Variance of the normal from which walks begin, in that of the posterior. Begun at draws of the posterior itself, ten
times as many moves leave a trace of it, and what learns from such draws is too sure: of 14 simulated cells, 90 %
intervals of the amortized network had 89.0 % of the truths, those so refined 83.0 %, and as it is 85.7 %."""

_STEPS = (0.9, 0.45)
_FLOOR = 1e-6


def truncated(posterior: Density, count: int, generator: torch.Generator, moves: int = 40) -> Tensor:
    """Draw from the standard normal prior within a posterior's region of highest density.

    Draws of a normal that is wider than the posterior, weighted as the prior wants, begin random walks, whose steps
    are as wide as the posterior; a walk that would leave the region stays where it is.

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
        lowest = torch.quantile(posterior.log_prob(drawn[:, None])[:, 0], _LEFT_OUT) - _MARGIN
        p = drawn.shape[1]
        covariance = torch.cov(drawn.T).reshape(p, p) + _FLOOR * torch.eye(p)
        u = _begun(posterior, drawn, covariance, lowest, count, generator)
        factor = torch.linalg.cholesky(covariance)
        prior = _log_prior(u)
        for k in range(moves):
            proposed = u + _STEPS[k % 2] * torch.randn(count, p, generator=generator) @ factor.T
            there = _log_prior(proposed)
            moved = torch.log(torch.rand(count, generator=generator)) < there - prior
            moved &= posterior.log_prob(proposed[:, None])[:, 0] >= lowest
            u = torch.where(moved[:, None], proposed, u)
            prior = torch.where(moved, there, prior)
    return u.clone()


def _begun(
    posterior: Density, drawn: Tensor, covariance: Tensor, lowest: Tensor, count: int, generator: torch.Generator
) -> Tensor:
    """Draw where walks begin: from the prior times a widened normal of the posterior, weighted back to the prior."""
    p = drawn.shape[1]
    narrow = torch.linalg.inv(covariance.double()) / _WIDER
    wide = torch.linalg.inv(narrow + torch.eye(p, dtype=torch.float64))
    mean = wide @ narrow @ drawn.double().mean(dim=0)
    z = torch.randn(len(drawn), p, generator=generator)
    u: Tensor = mean.float() + z @ torch.linalg.cholesky(0.5 * (wide + wide.T)).T.float()
    ratio = _log_prior(u) - _log_prior(z)
    inside = posterior.log_prob(u[:, None])[:, 0] >= lowest
    if not inside.any():
        # Of a posterior that is far from normal, only its own draws are known to lie within.
        return drawn[torch.randint(len(drawn), (count,), generator=generator)]
    weights = torch.where(inside, torch.exp(ratio - ratio[inside].max()), 0.0)
    chosen: Tensor = torch.multinomial(weights, count, replacement=True, generator=generator)
    return torch.index_select(u, 0, chosen)


def _log_prior(u: Tensor) -> Tensor:
    return -0.5 * (u**2).sum(-1)
