"""This file is the network: from an observation of fixed length to a density of unconstrained theta."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn

from estimators.embedding import Embedding
from estimators.heads import SIZES, make_head
from estimators.matching import Matching
from estimators.posterior import Density
from estimators.straightening import Straightening

__all__ = ["Network", "Plan"]

_ROWS = 2048


@dataclass(frozen=True)
class Plan:
    """What a network is made of.

    Args:
        head: Kind of density.
        features: Numbers in an observation.
        parameters: Numbers in theta.
        width: Of the embedding.
        blocks: Residual blocks of the embedding.
        dropout: In these blocks.
        sizes: Of the head; its defaults where none are given.
    """

    head: str
    features: int
    parameters: int
    width: int = 64
    blocks: int = 2
    dropout: float = 0.0
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def all_sizes(self) -> dict[str, int]:
        """Sizes of the head, its defaults where none were given."""
        return {**SIZES.get(self.head, {}), **self.sizes}

    def network(self) -> Network:
        """Make the network, with fresh weights."""
        return Network(self)


class Network(nn.Module):
    """Straighten, embed, and make a density.

    Args:
        plan: What it is made of.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.straightening = Straightening(plan.features)
        self.embedding = Embedding(self.straightening.width, plan.width, plan.blocks, plan.dropout)
        self.head = make_head(plan.head, plan.parameters, plan.width, plan.all_sizes)

    def forward(self, x: Tensor) -> Density:
        """Make the density.

        Args:
            x: Shape (b, d), NaN where missing.

        Returns:
            One of batch shape (b,).
        """
        return self.density(self.straightening.straighten(x))

    def density(self, straight: Tensor) -> Density:
        """Make the density from features that were straightened already."""
        return cast(Density, self.head(self._context(straight)))

    def loss(self, x: Tensor, z: Tensor, generator: torch.Generator) -> Tensor:
        """Measure how badly the network knows theta; what training makes small.

        Args:
            x: Straightened features, shape (b, d).
            z: Unconstrained theta, shape (b, p).
            generator: Source of randomness, for those losses that need some.

        Returns:
            Shape (): the mean of -log q [nat], or of the error of a velocity.
        """
        context = self._context(x)
        if isinstance(self.head, Matching):
            return self.head.loss(context, z, generator)
        return -cast(Density, self.head(context)).log_prob(z).mean()

    def judge(self, x: Tensor, z: Tensor) -> float:
        """Average minus the loss over rows that were held out, with the same randomness each time."""
        generator = torch.Generator().manual_seed(0)
        parts = zip(torch.split(x, _ROWS), torch.split(z, _ROWS), strict=True)
        with torch.no_grad():
            return -sum(float(self.loss(a, b, generator)) * len(a) for a, b in parts) / len(x)

    def log_prob(self, x: Tensor, z: Tensor) -> float:
        """Average log q over rows of straightened features [nat]."""
        parts = zip(torch.split(x, _ROWS), torch.split(z, _ROWS), strict=True)
        with torch.no_grad():
            return sum(float(self.density(a).log_prob(b).sum()) for a, b in parts) / len(x)

    def _context(self, straight: Tensor) -> Tensor:
        return torch.as_tensor(self.embedding(self.straightening(straight)))
