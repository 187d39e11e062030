"""This file is the chain: a density of a row of mixed numbers, each column given those before it.

A column is asked twice: whether its number is missing (a count: whether it is zero), and, where it is there, which it
is. A number that is missing costs and tells nothing but that it is missing; one that is hidden costs and tells nothing
at all, so that any part of a row can be scored. What the columns so far say is summed up in one hidden layer, so that
a whole row costs no more than a network of that size.

References:
    Larochelle & Murray (2011), The neural autoregressive distribution estimator. AISTATS, PMLR 15, 29-37
    Uria, Murray & Larochelle (2014), A deep and tractable density estimator. arXiv:1310.1757
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from estimators.logistics import Logistics, start

__all__ = ["Chain", "Entries", "Links"]

_NOTHING = -1e4
_HIGHEST = 16.0
_SEEN = 12.0


@dataclass(frozen=True, eq=False)
class Entries:
    """Rows of numbers.

    Args:
        x: Values, of counts the logarithm, shape (..., f); 0 where there is none.
        gone: What is missing, or a count of zero, shape (..., f), bool.
        known: What is not hidden, shape (..., f), bool.
    """

    x: Tensor
    gone: Tensor
    known: Tensor

    @property
    def there(self) -> Tensor:
        """Where there is a value."""
        return self.known & ~self.gone

    def __getitem__(self, rows: Tensor | slice) -> Entries:
        return Entries(self.x[rows], self.gone[rows], self.known[rows])


@dataclass(frozen=True, eq=False)
class Links:
    """What a density says of each column of rows.

    Args:
        flag: Log probability of being missing or there, shape (..., f), 0 where hidden.
        value: Log density, of counts log probability, of what is there, shape (..., f), else 0.
        below: Share of the column's distribution below its value, of counts half of its own mass in it, where asked
            for; shape (..., f), NaN where there is no value.
    """

    flag: Tensor
    value: Tensor
    below: Tensor | None = None

    @property
    def total(self) -> Tensor:
        """Log density of each row, shape (...)."""
        return (self.flag + self.value).sum(-1)


class Chain(nn.Module):
    """The density, given a vector.

    Args:
        columns: Numbers in a row.
        counts: How many of these, from the first, are counts.
        told: Length of the vector.
        hidden: Width of the layer that sums up.
        components: Logistic distributions in a mixture.
    """

    def __init__(self, columns: int, counts: int, told: int, hidden: int, components: int) -> None:
        super().__init__()
        self.columns, self.counts, self.hidden = columns, counts, hidden
        self.outputs = 3 + 3 * components
        self.enter = nn.Linear(told, hidden)
        self.straight = nn.Linear(told, 2 * columns)
        nn.init.zeros_(self.straight.weight)
        nn.init.zeros_(self.straight.bias)
        self.listen = nn.Parameter(0.3 * torch.randn(columns, 3, hidden) * columns**-0.5)
        self.speak = nn.Parameter(0.3 * torch.randn(columns, hidden, self.outputs) * hidden**-0.5)
        begin = torch.cat([torch.zeros(3), start(components)])
        self.offset = nn.Parameter(begin.repeat(columns, 1))
        self.slope = nn.Parameter(torch.zeros(3 * columns, columns))
        earlier = torch.ones(columns, columns).triu(1).repeat_interleave(3, dim=0)
        self.register_buffer("earlier", earlier, persistent=False)

    earlier: Tensor

    def forward(self, told: Tensor, row: Entries, *, percentiles: bool = False) -> Links:
        """Score rows.

        Args:
            told: Shape (n, told).
            row: Shape (n, f).
            percentiles: Whether to give `below` too.

        Returns:
            Of shape (n, f).
        """
        flag, raw, spread = self._said(told, row)
        flags = functional.logsigmoid(torch.where(row.gone, flag, -flag)) * row.known
        # Half of the numbers are missing: what is not there is not computed.
        there, c = row.there, self.counts
        mixture = _mixture(raw[:, c:][there[:, c:]], spread[:, c:][there[:, c:]])
        counted = _mixture(raw[:, :c][there[:, :c]], spread[:, :c][there[:, :c]])
        x = row.x[:, c:][there[:, c:]]
        low, high = _edges(row.x[:, :c][there[:, :c]])
        values = _back(there, c, counted.log_mass(low, high), mixture.log_prob(x), 0.0)
        if not percentiles:
            return Links(flags, values)
        middle = 0.5 * (counted.share_below(low) + counted.share_below(high))
        below = _back(there, c, middle, mixture.share_below(x), torch.nan)
        zero = torch.sigmoid(flag[:, :c])
        half = torch.where(row.gone[:, :c], 0.5 * zero, zero + (1.0 - zero) * below[:, :c])
        below = torch.cat([torch.where(row.known[:, :c], half, torch.nan), below[:, c:]], dim=1)
        return Links(flags, values, below)

    def ends(self, told: Tensor, row: Entries, shares: tuple[float, ...]) -> Tensor:
        """Tell where a column's values lie, given the vector and the columns before it.

        Args:
            told: Shape (n, told).
            row: Shape (n, f).
            shares: Of the column's distribution below what is asked for, each between 0 and 1.

        Returns:
            Values, of counts the logarithm, shape (len(shares), n, f), whether or not the row has one there.
        """
        flag, raw, spread = self._said(told, row)
        mixture = _mixture(raw.flatten(0, 1), spread.flatten())
        zero = torch.sigmoid(flag)
        is_count = torch.arange(self.columns) < self.counts
        found = []
        for share in shares:
            left = torch.where(is_count, (share - zero) / (1.0 - zero), torch.full_like(zero, share)).clamp(min=0.0)
            x = mixture.quantile(left.flatten()).reshape(left.shape)
            count = torch.log(torch.ceil(torch.exp(x.clamp(max=_HIGHEST)) - 0.5).clamp(min=1.0))
            found.append(torch.where(is_count, torch.where(left > 0.0, count, -torch.inf), x))
        return torch.stack(found)

    def _said(self, told: Tensor, row: Entries) -> tuple[Tensor, Tensor, Tensor]:
        """Say whether each column is missing, shape (n, f), its mixture, (n, f, k), and what stretches that, (n, f)."""
        seen = _heard(row)
        summed = self.enter(told)
        spoken = []
        # Each taken apart once: their gradients are then put together once, too.
        for heard, listen, speak in zip(seen.unbind(1), self.listen.unbind(), self.speak.unbind(), strict=True):
            spoken.append(torch.relu(summed) @ speak)
            summed = summed + heard @ listen
        raw = torch.stack(spoken, dim=1) + self.offset
        straight = self.straight(told)
        shift = straight[:, : self.columns] + seen.flatten(1) @ (self.slope * self.earlier)
        raw, flag = torch.cat([raw[..., 1:2] + shift[..., None], raw[..., 2:]], dim=-1), raw[..., 0]
        return flag, raw, straight[:, self.columns :]

    def score(self, told: Tensor, row: Entries) -> Tensor:
        """Score one row under many vectors, where nobody will ask for a gradient: the same function as `forward`.

        Args:
            told: Shape (n, told).
            row: Shape (f,).

        Returns:
            Log density, shape (n,).
        """
        heard = _heard(row)
        # Rows are columns here: what is read off a layer then lies together.
        summed, straight = self.enter(told).T.contiguous(), self.straight(told).T
        constant = heard.flatten() @ (self.slope * self.earlier)
        added, speak = heard[:, None] @ self.listen, self.speak.mT.contiguous()
        known, there = row.known.tolist(), row.there.tolist()
        layer = torch.empty_like(summed)
        flags, signs, spoken = [], [], []
        for k in range(self.columns):
            if not known[k]:
                continue
            torch.clamp(summed, min=0.0, out=layer)
            if there[k]:
                spoken.append(speak[k] @ layer)
                flags.append(spoken[-1][0])
            else:
                flags.append(speak[k, 0] @ layer)
            signs.append(-1.0 if there[k] else 1.0)
            summed += added[k].T
        if not flags:
            return torch.zeros(len(told), dtype=told.dtype)
        flag = torch.stack(flags) + self.offset[row.known, :1]
        total = functional.logsigmoid(flag * torch.tensor(signs, dtype=told.dtype)[:, None]).sum(0)
        for begin, end, count in ((0, self.counts, True), (self.counts, self.columns, False)):
            columns = [k for k in range(begin, end) if there[k]]
            if not columns:
                continue
            raw = torch.stack(spoken[: len(columns)], dim=1)
            del spoken[: len(columns)]
            offset = self.offset[columns].T[..., None]
            shift = raw[1] + (offset[1] + constant[columns, None]) + straight[columns]
            spread = raw[2] + offset[2] + straight[[self.columns + k for k in columns]]
            mixture, x = Logistics(shift, spread, raw[3:] + offset[3:]), row.x[columns, None]
            total += (mixture.log_mass(*_edges(x)) if count else mixture.log_prob(x)).sum(0)
        return total

    def draw(self, told: Tensor, generator: torch.Generator, hide: Callable[[Tensor], Tensor] | None = None) -> Entries:
        """Draw one row for each vector.

        Args:
            told: Shape (n, told).
            generator: Source of randomness.
            hide: Which columns to hide, shape (n, f), given the counts, shape (n, counts); nothing without it. What is
                hidden tells those behind it nothing, as in a row that is scored.

        Returns:
            Rows, shape (n, f).
        """
        n, f = len(told), self.columns
        x, gone = torch.zeros(f, n, dtype=told.dtype), torch.zeros(f, n, dtype=torch.bool)
        uniform = torch.rand(f, 3, n, generator=generator, dtype=told.dtype)
        seen = torch.zeros(3 * f, n, dtype=told.dtype)
        seen[2::3] = 1.0
        straight = self.straight(told).T.contiguous()
        slope = (self.slope * self.earlier).T.contiguous()
        summed = self.enter(told).T.contiguous()
        listen, speak = self.listen.mT.contiguous(), self.speak.mT.contiguous()
        known = torch.ones_like(gone)
        for k in range(f):
            if k == self.counts and hide is not None:
                counts = torch.where(gone[:k], 0.0, torch.exp(x[:k])).round()
                known = ~hide(counts.T).T
                seen[2::3] = known.to(seen.dtype)
            raw = torch.addmm(self.offset[k][:, None], speak[k], torch.relu(summed))
            shift = raw[1] + straight[k] + slope[k, : 3 * k] @ seen[: 3 * k]
            drawn = Logistics(shift, raw[2] + straight[f + k], raw[3:]).draw(uniform[k, :2])
            gone[k] = uniform[k, 2] < torch.sigmoid(raw[0])
            if k < self.counts:
                drawn = torch.log(torch.round(torch.exp(drawn.clamp(max=_HIGHEST))).clamp(min=1.0))
            x[k] = drawn.masked_fill_(gone[k], 0.0)
            seen[3 * k] = x[k].clamp(-_SEEN, _SEEN) * known[k]
            seen[3 * k + 1] = gone[k] & known[k]
            summed.addmm_(listen[k], seen[3 * k : 3 * k + 3])
        return Entries(x.T, gone.T, known.T)


def _mixture(raw: Tensor, spread: Tensor) -> Logistics:
    """Read mixtures from rows of numbers, components in front."""
    rows = raw.T.contiguous()
    return Logistics(rows[0], rows[1] + spread, rows[2:])


def _back(there: Tensor, counts: int, counted: Tensor, others: Tensor, nothing: float) -> Tensor:
    """Put numbers of counts and of other columns back to where they are from."""
    empty = torch.full(there.shape, nothing, dtype=others.dtype)
    parts = (
        empty[:, :counts].masked_scatter(there[:, :counts], counted),
        empty[:, counts:].masked_scatter(there[:, counts:], others),
    )
    return torch.cat(parts, dim=1)


def _heard(row: Entries) -> Tensor:
    """Lay out what a column tells those behind it: its value, whether it is missing, and whether it is known."""
    x = torch.where(row.there, row.x, torch.zeros_like(row.x)).clamp(-_SEEN, _SEEN)
    return torch.stack([x, (row.gone & row.known).to(x.dtype), row.known.to(x.dtype)], dim=-1)


def _edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Give the logarithms half-way to the neighbouring counts; below one there is none, for zero is a flag."""
    count = torch.round(torch.exp(x))
    low = torch.where(count > 1.5, torch.log((count - 0.5).clamp(min=0.5)), torch.full_like(x, _NOTHING))
    return low, torch.log(count + 0.5)
