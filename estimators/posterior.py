"""This file is the posterior: densities of unconstrained theta, mixed as equals on the prior's support."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from estimators.interval import PriorError
from estimators.prior import Prior

__all__ = ["Density", "Posterior"]


class Density(Protocol):
    """What a head makes of b observations: a density of unconstrained theta for each."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density of values of shape (..., b, p), shape (..., b)."""
        ...

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw, shape (count, b, p)."""
        ...


class _Support(constraints.Constraint):
    event_dim = 1

    def __init__(self, prior: Prior) -> None:
        self.prior = prior

    def check(self, value: Tensor) -> Tensor:
        return self.prior.contains(value)


class Posterior(Distribution):
    """A distribution over theta that lies wholly where the prior does; no draw is ever rejected.

    Args:
        prior: What was known before.
        densities: Of unconstrained theta; each has the same share.
        unknown: For which observations nothing but the prior is known, shape (b,), bool.
        batch_shape: How the b observations were laid out.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own protocol

    def __init__(self, prior: Prior, densities: Sequence[Density], unknown: Tensor, batch_shape: torch.Size) -> None:
        super().__init__(batch_shape, torch.Size((prior.p,)), validate_args=False)
        self.prior, self.densities, self.unknown = prior, tuple(densities), unknown

    @property
    def support(self) -> constraints.Constraint:
        """Where the prior's density is not zero."""
        return _Support(self.prior)

    def log_prob(self, value: Tensor) -> Tensor:
        """Evaluate the log density in theta's own units.

        Args:
            value: Shape (..., *batch_shape, p), or any that broadcasts to it.

        Returns:
            Shape (..., *batch_shape), float64; minus infinity outside the prior's support.

        Raises:
            PriorError: If the values have not p numbers.
        """
        value = torch.as_tensor(value, dtype=torch.float64)
        if not value.dim() or value.shape[-1] != self.prior.p:
            raise PriorError(f"Theta has shape {tuple(value.shape)}; (..., {self.prior.p}) was wanted.")
        shape = torch.broadcast_shapes(value.shape[:-1], self.batch_shape)  # type: ignore[no-untyped-call]
        ahead = shape[: len(shape) - len(self.batch_shape)]
        theta = value.expand(*shape, -1).reshape(*ahead, len(self.unknown), -1)
        inside = self.prior.contains(theta)
        # Outside there is no density to evaluate; some value inside stands for what was given.
        middle = self.prior.constrain(torch.zeros(self.prior.p, dtype=torch.float64, device=theta.device))
        z = self.prior.unconstrain(torch.where(inside.unsqueeze(-1), theta, middle))
        density = torch.where(self.unknown, _normal(z), self._mixed(z)) - self.prior.log_slope(z)
        return torch.where(inside, density, torch.full_like(density, -math.inf)).reshape(shape)

    def sample(
        self,
        sample_shape: torch.Size | list[int] | tuple[int, ...] = (),
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw.

        Args:
            sample_shape: How many.
            generator: Source of randomness; torch's own where none is given.

        Returns:
            Shape (*sample_shape, *batch_shape, p), float64.
        """
        shape = torch.Size(sample_shape)
        drawn = self.draw(shape.numel(), torch.default_generator if generator is None else generator)
        return drawn.reshape(*shape, *self.batch_shape, -1)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw for each observation.

        Args:
            count: How many.
            generator: Source of randomness.

        Returns:
            Shape (count, b, p), float64.
        """
        members = len(self.densities)
        with torch.inference_mode():
            # Every member draws its share; who draws one more is left to chance, and so is the order.
            more = torch.randperm(members, generator=generator) < count % members
            shares = [count // members + int(one) for one in more]
            parts = [d.draw(n, generator) for d, n in zip(self.densities, shares, strict=True) if n]
            z = torch.cat(parts) if parts else torch.empty(0, len(self.unknown), self.prior.p)
            if members > 1:
                z = z[torch.randperm(count, generator=generator)]
            if self.unknown.any():
                plain = torch.randn(z.shape, generator=generator, dtype=z.dtype)
                z = torch.where(self.unknown[:, None], plain, z)
        return self.prior.constrain(z.clone())

    def _mixed(self, z: Tensor) -> Tensor:
        each = torch.stack([density.log_prob(z.to(torch.float32)).double() for density in self.densities])
        return torch.logsumexp(each, dim=0) - math.log(len(each))


def _normal(z: Tensor) -> Tensor:
    """Evaluate the log density of a standard normal."""
    return -0.5 * (z**2 + math.log(2.0 * math.pi)).sum(-1)
