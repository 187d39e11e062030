"""This file is the coupling: one layer of the flow, that bends half of theta given the other half and the context.

It maps towards the noise; the inverse makes draws. Draws that nobody differentiates are rows, one a parameter: a
thousand of them go through matrices and kernel without a copy, and what depends on the context alone is multiplied
once for all of them.

References:
    Durkan et al. (2019), Neural Spline Flows. arXiv:1906.04032
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from estimators.spline import Spline
from estimators.unbending import unbend

__all__ = ["Coupling", "Room"]


class Room(NamedTuple):
    """Where the layers of a flow work, one after the other.

    Args:
        first: Of the hidden layers, shape (hidden, n).
        second: The same.
        raw: For the numbers of the splines, as many rows as the layer that bends most has, shape (m (3 bins - 1), n).
    """

    first: Tensor
    second: Tensor
    raw: Tensor

    @classmethod
    def of(cls, layers: Iterable[Coupling], n: int) -> Room:
        """Make room.

        Args:
            layers: Who will work in it.
            n: Draws at once.

        Returns:
            The room, with nothing in it.
        """
        sizes = [(layer.think.out_features, layer.shape.out_features) for layer in layers]
        hidden, numbers = (max(size) for size in zip(*sizes, strict=True))
        return cls(torch.empty(hidden, n), torch.empty(hidden, n), torch.empty(numbers, n))


class Coupling(nn.Module):
    """Bend the parameters that are not kept by splines, which a small network makes of the kept ones and the context.

    Args:
        mask: Which parameters are kept, shape (p,), bool; not all, and not none.
        context: Length of the encoder's vector.
        hidden: Width of the network's two hidden layers.
        bins: Bins of the splines.
    """

    mask: Tensor

    def __init__(self, mask: Tensor, context: int, hidden: int, bins: int) -> None:
        super().__init__()
        self.bins = bins
        self.register_buffer("mask", mask)
        kept = int(mask.sum())
        self.keep = nn.Linear(kept, hidden)
        self.tell = nn.Linear(context, hidden, bias=False)
        self.think = nn.Linear(hidden, hidden)
        self.shape = nn.Linear(hidden, (len(mask) - kept) * (3 * bins - 1))
        # Both make one layer: neither may begin larger because the other has inputs of its own.
        bound = (kept + context) ** -0.5
        for weight in (self.keep.weight, self.keep.bias, self.tell.weight):
            nn.init.uniform_(weight, -bound, bound)

    def forward(self, x: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Map towards the noise.

        Args:
            x: Shape (..., b, p).
            told: What `tell` makes of the context, shape (b, hidden).

        Returns:
            The same shape as x, and the logarithm of the volume's change, shape (..., b).
        """
        kept, bent = self._halves()
        spline = self._spline(x[..., kept], told)
        moved, slope = spline.call_and_ladj(x[..., bent])
        return x.index_copy(-1, bent, moved), slope.sum(-1)

    def inverse(self, y: Tensor, told: Tensor) -> Tensor:
        """Map from the noise; differentiable.

        Args:
            y: Shape (..., b, p).
            told: What `tell` makes of the context, shape (b, hidden).

        Returns:
            The same shape as y.
        """
        kept, bent = self._halves()
        spline = self._spline(y[..., kept], told)
        return y.index_copy(-1, bent, torch.as_tensor(spline.inv(y[..., bent])))

    def unbend(self, rows: Tensor, told: Tensor, room: Room) -> None:
        """Map from the noise in place, where nobody will ask for a gradient: the same function as `inverse`.

        Args:
            rows: Draws of one or several cells, one cell after the other, shape (p, n), float32; written to.
            told: What `tell` makes of the contexts of these cells, shape (b, hidden).
            room: Where to work; nothing in it is kept.
        """
        kept, bent = self._halves()
        first, second, raw = room.first, room.second, room.raw[: self.shape.out_features]
        torch.mm(self.keep.weight, rows[kept], out=first)
        first.view(len(first), len(told), -1).add_((told + self.keep.bias).T[..., None])
        torch.ops.aten.gelu_(first)
        torch.addmm(self.think.bias[:, None], self.think.weight, first, out=second)
        torch.ops.aten.gelu_(second)
        torch.addmm(self.shape.bias[:, None], self.shape.weight, second, out=raw)
        unbend(raw.numpy(), bent.numpy(), rows.numpy())

    def _halves(self) -> tuple[Tensor, Tensor]:
        return self.mask.nonzero()[:, 0], (~self.mask).nonzero()[:, 0]

    def _spline(self, kept: Tensor, told: Tensor) -> Spline:
        first = functional.gelu(self.keep(kept) + told)
        raw = self.shape(functional.gelu(self.think(first)))
        widths, heights, slopes = raw.unflatten(-1, (-1, 3 * self.bins - 1)).split(
            [self.bins, self.bins, self.bins - 1], dim=-1
        )
        return Spline(widths, heights, slopes)
