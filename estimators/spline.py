"""This file is the spline: zuko's monotonic rational-quadratic one, with the bins in front.

A posterior is a thousand draws of a dozen numbers with eight bins each. Sums and softmaxes over a last axis of eight
don't vectorize; over a first axis they do, and the same function takes a third of the time.

References:
    Durkan et al. (2019), Neural Spline Flows. arXiv:1906.04032
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Transform, constraints

__all__ = ["Spline"]

_BOUND = 5.0
_SLOPE = math.log(1e-3)


class Spline(Transform):
    """A monotonic function on [-5, 5], the identity outside.

    Args:
        widths: Unconstrained widths of the bins, shape (*, k).
        heights: Unconstrained heights, shape (*, k).
        derivatives: Unconstrained slopes at the inner knots, shape (*, k - 1).
    """

    domain = constraints.real
    codomain = constraints.real
    bijective = True
    sign = +1

    def __init__(self, widths: Tensor, heights: Tensor, derivatives: Tensor) -> None:
        super().__init__()
        self._raw = (widths, heights, derivatives)

    @functools.cached_property
    def _knots(self) -> tuple[Tensor, Tensor, Tensor]:
        """Where the bins begin and end on either axis, and the slopes there; bins along the first axis."""
        widths, heights, derivatives = self._raw
        sizes = torch.cat([widths, heights], dim=-1).movedim(-1, 0).contiguous()
        sizes = torch.exp(sizes / (1 + (2 / -_SLOPE) * sizes.abs()))
        sizes = sizes.reshape(2, len(sizes) // 2, *sizes.shape[1:])
        edges = torch.cumsum(sizes, dim=1)
        edges = _BOUND * (2 * edges / edges[:, -1:] - 1)
        edges = torch.cat([torch.full_like(edges[:, :1], -_BOUND), edges], dim=1)
        slopes = derivatives.movedim(-1, 0).contiguous()
        slopes = torch.exp(slopes / (1 + slopes.abs() / -_SLOPE))
        ends = torch.ones_like(slopes[:1])
        return edges[0], edges[1], torch.cat([ends, slopes, ends])

    def _bin(self, edges: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        """Find the bin of each value and what belongs to it."""
        # Many values may share one spline: their leading axes come between the bins and the splines.
        between = (1,) * (value.dim() + 1 - edges.dim())
        rows = [row.reshape(len(row), *between, *row.shape[1:]) for row in self._knots]
        edges = edges.reshape(len(edges), *between, *edges.shape[1:])
        k = (edges < value).sum(dim=0, keepdim=True) - 1
        inside = (k >= 0) & (k < len(edges) - 1)
        k = torch.where(inside, k, torch.zeros_like(k))
        shape = (1, *np.broadcast_shapes(tuple(edges.shape[1:]), tuple(value.shape)))
        k = k.expand(shape)
        picked = [row.expand(len(edges), *shape[1:]).gather(0, k + shift)[0] for row in rows for shift in (0, 1)]
        return (inside[0], *picked, (picked[3] - picked[2]) / (picked[1] - picked[0]))

    def _call(self, x: Tensor) -> Tensor:
        return self.call_and_ladj(x)[0]

    def call_and_ladj(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate, with the logarithm of the slope.

        Args:
            x: Shape (*).

        Returns:
            The value and the logarithm of the derivative, shape (*).
        """
        inside, x0, x1, y0, y1, d0, d1, s = self._bin(self._knots[0], x)
        z = torch.where(inside, (x - x0) / (x1 - x0), torch.zeros_like(x))
        below = s + (d0 + d1 - 2 * s) * z * (1 - z)
        y = y0 + (y1 - y0) * (s * z**2 + d0 * z * (1 - z)) / below
        slope = s**2 * (2 * s * z * (1 - z) + d0 * (1 - z) ** 2 + d1 * z**2) / below**2
        return torch.where(inside, y, x), torch.where(inside, slope.log(), torch.zeros_like(x))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the logarithm of the slope at x.

        Args:
            x: Shape (*).
            y: The value there; it is not needed.

        Returns:
            Shape (*).
        """
        return self.call_and_ladj(x)[1]

    def _inverse(self, y: Tensor) -> Tensor:
        inside, x0, x1, y0, y1, d0, d1, s = self._bin(self._knots[1], y)
        up = torch.where(inside, y - y0, torch.zeros_like(y))
        bend = up * (d0 + d1 - 2 * s)
        height = y1 - y0
        a = height * (s - d0) + bend
        b = height * d0 - bend
        c = -s * up
        z = 2 * c / (-b - (b**2 - 4 * a * c).clamp(min=0).sqrt())
        return torch.where(inside, x0 + z * (x1 - x0), y)
