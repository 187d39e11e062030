"""This file is the flow: a density over unconstrained theta, given what the encoder says of the sweeps.

First a full-covariance normal takes up place, scale and correlation, so that one flow serves one sweep and forty,
whose posteriors differ in width a hundredfold; then coupling splines bend what is left of it.
"""

from __future__ import annotations

import math

import torch
import zuko  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from estimators.spline import Spline

__all__ = ["Flow", "FlowPosterior"]


class FlowPosterior(Distribution):
    """A distribution over unconstrained theta, whose draws and densities take one pass through the flow.

    Args:
        mean: Shape (b, p).
        factor: Lower-triangular, shape (b, p, p).
        shape: The residual's distribution, of batch shape (b,).
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own protocol
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, mean: Tensor, factor: Tensor, shape: zuko.distributions.NormalizingFlow) -> None:
        super().__init__(mean.shape[:-1], mean.shape[-1:], validate_args=False)
        self.mean_vector, self.factor, self.shape = mean, factor, shape

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density.

        Args:
            value: Shape (b, p).

        Returns:
            Shape (b,).
        """
        centred = (value - self.mean_vector).unsqueeze(-1)
        residual = torch.linalg.solve_triangular(self.factor, centred, upper=False).squeeze(-1)
        stretch = torch.diagonal(self.factor, dim1=-2, dim2=-1).log().sum(-1)
        return torch.as_tensor(self.shape.log_prob(residual)) - stretch

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Draw.

        Args:
            sample_shape: How many.

        Returns:
            Shape (*sample_shape, b, p).
        """
        return self.from_noise(torch.randn(*sample_shape, *self.mean_vector.shape))

    def from_noise(self, noise: Tensor) -> Tensor:
        """Turn standard normal numbers into draws, so that who asks owns the randomness.

        Args:
            noise: Shape (..., b, p).

        Returns:
            The same shape.
        """
        residual = self.shape.transform.inv(noise)
        return self.mean_vector + torch.einsum("bij,...bj->...bi", self.factor, residual)


class Flow(nn.Module):
    """Make the density from the encoder's vector.

    Args:
        p: Parameters.
        context: Length of the encoder's vector.
        transforms: Coupling layers.
        hidden: Width of their networks.
        bins: Bins of their splines.
    """

    def __init__(self, p: int, context: int, transforms: int, hidden: int, bins: int) -> None:
        super().__init__()
        self.p = p
        self.place = nn.Linear(context, p + p * (p + 1) // 2)
        nn.init.zeros_(self.place.weight)
        nn.init.zeros_(self.place.bias)
        layers = [
            zuko.flows.coupling.GeneralCouplingTransform(
                p,
                context,
                mask=mask,
                univariate=Spline,
                shapes=[(bins,), (bins,), (bins - 1,)],
                hidden_features=(hidden, hidden),
                activation=nn.GELU,
            )
            for mask in _masks(p, transforms)
        ]
        base = zuko.lazy.UnconditionalDistribution(
            zuko.distributions.DiagNormal, torch.zeros(p), torch.ones(p), buffer=True
        )
        self.bend = zuko.lazy.Flow(layers, base)
        rows, columns = torch.tril_indices(p, p, offset=-1)
        self.below = (rows, columns)

    def forward(self, context: Tensor) -> FlowPosterior:
        """Make it.

        Args:
            context: Shape (b, context).

        Returns:
            The distribution, of batch shape (b,) and event shape (p,).
        """
        numbers = self.place(context)
        mean, scale, below = numbers.split([self.p, self.p, self.p * (self.p - 1) // 2], dim=-1)
        # A posterior is between a thousandth of the prior's width and its double; the bound is soft.
        scale = torch.exp(7.0 * torch.tanh((scale - math.log(1.3)) / 7.0))
        factor = torch.diag_embed(scale)
        factor[..., self.below[0], self.below[1]] = below * scale[..., self.below[0]]
        return FlowPosterior(mean, factor, self.bend(context))


def _masks(p: int, transforms: int) -> list[Tensor]:
    """Choose which half of the parameters each coupling layer keeps: pairs of complementary, ever different halves."""
    generator = torch.Generator().manual_seed(p)
    masks: list[Tensor] = []
    while len(masks) < transforms:
        half = torch.zeros(p, dtype=torch.bool)
        half[torch.randperm(p, generator=generator)[: p // 2]] = True
        masks += [half, ~half]
    return masks[:transforms]
