"""This file is the normal: parameters, or their logarithms, that are normal together under the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from estimators.interval import PriorError, numbers

__all__ = ["Normal"]


@dataclass(frozen=True, eq=False)
class Normal:
    """A normal or log-normal prior with a full covariance.

    Args:
        mean: Of theta, or of its logarithm, shape (p,), float64.
        covariance: Likewise, shape (p, p), float64.
        log: Whether it is the logarithm of theta that is normal.

    Raises:
        PriorError: If a number is not finite, or the covariance is not symmetric and positive definite.
    """

    mean: Tensor
    covariance: Tensor
    log: bool = False

    def __post_init__(self) -> None:
        p = len(self.mean)
        if self.covariance.shape != (p, p):
            raise PriorError(
                f"The covariance has shape {tuple(self.covariance.shape)}; ({p}, {p}) was wanted, as the mean has {p}."
            )
        if not (torch.isfinite(self.mean).all() and torch.isfinite(self.covariance).all()):
            raise PriorError("The prior's mean or covariance holds a number that is not finite; give finite ones.")
        largest = (self.covariance - self.covariance.T).abs().max()
        if largest > 1e-9 * self.covariance.abs().max():
            raise PriorError(f"The covariance differs from its transpose by {largest:.3g}; a symmetric one was wanted.")
        smallest = torch.linalg.eigvalsh(self.covariance)[0]
        if torch.linalg.cholesky_ex(self.covariance).info != 0:
            raise PriorError(
                f"The covariance's smallest eigenvalue is {smallest:.3g}; a positive definite one was wanted."
            )

    def __len__(self) -> int:
        return len(self.mean)

    def contains(self, theta: Tensor) -> Tensor:
        """Tell which values are possible, shape (..., p)."""
        return torch.isfinite(theta) & ((theta > 0.0) if self.log else torch.ones_like(theta, dtype=torch.bool))

    def unconstrain(self, theta: Tensor) -> Tensor:
        """Map to where the prior is standard normal."""
        value = torch.log(theta.clamp_min(torch.finfo(theta.dtype).tiny)) if self.log else theta
        centred = (value - self.mean.to(theta.device)).unsqueeze(-1)
        solved = torch.linalg.solve_triangular(self._factor(theta.device), centred, upper=False)
        return torch.as_tensor(solved.squeeze(-1))

    def constrain(self, z: Tensor) -> Tensor:
        """Map from there; the inverse of `unconstrain`."""
        value = self._value(z)
        return torch.exp(value) if self.log else value

    def log_slope(self, z: Tensor) -> Tensor:
        """Give the logarithm of the volume that theta takes for that of z, shape (...)."""
        volume = torch.diagonal(self._factor(z.device)).log().sum().expand(z.shape[:-1])
        return volume + self._value(z).sum(-1) if self.log else volume

    def table(self) -> dict[str, Any]:
        """Give what JSON can keep of it."""
        return {
            "kind": "normal",
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "log": self.log,
        }

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Normal:
        """Make it from what `table` gave."""
        covariance = [numbers(row, "covariance") for row in table["covariance"]]
        return cls(numbers(table["mean"], "mean"), torch.stack(covariance), bool(table["log"]))

    def _value(self, z: Tensor) -> Tensor:
        return self.mean.to(z.device) + z @ self._factor(z.device).T

    def _factor(self, device: torch.device) -> Tensor:
        return torch.as_tensor(torch.linalg.cholesky(self.covariance).to(device))
