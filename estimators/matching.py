"""This file is the flow matching: a velocity field that carries noise to theta along nearly straight lines.

It is learned by regression, without an integral; draws and densities then take a few dozen steps of an ordinary
differential equation. The divergence is exact: one tangent a parameter goes through the network beside its value.

References:
    Lipman et al. (2023), Flow matching for generative modeling. arXiv:2210.02747
    Wildberger et al. (2023), Flow matching for scalable simulation-based inference. arXiv:2305.17161
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

__all__ = ["Matching", "MatchingPosterior"]

_STEPS = 16
_WAVES = 6


class MatchingPosterior(Distribution):
    """A distribution over unconstrained theta, to which a field carries standard normal noise in unit time.

    Args:
        field: The velocity.
        told: What each observation tells its layers, shape (b, hidden) each.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own protocol
    support = constraints.real_vector

    def __init__(self, field: Matching, told: list[Tensor]) -> None:
        super().__init__(told[0].shape[:1], torch.Size((field.p,)), validate_args=False)
        self.field, self.told = field, told

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density, by going back to the noise.

        Args:
            value: Shape (..., b, p).

        Returns:
            Shape (..., b).
        """
        z, volume = value, torch.zeros_like(value[..., 0])
        for k in range(_STEPS, 0, -1):
            z, gained = self._step(z, k / _STEPS, -1.0 / _STEPS, slopes=True)
            volume = volume + gained
        return volume - 0.5 * (z**2 + math.log(2.0 * math.pi)).sum(-1)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw, shape (count, b, p)."""
        return self.from_noise(torch.randn(count, *self.batch_shape, *self.event_shape, generator=generator))

    def from_noise(self, noise: Tensor) -> Tensor:
        """Turn standard normal numbers into draws.

        Args:
            noise: Shape (..., b, p).

        Returns:
            The same shape.
        """
        z = noise
        for k in range(_STEPS):
            z = self._step(z, k / _STEPS, 1.0 / _STEPS, slopes=False)[0]
        return z

    def _step(self, z: Tensor, t: float, h: float, *, slopes: bool) -> tuple[Tensor, Tensor]:
        """Go one step of the classical Runge-Kutta method, with the integral of the divergence if it is wanted."""
        now = z
        moves: list[Tensor] = []
        gains: list[Tensor] = []
        for shift in (0.0, 0.5, 0.5, 1.0):
            if moves:
                now = z + shift * h * moves[-1]
            move, gain = self.field.velocity(now, torch.full_like(z[..., :1], t + shift * h), self.told, slopes=slopes)
            moves.append(move)
            gains.append(gain)
        weights = (h / 6.0, h / 3.0, h / 3.0, h / 6.0)
        moved = sum((w * move for w, move in zip(weights, moves, strict=True)), z)
        return moved, sum((w * gain for w, gain in zip(weights, gains, strict=True)), torch.zeros_like(z[..., 0]))


class Matching(nn.Module):
    """Make the density from the embedding's vector.

    Args:
        p: Parameters.
        context: Length of the vector.
        layers: Residual blocks of the velocity's network.
        hidden: Its width.
    """

    def __init__(self, p: int, context: int, layers: int, hidden: int) -> None:
        super().__init__()
        self.p = p
        self.enter = nn.Linear(p, hidden)
        self.when = nn.Linear(2 * _WAVES + 1, hidden, bias=False)
        self.tell = nn.ModuleList(nn.Linear(context, hidden) for _ in range(layers + 1))
        self.inner = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(layers))
        self.outer = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(layers))
        self.leave = nn.Linear(hidden, p)

    def forward(self, context: Tensor) -> MatchingPosterior:
        """Make it, of batch shape (b,), from a context of shape (b, context)."""
        return MatchingPosterior(self, [layer(context) for layer in self.tell])

    def velocity(self, z: Tensor, t: Tensor, told: list[Tensor], *, slopes: bool) -> tuple[Tensor, Tensor]:
        """Evaluate the field.

        Args:
            z: Shape (..., b, p).
            t: From 0 (noise) to 1 (theta), shape (..., b, 1).
            told: What the observations tell each layer, shape (b, hidden).
            slopes: Whether to give the divergence too, and not zeros.

        Returns:
            The velocity, shape (..., b, p), and its divergence, shape (..., b).
        """
        angle = math.pi * t * torch.arange(1, _WAVES + 1, dtype=t.dtype, device=t.device)
        waves = self.when(torch.cat([t, torch.cos(angle), torch.sin(angle)], dim=-1))
        # Tangents, one a parameter, stand before all other axes.
        side = self.enter.weight.T.reshape(self.p, *(1,) * (z.dim() - 1), -1) if slopes else None
        h, side = _bend(self.enter(z) + waves + told[0], side)
        inners, outers = (cast(Iterable[nn.Linear], each) for each in (self.inner, self.outer))
        for inner, outer, word in zip(inners, outers, told[1:], strict=True):
            first = None if side is None else side @ inner.weight.T
            second, first = _bend(inner(h) + waves + word, first)
            h = h + outer(second)
            side = None if side is None or first is None else side + first @ outer.weight.T
        move = self.leave(h)
        if side is None:
            return move, torch.zeros_like(z[..., 0])
        return move, torch.einsum("k...h,kh->...", side, self.leave.weight)

    def loss(self, context: Tensor, z: Tensor, generator: torch.Generator) -> Tensor:
        """Measure how far the field is from the straight lines between noise and theta.

        Args:
            context: Shape (b, context).
            z: Unconstrained theta, shape (b, p).
            generator: Source of noise and times, on the CPU.

        Returns:
            Mean square, shape ().
        """
        noise = torch.randn(z.shape, generator=generator).to(z)
        t = torch.rand(len(z), 1, generator=generator).to(z)
        told = [layer(context) for layer in self.tell]
        move, _ = self.velocity(noise + t * (z - noise), t, told, slopes=False)
        return ((move - (z - noise)) ** 2).sum(-1).mean()


def _bend(a: Tensor, side: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Apply x sigmoid(x), and its slope to the tangents."""
    s = torch.sigmoid(a)
    return a * s, None if side is None else side * (s * (1.0 + a * (1.0 - s)))
