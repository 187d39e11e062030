"""This file is the prior: what is known of theta before anything was observed.

Every prior here is the image of a standard normal: in unconstrained space all of them look alike, a network there
needs to know none of them, and what it draws never leaves the support.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from estimators.interval import Interval, PriorError, numbers
from estimators.normal import Normal
from simulators.parameter import Parameter

__all__ = ["Prior", "PriorError"]


@dataclass(frozen=True, eq=False)
class Prior:
    """A prior made of independent parts, whose parameters stand one part after the other.

    Args:
        parts: Intervals and normals.
        names: One a parameter.

    Raises:
        PriorError: If there is nothing in it, or the names are not as many as the parameters and all different.

    Example:
        >>> prior = Prior.uniform([0.0, -1.0], [2.0, 1.0], names=["g_Na", "g_K"])
        >>> round(prior.log_prob(torch.tensor([1.0, 0.5])).exp().item(), 6)
        0.25
    """

    parts: tuple[Interval | Normal, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.p:
            raise PriorError("The prior has no parameter; at least one was wanted.")
        if len(self.names) != self.p or len(set(self.names)) != self.p:
            raise PriorError(f"The names are {self.names}; {self.p} different ones were wanted, one a parameter.")

    @classmethod
    def uniform(cls, low: object, high: object, names: Sequence[str] | None = None) -> Prior:
        """Make a uniform prior on a box.

        Args:
            low: Lower bounds, shape (p,).
            high: Upper bounds, shape (p,).
            names: One a parameter; theta_1, theta_2, ... where none are given.

        Returns:
            The prior.
        """
        lows = numbers(low, "low")
        return cls._of(Interval.like(lows, numbers(high, "high"), "linear"), names=names)

    @classmethod
    def log_uniform(cls, low: object, high: object, names: Sequence[str] | None = None) -> Prior:
        """Make a prior that is uniform in the logarithm of theta; arguments as for `uniform`."""
        lows = numbers(low, "low")
        return cls._of(Interval.like(lows, numbers(high, "high"), "log"), names=names)

    @classmethod
    def normal(cls, mean: object, covariance: object, names: Sequence[str] | None = None) -> Prior:
        """Make a normal prior.

        Args:
            mean: Shape (p,).
            covariance: Shape (p, p).
            names: One a parameter; theta_1, theta_2, ... where none are given.

        Returns:
            The prior.
        """
        return cls._of(Normal(numbers(mean, "mean"), _square(covariance)), names=names)

    @classmethod
    def log_normal(cls, mean: object, covariance: object, names: Sequence[str] | None = None) -> Prior:
        """Make a prior under which the logarithm of theta is normal; arguments as for `normal`, of the logarithm."""
        return cls._of(Normal(numbers(mean, "mean"), _square(covariance), log=True), names=names)

    @classmethod
    def of(cls, parameters: Sequence[Parameter]) -> Prior:
        """Take a cell's parameters as they are.

        Args:
            parameters: With bounds and scales.

        Returns:
            The prior.
        """
        low, high = ([getattr(each, side) for each in parameters] for side in ("low", "high"))
        scales = tuple(each.scale for each in parameters)
        interval = Interval(numbers(low, "low"), numbers(high, "high"), scales)
        return cls._of(interval, names=[each.name for each in parameters])

    @classmethod
    def mixed(cls, *priors: Prior, names: Sequence[str] | None = None) -> Prior:
        """Put priors side by side: their parameters are independent of each other.

        Args:
            priors: In the order of their parameters.
            names: One a parameter; those that the priors have where none are given and they differ.

        Returns:
            The prior of all.
        """
        own = [name for prior in priors for name in prior.names]
        if names is None and len(set(own)) == len(own):
            names = own
        return cls._of(*(part for prior in priors for part in prior.parts), names=names)

    @property
    def p(self) -> int:
        """How many parameters there are."""
        return sum(len(part) for part in self.parts)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw.

        Args:
            n: How many.
            generator: Source of randomness.

        Returns:
            Shape (n, p), float64.
        """
        return self.constrain(torch.randn(n, self.p, generator=generator, dtype=torch.float64))

    def log_prob(self, theta: Tensor) -> Tensor:
        """Evaluate the log density.

        Args:
            theta: Shape (..., p).

        Returns:
            Shape (...), minus infinity outside the support.
        """
        z = self.unconstrain(theta)
        density = -0.5 * (z**2 + math.log(2.0 * math.pi)).sum(-1) - self.log_slope(z)
        return torch.where(self.contains(theta), density, torch.full_like(density, -math.inf))

    def contains(self, theta: Tensor) -> Tensor:
        """Tell which theta are possible.

        Args:
            theta: Shape (..., p).

        Returns:
            Shape (...), bool; false for what is not a number.
        """
        return self.inside(theta).all(-1)

    def inside(self, theta: Tensor) -> Tensor:
        """Tell which single numbers are possible, bounds included; shape (..., p), bool."""
        return self._each(torch.as_tensor(theta, dtype=torch.float64), lambda part, some: part.contains(some))

    def unconstrain(self, theta: Tensor) -> Tensor:
        """Map to unconstrained space, where the prior is standard normal.

        Args:
            theta: Shape (..., p), inside the support; a bound maps to 8 standard deviations.

        Returns:
            The same shape, float64.
        """
        return self._each(torch.as_tensor(theta, dtype=torch.float64), lambda part, some: part.unconstrain(some))

    def constrain(self, z: Tensor) -> Tensor:
        """Map from unconstrained space; the inverse of `unconstrain`.

        Args:
            z: Shape (..., p).

        Returns:
            The same shape, float64, inside the support.
        """
        return self._each(torch.as_tensor(z, dtype=torch.float64), lambda part, some: part.constrain(some))

    def log_slope(self, z: Tensor) -> Tensor:
        """Give log |d theta / d z|, exact in the tails too.

        Args:
            z: Shape (..., p).

        Returns:
            Shape (...), float64.
        """
        pieces = torch.split(torch.as_tensor(z, dtype=torch.float64), [len(part) for part in self.parts], dim=-1)
        slopes = [part.log_slope(piece) for part, piece in zip(self.parts, pieces, strict=True)]
        return torch.stack(slopes).sum(0)

    def table(self) -> dict[str, Any]:
        """Give what JSON can keep of it, for a file."""
        return {"names": list(self.names), "parts": [part.table() for part in self.parts]}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Prior:
        """Make a prior from what `table` gave.

        Args:
            table: From a file, perhaps a stranger's.

        Returns:
            The prior.

        Raises:
            PriorError: If it is none.
        """
        kinds: dict[str, Callable[[dict[str, Any]], Interval | Normal]] = {
            "interval": Interval.from_table,
            "normal": Normal.from_table,
        }
        try:
            parts = tuple(kinds[part["kind"]](part) for part in table["parts"])
            return cls(parts, tuple(str(name) for name in table["names"]))
        except (KeyError, TypeError, RuntimeError) as error:
            raise PriorError(f"The table of the prior is not one that was written here ({error!r}).") from error

    @classmethod
    def _of(cls, *parts: Interval | Normal, names: Sequence[str] | None) -> Prior:
        count = sum(len(part) for part in parts)
        return cls(parts, tuple(names) if names is not None else tuple(f"theta_{k + 1}" for k in range(count)))

    def _each(self, values: Tensor, do: Callable[[Interval | Normal, Tensor], Tensor]) -> Tensor:
        """Let each part do with its own columns."""
        if values.dim() == 0 or values.shape[-1] != self.p:
            raise PriorError(f"Theta has shape {tuple(values.shape)}; (..., {self.p}) was wanted, as the prior has.")
        pieces = torch.split(values, [len(part) for part in self.parts], dim=-1)
        return torch.cat([do(part, piece) for part, piece in zip(self.parts, pieces, strict=True)], dim=-1)


def _square(covariance: object) -> Tensor:
    """Take a covariance; a number stands for the variance of one parameter."""
    try:
        matrix = torch.as_tensor(covariance, dtype=torch.float64).detach().cpu().clone()
    except (TypeError, ValueError, RuntimeError) as error:
        raise PriorError(f"The covariance is {covariance!r}; numbers were wanted.") from error
    if matrix.dim() == 0:
        matrix = matrix.reshape(1, 1)
    return matrix
