"""This file is the probe: a small sweep-set network that is asked what its parts are worth, never what a cell is.

Its density is a mixture of normals, whose marginals are closed: so a gain can be told for each parameter. It can hide
groups of features, fill gaps in several ways, and read traces.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from estimators.features import NAMES
from estimators.filling import Filling, Kind
from estimators.groups import GROUPS, membership
from estimators.mixture import Mixture, MixturePosterior
from estimators.panel import Panel
from estimators.scaling import Scaling
from estimators.sweep_set import SweepSet
from estimators.trace_encoder import TraceEncoder

__all__ = ["Probe", "Score"]

_ROWS = 500
_CONTEXT = 64


@dataclass(frozen=True, eq=False)
class Score:
    """How well theta was known of cells that were held out.

    Args:
        joint: log q of each cell, unconstrained, shape (b,) [nat].
        marginal: Of each parameter on its own, shape (b, p) [nat].
    """

    joint: Tensor
    marginal: Tensor

    def table(self) -> Tensor:
        """Put the joint before the marginals, shape (b, 1 + p)."""
        return torch.cat([self.joint[:, None], self.marginal], dim=1)


class Probe(nn.Module):
    """A small network.

    Args:
        p: Parameters.
        filling: What stands where a feature is missing.
        reads_features: Whether it sees the features that are written by hand.
        reads_traces: Whether it sees traces.
        width: Of the encoder.
        components: Of the mixture.
    """

    membership: Tensor

    def __init__(
        self,
        p: int,
        *,
        filling: Kind = "zero_flagged",
        reads_features: bool = True,
        reads_traces: bool = False,
        width: int = 96,
        components: int = 6,
    ) -> None:
        super().__init__()
        self.scaling, self.filling = Scaling(), Filling(filling)
        self.reads_features = reads_features
        self.read = TraceEncoder(64) if reads_traces else None
        inputs = self.scaling.width + len(GROUPS) + (64 if reads_traces else 0)
        self.encoder = SweepSet(inputs, width, _CONTEXT, 1)
        self.head = Mixture(p, _CONTEXT, components, width)
        self.register_buffer("membership", torch.from_numpy(membership()), persistent=False)

    @classmethod
    def fresh(
        cls,
        p: int,
        seed: int,
        *,
        filling: Kind = "zero_flagged",
        reads_features: bool = True,
        reads_traces: bool = False,
    ) -> Probe:
        """Make one whose weights depend on the seed alone.

        Args:
            p: Parameters.
            seed: Of the weights.
            filling: As the class.
            reads_features: As the class.
            reads_traces: As the class.

        Returns:
            The network.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(p, filling=filling, reads_features=reads_features, reads_traces=reads_traces)

    def forward(self, panel: Panel, hidden: Tensor | None = None) -> MixturePosterior:
        """Give the posterior of theta at the last sweep, in unconstrained space.

        Args:
            panel: Cells.
            hidden: Groups that are hidden of each, shape (b, groups), bool; None for none.

        Returns:
            A distribution of batch shape (b,).
        """
        posterior: MixturePosterior = self.head(self.encoder(*self._tokens(panel, hidden)))
        return posterior

    def _tokens(self, panel: Panel, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        b, n, _ = panel.features.shape
        if hidden is None:
            hidden = torch.zeros(b, len(GROUPS), dtype=torch.bool)
        if not self.reads_features:
            hidden = torch.ones_like(hidden)
        without = (hidden[:, :, None] & self.membership).any(1)[:, None]
        features = panel.features.masked_fill(without, torch.nan)
        tokens = self.filling(self.scaling(features, panel.context))
        parts = [tokens, hidden[:, None].expand(b, n, -1).to(tokens.dtype)]
        if self.read is not None:
            if panel.traces is None:
                raise ValueError("This probe reads traces and the panel has none; draw it with traces=True.")
            seen = self.read(panel.traces.flatten(0, 1), panel.context.flatten(0, 1))
            parts.append(seen.view(b, n, -1))
        return torch.cat(parts, dim=-1), torch.ones(b, n, dtype=torch.bool)

    def imputation_error(self, panel: Panel, shown: Panel) -> Tensor:
        """Measure how far imputed values are from those that were hidden.

        Args:
            panel: Cells.
            shown: The same, with features hidden.

        Returns:
            Shape (): mean squared error in units of the scaled features, 0 where nothing is imputed.
        """
        f = len(NAMES)
        guess = self.filling.guess(self.scaling(shown.features, shown.context)) if self.filling.impute else None
        known = torch.isnan(shown.features) & ~torch.isnan(panel.features)
        if guess is None or not known.any():
            return torch.zeros(())
        truth = self.scaling(panel.features, panel.context)[..., :f]
        return torch.as_tensor((guess - truth)[known].square().mean())

    @torch.no_grad()
    def score(self, panel: Panel, hidden: list[str] | None = None) -> Score:
        """Evaluate log q at the truth.

        Args:
            panel: Cells that it was not trained on.
            hidden: Names of groups that are hidden of all.

        Returns:
            Joint and marginal log densities.
        """
        names = list(GROUPS)
        mask = torch.tensor([name in (hidden or ()) for name in names])
        joint, marginal = [], []
        self.eval()
        for begin in range(0, len(panel), _ROWS):
            some = panel[slice(begin, begin + _ROWS)]
            posterior = self(some, mask.expand(len(some), -1))
            joint.append(posterior.log_prob(some.u))
            marginal.append(posterior.log_marginals(some.u))
        return Score(torch.cat(joint), torch.cat(marginal))
