"""This file is the mixture: a mixture of normals with full covariances, whose marginals and conditionals are closed.

It is the quickest head, one pass of the network, and in unconstrained space whatever is known of some parameters gives
the posterior of the others by algebra alone.

References:
    Bishop (1994), Mixture density networks. Aston University, NCRG/94/004
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

__all__ = ["Mixture", "MixturePosterior"]

_WIDTH = 7.0


class MixturePosterior(Distribution):
    """A mixture of normals over unconstrained theta.

    Args:
        weights: Logarithms of the shares, shape (b, k).
        mean: Shape (b, k, p).
        factor: Lower-triangular factors of the covariances, shape (b, k, p, p).
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own protocol
    support = constraints.real_vector

    def __init__(self, weights: Tensor, mean: Tensor, factor: Tensor) -> None:
        super().__init__(mean.shape[:1], mean.shape[2:], validate_args=False)
        self.weights = torch.log_softmax(weights, dim=-1)
        self.means, self.factor = mean, factor

    @property
    def mean(self) -> Tensor:
        """Mean of the mixture, shape (b, p)."""
        return torch.einsum("bk,bkp->bp", self.weights.exp(), self.means)

    @property
    def covariance(self) -> Tensor:
        """Covariance of the mixture, shape (b, p, p)."""
        away = self.means - self.mean[:, None]
        each = self.factor @ self.factor.mT + away.unsqueeze(-1) * away.unsqueeze(-2)
        return torch.einsum("bk,bkij->bij", self.weights.exp(), each)

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density.

        Args:
            value: Shape (..., b, p).

        Returns:
            Shape (..., b).
        """
        return torch.logsumexp(self.weights + _normal(value.unsqueeze(-2) - self.means, self.factor), dim=-1)

    def log_marginals(self, value: Tensor) -> Tensor:
        """Evaluate the log density of each parameter on its own.

        Args:
            value: Shape (b, p).

        Returns:
            Shape (b, p).
        """
        # The variance of a component is the squared length of its factor's row.
        spread = self.factor.square().sum(-1).sqrt()
        away = (value.unsqueeze(-2) - self.means) / spread
        each = -0.5 * (away**2 + math.log(2.0 * math.pi)) - spread.log()
        return torch.logsumexp(self.weights.unsqueeze(-1) + each, dim=-2)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw.

        Args:
            count: How many.
            generator: Source of randomness.

        Returns:
            Shape (count, b, p).
        """
        b, _, p = self.means.shape
        which = torch.multinomial(self.weights.exp(), count, replacement=True, generator=generator)
        noise = torch.randn(count, b, p, generator=generator, dtype=self.means.dtype)
        rows = torch.arange(b)
        moved = torch.einsum("sbij,sbj->sbi", self.factor[rows, which.T], noise)
        return self.means[rows, which.T] + moved

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Draw with torch's own randomness, shape (*sample_shape, b, p)."""
        shape = torch.Size(sample_shape)
        draws = self.draw(shape.numel(), torch.default_generator)
        return draws.reshape(*shape, *draws.shape[1:])

    def marginal(self, indices: Sequence[int]) -> MixturePosterior:
        """Leave the other parameters out.

        Args:
            indices: Which to keep, in the order wanted.

        Returns:
            The mixture over these.
        """
        kept = torch.as_tensor(list(indices))
        covariance = (self.factor @ self.factor.mT)[..., kept[:, None], kept]
        return MixturePosterior(self.weights, self.means[..., kept], torch.linalg.cholesky(covariance))

    def condition(self, indices: Sequence[int], values: Tensor) -> MixturePosterior:
        """Take some parameters as known.

        Args:
            indices: Which are known.
            values: Their unconstrained values, shape (b, len(indices)) or (len(indices),).

        Returns:
            The mixture over the others, in their order.
        """
        known = torch.as_tensor(list(indices))
        rest = torch.as_tensor([k for k in range(self.means.shape[-1]) if k not in set(known.tolist())])
        covariance = self.factor @ self.factor.mT
        inner = torch.linalg.cholesky(covariance[..., known[:, None], known])
        across = covariance[..., known[:, None], rest]
        away = values.expand(len(self.means), -1).unsqueeze(-2) - self.means[..., known]
        half = torch.linalg.solve_triangular(inner, across, upper=False)
        residual = torch.linalg.solve_triangular(inner, away.unsqueeze(-1), upper=False)
        mean = self.means[..., rest] + (half.mT @ residual).squeeze(-1)
        left = covariance[..., rest[:, None], rest] - half.mT @ half
        weights = self.weights + _normal(away, inner)
        return MixturePosterior(weights, mean, torch.linalg.cholesky(left))


class Mixture(nn.Module):
    """Make the mixture from the embedding's vector.

    Args:
        p: Parameters.
        context: Length of the vector.
        components: Normals.
        hidden: Width of the network's hidden layer.
    """

    def __init__(self, p: int, context: int, components: int, hidden: int) -> None:
        super().__init__()
        self.p, self.components = p, components
        outputs = 1 + p + p * (p + 1) // 2
        self.shape = nn.Sequential(nn.Linear(context, hidden), nn.GELU(), nn.Linear(hidden, components * outputs))
        self.straight = nn.Linear(context, p)
        rows, columns = torch.tril_indices(p, p, offset=-1)
        self.below = (rows, columns)
        # Components begin at different places: equal ones would have equal slopes for ever.
        self.start = nn.Parameter(0.5 * torch.randn(components, p))

    def forward(self, context: Tensor) -> MixturePosterior:
        """Make it, of batch shape (b,), from a context of shape (b, context)."""
        p = self.p
        raw = self.shape(context).unflatten(-1, (self.components, -1))
        weights, mean, width, below = torch.split(raw, [1, p, p, p * (p - 1) // 2], dim=-1)
        scale = torch.exp(_WIDTH * torch.tanh(width / _WIDTH))
        factor = torch.diag_embed(scale)
        factor[..., self.below[0], self.below[1]] = below * scale[..., self.below[0]]
        return MixturePosterior(weights[..., 0], mean + self.start + self.straight(context).unsqueeze(-2), factor)


def _normal(away: Tensor, factor: Tensor) -> Tensor:
    """Evaluate the log density of a normal at a distance from its mean."""
    solved = torch.linalg.solve_triangular(factor, away.unsqueeze(-1), upper=False).squeeze(-1)
    volume = torch.diagonal(factor, dim1=-2, dim2=-1).log().sum(-1)
    return torch.as_tensor(-0.5 * (solved**2 + math.log(2.0 * math.pi)).sum(-1) - volume)
