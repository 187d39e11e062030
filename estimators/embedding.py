"""This file is the embedding: what the network makes of one observation of fixed length, on the way to a posterior."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Embedding"]


class Embedding(nn.Module):
    """Residual blocks beside a linear path, so that what is linear need not be learned through what is not.

    Args:
        inputs: Numbers in an observation.
        width: Of the blocks and of what comes out.
        blocks: How many.
        dropout: Share of a block's inner numbers that are left out while training.
    """

    def __init__(self, inputs: int, width: int, blocks: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, width)
            )
            for _ in range(blocks)
        )
        self.straight = nn.Linear(inputs, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Embed.

        Args:
            x: Shape (b, inputs).

        Returns:
            Shape (b, width).
        """
        y = functional.gelu(self.enter(x))
        for block in self.blocks:
            y = y + block(y)
        return torch.as_tensor(y + self.straight(x))
