"""This file is the flow: a density over unconstrained theta, given what the encoder says of the sweeps.

First a full-covariance normal takes up place, scale and correlation, so that one flow serves one sweep and forty,
whose posteriors differ in width a hundredfold; then coupling splines bend what is left of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from estimators.coupling import Coupling, Room

__all__ = ["Flow", "FlowPosterior"]

_AT_ONCE = 1024


class FlowPosterior(Distribution):
    """A distribution over unconstrained theta, whose draws and densities take one pass through the flow.

    Args:
        mean: Shape (b, p).
        factor: Lower-triangular, shape (b, p, p).
        layers: What bends the residual towards the noise, in this order, each with what it was told of the context.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own protocol
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, mean: Tensor, factor: Tensor, layers: Sequence[tuple[Coupling, Tensor]]) -> None:
        super().__init__(mean.shape[:-1], mean.shape[-1:], validate_args=False)
        self.mean_vector, self.factor, self.layers = mean, factor, tuple(layers)

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density.

        Args:
            value: Shape (b, p).

        Returns:
            Shape (b,).
        """
        centred = (value - self.mean_vector).unsqueeze(-1)
        z = torch.linalg.solve_triangular(self.factor, centred, upper=False).squeeze(-1)
        volume = -torch.diagonal(self.factor, dim1=-2, dim2=-1).log().sum(-1)
        for layer, told in self.layers:
            z, slope = layer(z, told)
            volume = volume + slope
        return torch.as_tensor(volume - 0.5 * (z**2 + math.log(2.0 * math.pi)).sum(-1))

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Draw.

        Args:
            sample_shape: How many.

        Returns:
            Shape (*sample_shape, b, p).
        """
        return self.from_noise(torch.randn(*sample_shape, *self.mean_vector.shape))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw with a generator of one's own.

        Args:
            count: How many.
            generator: Source of randomness.

        Returns:
            Shape (count, b, p).
        """
        return self.from_noise(torch.randn(count, *self.mean_vector.shape, generator=generator))

    def from_noise(self, noise: Tensor) -> Tensor:
        """Turn standard normal numbers into draws, so that who asks owns the randomness.

        Args:
            noise: Shape (..., b, p).

        Returns:
            The same shape.
        """
        if torch.is_inference_mode_enabled() and noise.device.type == "cpu" and noise.dtype == torch.float32:
            return self._compiled(noise.reshape(-1, *noise.shape[-2:])).reshape(noise.shape)
        residual = noise
        for layer, told in reversed(self.layers):
            residual = layer.inverse(residual, told)
        return self.mean_vector + torch.einsum("bij,...bj->...bi", self.factor, residual)

    def _compiled(self, noise: Tensor) -> Tensor:
        """Turn noise into draws where nobody will ask for a gradient, some thousand at a time: they fit the caches."""
        s, b, p = noise.shape
        draws = torch.empty_like(noise)
        if not draws.numel():
            return draws
        size = max(1, _AT_ONCE // s)
        for begin in range(0, b, size):
            cells = slice(begin, min(begin + size, b))
            # A copy of its own: the layers write into it, and the noise is somebody else's.
            rows = noise[:, cells].permute(2, 1, 0).clone(memory_format=torch.contiguous_format).view(p, -1)
            room = Room.of((layer for layer, _ in self.layers), rows.shape[1])
            for layer, told in reversed(self.layers):
                layer.unbend(rows, told[cells], room)
            residual = rows.view(p, -1, s).transpose(0, 1)
            draws[:, cells] = (self.mean_vector[cells, :, None] + self.factor[cells] @ residual).permute(2, 0, 1)
        return draws


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
        self.layers = nn.ModuleList(Coupling(mask, context, hidden, bins) for mask in _masks(p, transforms))
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
        layers = [(layer, layer.tell(context)) for layer in cast(Sequence[Coupling], self.layers)]
        return FlowPosterior(mean, factor, layers)


def _masks(p: int, transforms: int) -> list[Tensor]:
    """Choose which half of the parameters each coupling layer keeps: pairs of complementary, ever different halves."""
    generator = torch.Generator().manual_seed(p)
    masks: list[Tensor] = []
    while len(masks) < transforms:
        half = torch.zeros(p, dtype=torch.bool, device="cpu")
        half[torch.randperm(p, generator=generator, device="cpu")[: p // 2]] = True
        masks += [half, ~half]
    return masks[:transforms]
