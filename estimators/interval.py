"""This file is the interval: parameters that are independent of each other, each between two bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from simulators.parameter import Scale
from simulators.refusal import Refusal

__all__ = ["Interval", "PriorError", "numbers"]

_TAIL = 0.5 * math.erfc(4.0 / math.sqrt(2.0))
_FARTHEST = 8.0


class PriorError(Refusal):
    """A prior can't be made of what was given; the message says of which number, and what was wanted."""


@dataclass(frozen=True, eq=False)
class Interval:
    """A prior that is uniform, log-uniform, or normal and cut off at four standard deviations, as `Parameter` has it.

    Args:
        low: Lower bounds, shape (p,), float64.
        high: Upper bounds, shape (p,), float64.
        scales: Shape of each parameter's prior between its bounds.

    Raises:
        PriorError: If bounds are not finite and ordered, or a log scale reaches zero.
    """

    low: Tensor
    high: Tensor
    scales: tuple[Scale, ...]

    def __post_init__(self) -> None:
        if not (self.low.shape == self.high.shape == (len(self.scales),)):
            raise PriorError(
                f"There are {self.low.numel()} lower bounds, {self.high.numel()} upper ones and {len(self.scales)} "
                "scales; one of each for every parameter was wanted."
            )
        for k, (low, high, scale) in enumerate(zip(self.low.tolist(), self.high.tolist(), self.scales, strict=True)):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise PriorError(f"Parameter {k} lies between {low} and {high}; finite, ordered bounds were wanted.")
            if scale not in ("linear", "log", "normal"):
                raise PriorError(f"Parameter {k} has the scale '{scale}'; 'linear', 'log' or 'normal' was wanted.")
            if scale == "log" and low <= 0.0:
                raise PriorError(f"Parameter {k} starts at {low}; a log scale wants a positive lower bound.")

    @classmethod
    def like(cls, low: Tensor, high: Tensor, scale: Scale) -> Interval:
        """Make one whose parameters all have the same scale."""
        return cls(low, high, (scale,) * len(low))

    def __len__(self) -> int:
        return len(self.scales)

    def contains(self, theta: Tensor) -> Tensor:
        """Tell which values lie between their bounds, shape (..., p)."""
        return (theta >= self.low.to(theta.device)) & (theta <= self.high.to(theta.device))

    def unconstrain(self, theta: Tensor) -> Tensor:
        """Map to where the prior is standard normal; a bound itself maps to 8 standard deviations."""
        low, high, log, normal = self._on(theta.device)
        theta = torch.minimum(torch.maximum(theta, low), high)
        # From the nearer bound, so that nothing is lost close to the upper one.
        linear = torch.stack([theta - low, high - theta]) / (high - low)
        ratio = torch.where(log, high / low, torch.full_like(high, math.e))
        # Where no logarithm is asked for, its arguments are one: a slope that is not used must not be infinite.
        level, least, most = (torch.where(log, some, torch.ones_like(theta)) for some in (theta, low, high))
        below = torch.log(level / least) / torch.log(ratio)
        above = torch.log(most / level) / torch.log(ratio)
        away = 8.0 * linear[0] - 4.0
        cut = torch.stack([torch.special.ndtr(away) - _TAIL, torch.special.ndtr(-away) - _TAIL]) / (1.0 - 2.0 * _TAIL)
        share = torch.where(normal, cut, torch.where(log, torch.stack([below, above]), linear))
        lower = share[0] <= share[1]
        nearest = torch.where(lower, share[0], share[1]).clamp_min(1e-300)
        z = torch.special.ndtri(nearest).clamp(-_FARTHEST, 0.0)
        return torch.where(lower, z, -z)

    def constrain(self, z: Tensor) -> Tensor:
        """Map from there; the inverse of `unconstrain`."""
        low, high, log, normal = self._on(z.device)
        lower = z < 0.0
        least = torch.special.ndtr(-z.abs())
        linear = torch.where(lower, low + (high - low) * least, high - (high - low) * least)
        ratio = torch.where(log, high / low, torch.ones_like(high))
        curved = torch.where(lower, low * ratio**least, high * ratio ** (-least))
        away = -torch.special.ndtri(_TAIL + (1.0 - 2.0 * _TAIL) * least) * torch.where(lower, -1.0, 1.0)
        cut = (low + high) / 2.0 + (high - low) / 8.0 * away
        theta = torch.where(normal, cut, torch.where(log, curved, linear))
        return torch.minimum(torch.maximum(theta, low), high)

    def log_slope(self, z: Tensor) -> Tensor:
        """Give the logarithm of how much theta moves with z, summed over the parameters, shape (...)."""
        low, high, log, normal = self._on(z.device)
        theta = self.constrain(z)
        slope = torch.log(high - low) - 0.5 * (z**2 + math.log(2.0 * math.pi))
        ratio = torch.where(log, high / low, torch.full_like(high, math.e))
        level = torch.where(log, theta, torch.ones_like(theta))
        curved = torch.log(level) + torch.log(torch.log(ratio)) - torch.log(high - low)
        away = (theta - (low + high) / 2.0) * 8.0 / (high - low)
        cut = math.log((1.0 - 2.0 * _TAIL) / 8.0) + 0.5 * (away**2 + math.log(2.0 * math.pi))
        return (slope + torch.where(normal, cut, torch.where(log, curved, torch.zeros_like(cut)))).sum(-1)

    def table(self) -> dict[str, Any]:
        """Give what JSON can keep of it."""
        return {
            "kind": "interval",
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "scales": list(self.scales),
        }

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Interval:
        """Make it from what `table` gave."""
        scales = tuple(str(scale) for scale in table["scales"])
        return cls(numbers(table["low"], "low"), numbers(table["high"], "high"), cast(tuple[Scale, ...], scales))

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        log = torch.tensor([scale == "log" for scale in self.scales], device=device)
        normal = torch.tensor([scale == "normal" for scale in self.scales], device=device)
        return self.low.to(device), self.high.to(device), log, normal


def numbers(values: object, what: str) -> Tensor:
    """Take numbers as a vector of float64.

    Args:
        values: A number, a sequence of them, or an array.
        what: As the message calls them.

    Returns:
        Shape (p,).

    Raises:
        PriorError: If they are not numbers in a row.
    """
    try:
        row = torch.as_tensor(cast(Sequence[float], values), dtype=torch.float64).detach().cpu().clone()
    except (TypeError, ValueError, RuntimeError) as error:
        raise PriorError(f"The prior's {what} is {values!r}; numbers were wanted.") from error
    if row.dim() > 1:
        raise PriorError(f"The prior's {what} has shape {tuple(row.shape)}; one number a parameter was wanted.")
    return row.reshape(-1)
