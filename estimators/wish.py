"""This file is the wish: which parameters the user wants to know, how well, and what a sweep has to be worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["Wish", "WishError"]


class WishError(Refusal):
    """A wish names what the network does not know, or is out of range; the message says what was wanted."""


@dataclass(frozen=True)
class Wish:
    """What a session is for.

    Args:
        parameters: Names of those that matter; empty for all. The others are marginalized.
        widths: {parameter: width of the 90 % interval, in its unit} that is narrow enough; all of them have to be.
        entropy: Entropy of the parameters that matter, unconstrained, that is low enough [nat], or None.
        worth: Gain that a sweep has to promise [nat].
        within: Gains that are this near the leader's are as good [nat].
        disagreement: Gain and fall of entropy that differ by more are not believed [nat].
        by: Of those as good as the leader, the "cheapest" is taken, or of all the one that gains most a "second".

    Raises:
        WishError: If a number is out of range.
    """

    parameters: tuple[str, ...] = ()
    widths: Mapping[str, float] = field(default_factory=dict)
    entropy: float | None = None
    worth: float = 0.05
    within: float = 0.2
    disagreement: float = 0.5
    by: Literal["cheapest", "second"] = "cheapest"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "widths", MappingProxyType(dict(self.widths)))
        for name in ("worth", "within", "disagreement"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise WishError(f"{name} is {value} nat; a finite number from 0 was wanted.")
        for name, width in self.widths.items():
            if not (math.isfinite(width) and width > 0):
                raise WishError(f"The width wanted of {name} is {width}; a positive number in its unit was wanted.")
        if self.entropy is not None and not math.isfinite(self.entropy):
            raise WishError(f"The entropy wanted is {self.entropy} nat; a finite number was wanted.")
        if self.by not in ("cheapest", "second"):
            raise WishError(f"Candidates are taken by '{self.by}'; 'cheapest' or 'second' was wanted.")

    def columns(self, parameters: Sequence[Parameter]) -> tuple[int, ...]:
        """Find the parameters that matter among a network's.

        Args:
            parameters: Of the network, in order.

        Returns:
            Their columns, in order; all of them where none is named.

        Raises:
            WishError: If the network does not know one of them.
        """
        names = [parameter.name for parameter in parameters]
        unknown = [name for name in (*self.parameters, *self.widths) if name not in names]
        if unknown:
            raise WishError(f"The network knows no {', '.join(unknown)}; wanted were some of {', '.join(names)}.")
        wanted = set(self.parameters or names)
        return tuple(k for k, name in enumerate(names) if name in wanted)

    def granted(self, parameters: Sequence[Parameter], theta: npt.NDArray[np.float64], entropy: float) -> str | None:
        """Tell whether the posterior is as narrow as asked.

        Args:
            parameters: Of the network, in order.
            theta: Draws from the posterior, shape (d, p).
            entropy: Of the parameters that matter, unconstrained [nat].

        Returns:
            A sentence, or None where it is not, or nothing was asked.
        """
        if not self.widths and self.entropy is None:
            return None
        told = []
        for k, parameter in enumerate(parameters):
            if parameter.name in self.widths:
                low, high = np.quantile(theta[:, k], [0.05, 0.95])
                if high - low > self.widths[parameter.name]:
                    return None
                told.append(f"{parameter.name} {high - low:.3g} {parameter.unit}")
        if self.entropy is not None:
            if entropy > self.entropy:
                return None
            told.append(f"entropy {entropy:.2f} nat")
        return f"The posterior is as narrow as asked: {', '.join(told)}."
