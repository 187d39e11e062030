"""This file is the ensemble: the estimator for observations of fixed length, networks whose posteriors mix as equals.

Each was trained on another split of the same simulations: where they disagree the posterior is wider, and every
simulation was learned from by some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from estimators.network import Network
from estimators.posterior import Posterior
from estimators.prior import Prior
from simulators.refusal import Refusal

__all__ = ["Estimator", "ObservationError"]


class ObservationError(Refusal):
    """An observation is not one of those that the estimator was fitted to; the message says what is wrong."""


class Estimator(nn.Module):
    """Called on an observation, it gives the posterior over theta.

    Args:
        prior: That theta was drawn from.
        networks: One or several.
        record: How the fit went: what was left out, what was chosen and why.
    """

    def __init__(self, prior: Prior, networks: Sequence[Network], record: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.prior = prior
        self.members = nn.ModuleList(networks)
        self.record = dict(record or {})
        self.requires_grad_(requires_grad=False).eval()

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks."""
        return tuple(cast(Sequence[Network], self.members))

    @property
    def features(self) -> int:
        """Numbers in an observation."""
        return self.networks[0].plan.features

    def forward(self, x: object) -> Posterior:
        """Give the posterior.

        Args:
            x: One observation, shape (d,), or many, shape (..., d); NaN where a feature is missing.

        Returns:
            A distribution over theta on the prior's support, of the observations' batch shape. Where `reasons` has
            something to say of an observation it is the prior itself.

        Raises:
            ObservationError: If the length is another or a number is infinite.
        """
        rows = self._rows(x)
        flat = rows.reshape(-1, self.features)
        unknown = torch.isnan(flat).all(-1) | self._strange(flat).any(-1)
        return Posterior(self.prior, [network(flat) for network in self.networks], unknown, rows.shape[:-1])

    def reasons(self, x: object) -> list[str]:
        """Say why an observation's posterior is the prior, for each one; an empty word where it is not.

        Args:
            x: As for a call.

        Returns:
            One sentence an observation.
        """
        flat = self._rows(x).reshape(-1, self.features)
        told = []
        for row, strange in zip(flat, self._strange(flat), strict=True):
            if torch.isnan(row).all():
                told.append("Every feature is missing: nothing is known but the prior.")
            elif strange.any():
                which = ", ".join(str(int(k)) for k in strange.nonzero()[:5, 0])
                told.append(
                    f"Feature {which} is missing, and never was in training: nothing is known but the prior. "
                    "Fit with simulations that lack it now and then."
                )
            else:
                told.append("")
        return told

    def log_prob(self, theta: object, x: object) -> Tensor:
        """Evaluate the log density of one theta for each observation, many at a time.

        Args:
            theta: Shape (n, p).
            x: Shape (n, d).

        Returns:
            Shape (n,), float64.
        """
        values = torch.as_tensor(theta, dtype=torch.float64)
        parts = zip(torch.split(self._rows(x), 2048), torch.split(values, 2048), strict=True)
        with torch.no_grad():
            return torch.cat([self(some).log_prob(value) for some, value in parts])

    def _strange(self, flat: Tensor) -> Tensor:
        """Tell which features are missing that no training row lacked."""
        gaps = torch.stack([n.straightening.gaps | n.straightening.idle for n in self.networks]).all(0)
        return torch.isnan(flat) & ~gaps

    def _rows(self, x: object) -> Tensor:
        try:
            rows = torch.as_tensor(x, dtype=torch.float64, device=self.networks[0].straightening.centre.device)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ObservationError(f"The observation is {x!r}; numbers were wanted, or NaN.") from error
        if not rows.dim() or rows.shape[-1] != self.features:
            raise ObservationError(
                f"The observation has shape {tuple(rows.shape)}; (..., {self.features}) was wanted, the features that "
                "the estimator was fitted to."
            )
        infinite = torch.isinf(rows).reshape(-1, self.features).nonzero()
        if len(infinite):
            row, column = infinite[0].tolist()
            raise ObservationError(
                f"Feature {column} of observation {row} is infinite; give a finite number, or NaN if it is missing."
            )
        return rows
