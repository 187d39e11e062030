"""This file is the sweep set: an encoder that does not care in which order the sweeps of a cell stand.

Each sweep is a token; tokens attend to each other, and are pooled by their mean, by learned queries, and by the
latest one, whose moment the posterior is about (time is an input, so that the order is known where it matters). Where
cells change within minutes, the means of the latest few, of three, of six and so on, are taken besides: what a sliding
window would see, for the network to weigh against what all sweeps say.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["HEADS", "SweepSet", "of_latest"]

HEADS = 4
"""Attention heads, among which the encoder's width is divided."""

_SHORTEST = 3


class _Attention(nn.Module):
    """Let tokens look at each other, then think on their own; both as corrections of what they were."""

    def __init__(self, width: int, heads: int = HEADS) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        b, n, width = x.shape
        parts = self.project(self.before(x)).view(b, n, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None, :])
        x = x + self.join(seen.transpose(1, 2).reshape(b, n, width))
        return x + torch.as_tensor(self.think(x))


class SweepSet(nn.Module):
    """Encode a set of tokens as one vector.

    Args:
        inputs: Numbers in a token.
        width: Width of the encoder.
        outputs: Length of the vector.
        layers: Attention layers.
        windows: Means of the latest sweeps beside the mean of all: of the latest 3, 6, 12 and so on.
        queries: Learned queries that pool.
    """

    def __init__(self, inputs: int, width: int, outputs: int, layers: int, windows: int = 0, queries: int = 4) -> None:
        super().__init__()
        self.windows = tuple(_SHORTEST * 2**k for k in range(windows))
        self.embed = nn.Sequential(
            nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)
        )
        self.attend = nn.ModuleList(_Attention(width) for _ in range(layers))
        self.ask = nn.Linear(width, queries)
        self.tell = nn.Linear(width, width)
        self.pool = nn.Sequential(
            nn.LayerNorm((queries + 2 + windows) * width),
            nn.Linear((queries + 2 + windows) * width, 2 * width),
            nn.GELU(),
            nn.Linear(2 * width, outputs - 1),
        )

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Encode.

        Args:
            tokens: Shape (b, n, inputs); the latest sweep of each set is its last one that is there.
            there: Which tokens are sweeps and not padding, shape (b, n), bool.

        Returns:
            Shape (b, outputs); the last number is the logarithm of the number of sweeps.
        """
        x = self.embed(tokens)
        for layer in self.attend:
            x = layer(x, there)
        count = there.sum(dim=1, keepdim=True)
        mean = (x * there[..., None]).sum(dim=1) / count
        latest = x[torch.arange(len(x)), count[:, 0] - 1]
        scores = self.ask(x).masked_fill(~there[..., None], -math.inf)
        asked = torch.einsum("bnq,bnw->bqw", scores.softmax(dim=1), self.tell(x)).flatten(1)
        recent = [of_latest(x, there, most) for most in self.windows]
        pooled = self.pool(torch.cat([mean, latest, asked, *recent], dim=-1))
        return torch.cat([pooled, torch.log(count.to(pooled.dtype)) / 3.0], dim=-1)


def of_latest(x: Tensor, there: Tensor, most: int) -> Tensor:
    """Average the latest tokens of each set.

    Args:
        x: Tokens, shape (b, n, w).
        there: Which are sweeps and not padding, the latest one the last that is, shape (b, n), bool.
        most: How many at most.

    Returns:
        Shape (b, w).

    Example:
        >>> x = torch.tensor([[[1.0], [2.0], [4.0], [9.0]]])
        >>> of_latest(x, torch.tensor([[True, True, True, False]]), 2).tolist()
        [[3.0]]
    """
    left = there.sum(dim=1, keepdim=True) - there.cumsum(dim=1)
    seen = (there & (left < most)).to(x.dtype)
    return torch.einsum("bn,bnw->bw", seen / seen.sum(dim=1, keepdim=True), x)
