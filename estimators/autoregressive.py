"""This file is the autoregressive flow: each parameter is bent given those before it and the observation.

One small network a parameter sees those before it through a mask. A density takes all of them at once; a draw takes
one parameter after the other, and each asks its own network only, so that a draw costs no more work than a density.

References:
    Papamakarios, Pavlakou & Murray (2017), Masked autoregressive flow. arXiv:1705.07057
    Durkan et al. (2019), Neural Spline Flows. arXiv:1906.04032
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints
from torch.nn import functional

from estimators.spline import Spline

__all__ = ["Autoregressive", "AutoregressivePosterior"]

_WIDTH = 6.0


class AutoregressivePosterior(Distribution):
    """A distribution over unconstrained theta.

    Args:
        layers: What bends theta towards the noise, in this order, each with what it was told, shape (p, b, hidden + 2).
        shape: Observations and parameters.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own protocol
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, layers: Sequence[tuple[_Layer, Tensor]], shape: tuple[int, int]) -> None:
        super().__init__(torch.Size(shape[:1]), torch.Size(shape[1:]), validate_args=False)
        self.layers = tuple(layers)

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density.

        Args:
            value: Shape (..., b, p).

        Returns:
            Shape (..., b).
        """
        volume = torch.zeros((), dtype=value.dtype, device=value.device)
        for layer, told in self.layers:
            value, slope = layer(value, told)
            volume = volume + slope
        return volume - 0.5 * (value**2 + math.log(2.0 * math.pi)).sum(-1)

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Draw, shape (*sample_shape, b, p)."""
        return self.from_noise(torch.randn(*sample_shape, *self.batch_shape, *self.event_shape))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw with a generator of one's own, shape (count, b, p)."""
        shape = (count, *self.batch_shape, *self.event_shape)
        return self.from_noise(torch.randn(shape, generator=generator))

    def from_noise(self, noise: Tensor) -> Tensor:
        """Turn standard normal numbers into draws.

        Args:
            noise: Shape (..., b, p).

        Returns:
            The same shape.
        """
        for layer, told in reversed(self.layers):
            noise = layer.inverse(noise, told)
        return noise


class _Layer(nn.Module):
    """Bend each parameter given those that stand before it in the layer's order."""

    order: Tensor
    back: Tensor
    mask: Tensor

    def __init__(self, order: Tensor, context: int, hidden: int, bins: int) -> None:
        super().__init__()
        p = len(order)
        self.bins = bins
        self.register_buffer("order", order)
        self.register_buffer("back", torch.argsort(order))
        self.register_buffer("mask", torch.tril(torch.ones(p, p), diagonal=-1)[:, :, None])
        outputs = 3 * bins + 1
        # Beside what is thought goes what is linear, to each parameter's place and width.
        self.tell = nn.Linear(context, p * (hidden + 2))
        self.straight = nn.Parameter(torch.zeros(p, p, 2))
        with torch.no_grad():
            self.tell.weight.view(p, hidden + 2, context)[:, hidden:] = 0.0
            self.tell.bias.view(p, hidden + 2)[:, hidden:] = 0.0
        self.look = nn.Parameter(torch.empty(p, p, hidden).uniform_(-1.0, 1.0) * (p + context) ** -0.5)
        self.think = nn.Parameter(torch.empty(p, hidden, hidden).uniform_(-1.0, 1.0) * hidden**-0.5)
        self.think_bias = nn.Parameter(torch.zeros(p, 1, hidden))
        self.shape = nn.Parameter(torch.empty(p, hidden, outputs).uniform_(-0.1, 0.1) * hidden**-0.5)
        self.shape_bias = nn.Parameter(torch.zeros(p, 1, outputs))

    def told(self, context: Tensor) -> Tensor:
        """Give what the context tells each parameter, shape (p, b, hidden + 2)."""
        return torch.as_tensor(self.tell(context).unflatten(-1, (len(self.order), -1)).movedim(-2, 0))

    def forward(self, x: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        x = x[..., self.order]
        raw = self._raw(x, told, slice(None)).movedim(0, -2)
        shift, scale, spline = self._parts(raw)
        y, slope = spline.call_and_ladj((x - shift) * torch.exp(-scale))
        return y, (slope - scale).sum(-1)

    def inverse(self, y: Tensor, told: Tensor) -> Tensor:
        x = torch.zeros_like(y)
        for k in range(len(self.order)):
            shift, scale, spline = self._parts(self._raw(x, told, slice(k, k + 1))[0])
            moved = torch.as_tensor(spline.inv(y[..., k])) * torch.exp(scale) + shift
            x = torch.cat([x[..., :k], moved.unsqueeze(-1), x[..., k + 1 :]], dim=-1)
        return x[..., self.back]

    def _raw(self, x: Tensor, told: Tensor, which: slice) -> Tensor:
        """Give the numbers of these parameters' functions, shape (parameters, ..., b, 3 bins + 1)."""
        flat = x.reshape(-1, x.shape[-1])
        look, told = (self.look * self.mask)[which], told[which]
        hidden = look.shape[-1]
        straight = torch.matmul(flat, (self.straight * self.mask)[which])
        straight = straight.view(len(look), -1, told.shape[1], 2) + told[:, None, :, hidden:]
        first = torch.matmul(flat, look)
        first = first.view(len(look), -1, told.shape[1], hidden) + told[:, None, :, :hidden]
        first = functional.gelu(first).flatten(1, 2)
        second = functional.gelu(torch.baddbmm(self.think_bias[which], first, self.think[which]))
        raw = torch.baddbmm(self.shape_bias[which], second, self.shape[which])
        raw = torch.cat([raw[..., :2] + straight.flatten(1, 2), raw[..., 2:]], dim=-1)
        return raw.view(len(look), *x.shape[:-1], -1)

    def _parts(self, raw: Tensor) -> tuple[Tensor, Tensor, Spline]:
        bins = self.bins
        shift, scale, widths, heights, slopes = torch.split(raw, [1, 1, bins, bins, bins - 1], dim=-1)
        scale = _WIDTH * torch.tanh(scale[..., 0] / _WIDTH)
        return shift[..., 0], scale, Spline(widths, heights, slopes)


class Autoregressive(nn.Module):
    """Make the density from the embedding's vector.

    Args:
        p: Parameters.
        context: Length of the vector.
        transforms: Layers, each with another order of the parameters.
        hidden: Width of their networks.
        bins: Bins of their splines.
    """

    def __init__(self, p: int, context: int, transforms: int, hidden: int, bins: int) -> None:
        super().__init__()
        self.p = p
        self.layers = nn.ModuleList(_Layer(order, context, hidden, bins) for order in _orders(p, transforms))

    def forward(self, context: Tensor) -> AutoregressivePosterior:
        """Make it, of batch shape (b,), from a context of shape (b, context)."""
        layers = cast(Sequence[_Layer], self.layers)
        return AutoregressivePosterior([(layer, layer.told(context)) for layer in layers], (len(context), self.p))


def _orders(p: int, transforms: int) -> list[Tensor]:
    """Choose in which order each layer takes what the one before gives: ever another, each followed by its reverse."""
    generator = torch.Generator().manual_seed(p)
    orders: list[Tensor] = [torch.arange(p)]
    while len(orders) < transforms:
        shuffled = (
            torch.randperm(p, generator=generator, device="cpu")
            if len(orders) % 2 == 0
            else torch.arange(p - 1, -1, -1)
        )
        orders.append(shuffled)
    return orders[:transforms]
