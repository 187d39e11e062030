"""This file is the likelihood: the density of one sweep's features, given theta and how the sweep was made.

Counts come first, then, column by column, whether a feature is missing and which value it has; what other features
determine is left out. Nuisances that the process draws and nobody asks for (corner, noise of the amplifier, hum) are
marginalized, as they are in training; who knows numbers beyond theta and context trains with them as `extra`. Without
parameters it is the prior predictive: the density of a sweep given its design alone.

References:
    Papamakarios, Sterratt & Murray (2019), Sequential neural likelihood. arXiv:1805.07226
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from estimators.chain import Chain, Entries, Links
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.guess import Guess
from estimators.redundancy import determined, fill_in, told_by
from estimators.scaling import Scaling
from simulators.parameter import Parameter

__all__ = ["ORDER", "Likelihood", "Shape"]

_COUNTS = ("spike_count", "late_count", "spikes_before", "rebound_spikes")
_FIRST = (
    *("rest", "rest_noise", "rest_noise_fast", "rest_slope"),
    *("latency", "first_isi", "second_isi", "last_isi", "isi_cv", "adaptation"),
    *("mean_voltage", "voltage_sd", "steady_deflection", "sag", "onset_jump", "onset_slope"),
)
ORDER = tuple(
    NAMES.index(name)
    for name in (*_COUNTS, *_FIRST, *(name for name in NAMES if name not in _COUNTS and name not in _FIRST))
)
"""Columns of the catalogue in the order in which they are scored: counts first."""

_BACK = [ORDER.index(k) for k in range(len(ORDER))]
_EXCLUDED = CONTEXT.index("excluded")


@dataclass(frozen=True)
class Shape:
    """Sizes of a likelihood, as the checkpoint keeps them."""

    width: int = 144
    layers: int = 3
    hidden: int = 96
    components: int = 3
    extra: int = 0


class Likelihood(nn.Module):
    """log q(features | theta, context) of one sweep.

    Args:
        parameters: What theta is; none for the prior predictive.
        shape: Sizes.
    """

    def __init__(self, parameters: Sequence[Parameter], shape: Shape) -> None:
        super().__init__()
        self.parameters_of_cell, self.shape = tuple(parameters), shape
        self.scaling = Scaling()
        self.guess = Guess(self.parameters_of_cell)
        inputs = len(self.parameters_of_cell) + self.guess.width + shape.extra + _circumstances(self.scaling)
        self.enter = nn.Linear(inputs, shape.width)
        self.blocks = nn.ModuleList(nn.Linear(shape.width, shape.width) for _ in range(shape.layers - 1))
        self.chain = Chain(len(NAMES), len(_COUNTS), shape.width + inputs, shape.hidden, shape.components)

    def entries(self, features: Tensor, asked: Tensor | None = None) -> Entries:
        """Lay features out for the chain.

        Args:
            features: Shape (..., f), NaN where missing.
            asked: Which of them are scored, shape (f,) or like `features`, bool; all of them without it.

        Returns:
            Rows in the chain's order; what is determined, and counts that are missing, are hidden.
        """
        known = ~determined(features)
        if asked is not None:
            known = known & asked
        scaled = self.scaling.along(features)
        counts = [NAMES.index(name) for name in _COUNTS]
        count = features[..., counts]
        known[..., counts] &= torch.isfinite(count)
        scaled[..., counts] = torch.log(count.clamp(min=1.0))
        gone = torch.isnan(features)
        gone[..., counts] = ~(count > 0)
        scaled = torch.where(gone, torch.zeros_like(scaled), scaled)
        order = list(ORDER)
        return Entries(scaled[..., order], gone[..., order], known[..., order])

    def tell(self, u: Tensor, context: Tensor, extra: Tensor | None = None) -> Tensor:
        """Sum up what a sweep depends on.

        Args:
            u: Unconstrained theta, shape (..., p).
            context: Shape (..., c), of the same leading axes.
            extra: Whatever else it was trained to know, shape (..., extra).

        Returns:
            Shape (..., told).
        """
        circumstances = self.scaling.circumstances(context[..., None, :])[..., 0, :]
        parts = [u, circumstances] if extra is None else [u, circumstances, extra]
        if self.guess.possible:
            parts.append(self.guess(u, context, self.scaling))
        inputs = torch.cat(parts, dim=-1)
        x = functional.silu(self.enter(inputs))
        for block in self.blocks:
            x = x + functional.silu(block(x))
        return torch.cat([x, inputs], dim=-1)

    def links(self, features: Tensor, context: Tensor, u: Tensor, *, percentiles: bool = False) -> Links:
        """Score sweeps column by column, in the chain's order.

        Args:
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).
            u: Unconstrained theta, shape (n, p).
            percentiles: Whether to tell each value's share below.

        Returns:
            One entry a column.
        """
        links: Links = self.chain(self.tell(u, context), self.entries(features), percentiles=percentiles)
        return links

    @torch.inference_mode()
    def ends(self, features: Tensor, context: Tensor, u: Tensor, shares: tuple[float, ...]) -> Tensor:
        """Tell where features lie in sweeps that are like this one in design and in the features before each.

        Args:
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).
            u: Unconstrained theta, shape (n, p).
            shares: Of their distribution below what is asked for, each between 0 and 1.

        Returns:
            Shape (len(shares), n, f), in the order of the catalogue and in its units.
        """
        x = self.chain.ends(self.tell(u, context), self.entries(features), shares)
        told = self.scaling.back(x[..., _BACK])
        for k, name in enumerate(_COUNTS):
            told[..., NAMES.index(name)] = torch.exp(x[..., k]).round()
        return told

    def forward(self, features: Tensor, context: Tensor, u: Tensor, asked: Tensor | None = None) -> Tensor:
        """Score each sweep under its theta.

        Args:
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).
            u: Unconstrained theta, shape (n, p).
            asked: Which features count, shape (f,) or (n, f), bool; the others tell nothing.

        Returns:
            log q [nat], shape (n,); 0 for a sweep that is excluded.
        """
        links: Links = self.chain(self.tell(u, context), self.entries(features, asked))
        return links.total * (context[:, _EXCLUDED] == 0)

    @torch.inference_mode()
    def table(self, features: Tensor, context: Tensor, u: Tensor, asked: Tensor | None = None) -> Tensor:
        """Score each sweep under each theta, as `forward` does.

        Args:
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).
            u: Unconstrained theta, shape (d, p), or that at each sweep, shape (d, n, p).
            asked: As in `forward`.

        Returns:
            log q [nat], shape (d, n).
        """
        entries = self.entries(features, asked)
        scores = torch.zeros(len(u), len(features))
        for k in torch.nonzero(context[:, _EXCLUDED] == 0)[:, 0].tolist():
            there = u if u.dim() == 2 else u[:, k]
            told = self.tell(there, context[k].expand(len(u), -1))
            scores[:, k] = self.chain.score(told, entries[k])
        return scores

    @torch.inference_mode()
    def draw(self, u: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one sweep's features under each theta.

        Args:
            u: Unconstrained theta, shape (n, p).
            context: Shape (c,) or (n, c).
            generator: Source of randomness.

        Returns:
            Shape (n, f), NaN where missing.
        """
        context = context.expand(len(u), context.shape[-1])
        row = self.chain.draw(self.tell(u, context), generator, lambda counts: told_by(counts[:, 0])[:, list(ORDER)])
        x = torch.where(row.gone, torch.nan, row.x)[:, _BACK]
        features = self.scaling.back(x)
        for k, name in enumerate(_COUNTS):
            features[:, NAMES.index(name)] = torch.where(row.gone[:, k], 0.0, torch.exp(row.x[:, k]).round())
        return fill_in(features, context)


def _circumstances(scaling: Scaling) -> int:
    """Count the numbers that a context is told in."""
    return scaling.circumstances(torch.ones(1, len(CONTEXT))).shape[-1]
