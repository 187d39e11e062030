"""This file is the prospect: how much each of some sweeps would teach of a cell, learned from cells asked to the end.

What a sweep taught is how much likelier the truth was once it was known. Of simulated cells that can be told for every
sweep of every set, with all that the sweeps of a cell share in it: the rig, the baths, the model's error. Its
expectation given the sweeps before and the command is what a regression learns. It needs no draw of what is shared,
which is where simulating the posterior's draws goes wrong after some sweeps, and costs microseconds a candidate.
Beside it the same regression learns how likely the sweep has to be broken off.

References:
    Barber & Agakov (2003), The IM algorithm: a variational approach to information maximization. NIPS 16.
    Foster et al. (2021), Deep adaptive design: amortizing sequential Bayesian experimental design.
    https://doi.org/10.48550/arXiv.2103.02438
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from estimators.context import CONTEXT
from estimators.estimator import SweepSetEstimator
from estimators.outlook import Outlook

__all__ = ["Foretold", "Prospect", "apart", "encoded"]

_AMPLITUDE, _EXCLUDED = CONTEXT.index("amplitude"), CONTEXT.index("excluded")
_LEAST = 1.0
_ROWS = 4096
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Foretold:
    """What is foretold of sweeps that nobody has played.

    Args:
        gains: Of each member how much likelier the truth gets, by how much the entropy falls, and by how much each
            parameter's alone, shape (m, candidates, cells, 2 + p) [nat].
        breaks: Of each member how likely the sweep is broken off, shape (m, candidates, cells).
    """

    gains: Array
    breaks: Array


class Prospect(nn.Module):
    """What sweeps are expected to teach.

    Of the network it takes the encoding of the sweeps so far; beside it, each sweep is seen together with the command
    that is weighed, since the same command again teaches little.

    Args:
        columns: Numbers of an encoded sweep, `SweepSetEstimator.scaling.width`.
        circumstances: Numbers of an encoded command.
        known: Numbers of an encoded set, `SweepSetEstimator.architecture.context`.
        parameters: How many the network infers.
        outlook: Sizes.
    """

    def __init__(self, columns: int, circumstances: int, known: int, parameters: int, outlook: Outlook) -> None:
        super().__init__()
        self.outlook = outlook
        sizes = (columns, circumstances, known, 2 + parameters + 1)
        self.members = nn.ModuleList(_Member(*sizes, outlook) for _ in range(outlook.members))

    @classmethod
    def beside(cls, network: SweepSetEstimator, outlook: Outlook) -> Prospect:
        """Make one that fits a network, untrained.

        Args:
            network: Whose encoding it takes.
            outlook: Sizes.

        Returns:
            The prospect.
        """
        circumstances = encoded(network, torch.zeros(1, len(CONTEXT))).shape[1]
        sizes = network.scaling.width, circumstances, network.architecture.context, len(network.parameters_of_cell)
        return cls(*sizes, outlook)

    def forward(self, sweeps: Tensor, known: Tensor, asked: Tensor, apart: Tensor) -> Tensor:
        """Foretell gains, and whether a sweep breaks.

        Args:
            sweeps: Those so far, encoded, shape (b, k, w).
            known: What the network makes of all of them, shape (b, e).
            asked: The command that is weighed, encoded, shape (b, a).
            apart: Of each sweep, how far its amplitude is from the one that is weighed, shape (b, k).

        Returns:
            Of each member how much likelier the truth gets, by how much the entropy falls, by how much each
                parameter's alone [nat], and the log odds of a sweep that is broken off, shape (m, b, 2 + p + 1).
        """
        return torch.stack([member(sweeps, known, asked, apart) for member in self.members])

    @torch.inference_mode()
    def foretell(self, network: SweepSetEstimator, features: Array, told: Array, asked: Array) -> Foretold:
        """Weigh sweeps, of many cells at once.

        Args:
            network: Whose the prospect is.
            features: Of the sweeps so far, shape (cells, k, f), NaN where missing.
            told: Their contexts, shape (cells, k, c).
            asked: Contexts of the sweeps that are weighed, shape (candidates, cells, c).

        Returns:
            Of each candidate and cell.
        """
        x, c = (torch.as_tensor(table, dtype=torch.float32) for table in (features, told))
        wanted = torch.as_tensor(asked, dtype=torch.float32)
        sweeps = network.scaling(x, c)
        known = network.encoder(sweeps, torch.ones(x.shape[:2], dtype=torch.bool))
        count, cells = wanted.shape[:2]
        rows = torch.arange(cells).repeat(count)
        parts = []
        flat = wanted.flatten(0, 1)
        for some, whose in zip(torch.split(flat, _ROWS), torch.split(rows, _ROWS), strict=True):
            gap = apart(some[:, _AMPLITUDE], c[whose][..., _AMPLITUDE])
            parts.append(self(sweeps[whose], known[whose], encoded(network, some), gap))
        foretold = torch.cat(parts, dim=1).reshape(len(self.members), count, cells, -1).double()
        return Foretold(foretold[..., :-1].numpy(), torch.sigmoid(foretold[..., -1]).numpy())


class _Member(nn.Module):
    """One regression."""

    def __init__(self, columns: int, circumstances: int, known: int, wanted: int, outlook: Outlook) -> None:
        super().__init__()
        w, h = outlook.width, outlook.hidden
        self.seen = nn.Linear(columns + 1, w)
        self.weighed = nn.Linear(circumstances, w, bias=False)
        self.both = nn.Sequential(nn.GELU(), nn.Linear(w, w), nn.GELU())
        decide = [nn.Linear(2 * w + known + circumstances + 1, h), nn.GELU(), nn.Linear(h, h), nn.GELU()]
        self.decide = nn.Sequential(*decide, nn.Linear(h, wanted))

    def forward(self, sweeps: Tensor, known: Tensor, asked: Tensor, apart: Tensor) -> Tensor:
        seen = self.seen(torch.cat([sweeps, apart[..., None]], dim=-1))
        each = self.both(seen + self.weighed(asked)[:, None])
        count = torch.full((len(known), 1), float(np.log(sweeps.shape[1])))
        return cast(Tensor, self.decide(torch.cat([each.mean(dim=1), each.amax(dim=1), known, asked, count], dim=-1)))


def encoded(network: SweepSetEstimator, asked: Tensor) -> Tensor:
    """Encode commands, without what came of them.

    Args:
        network: Whose scaling is taken.
        asked: Contexts, shape (b, c).

    Returns:
        Shape (b, a).
    """
    # Whether a sweep could be read comes of it, and is nothing that may be known before.
    asked = asked.clone()
    asked[:, _EXCLUDED] = 0.0
    return network.scaling.circumstances(asked[:, None])[:, 0]


def apart(asked: Tensor, played: Tensor) -> Tensor:
    """Tell how far amplitudes are from those that were played.

    Args:
        asked: Shape (b,) [pA].
        played: Shape (b, k) [pA].

    Returns:
        Over the largest of all, shape (b, k).
    """
    largest = torch.maximum(played.abs().amax(dim=1), asked.abs()).clamp(min=_LEAST)
    return (asked[:, None] - played) / largest[:, None]
