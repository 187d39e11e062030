"""This file is the parameter: at once the prior, the slider, the axis label and the column in the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Parameter", "Scale"]

Scale = Literal["linear", "log", "normal"]
_TAIL = 3.167124183311986e-05  # What the normal distribution has below -4.
_EDGE = 1e-7


@dataclass(frozen=True)
class Parameter:
    """One number of a cell or rig: name, unit, bounds and prior.

    The prior is uniform ("linear"), log-uniform ("log"), or normal about the middle of the bounds, which lie
    four standard deviations away and cut it off ("normal"). In *unconstrained* space every prior is the
    standard normal, so whatever a network does there never leaves the bounds here.

    Args:
        name: Snake case, as the field writes it, for instance "g_Na".
        unit: As it is shown.
        low: Lower bound.
        high: Upper bound.
        scale: Shape of the prior between the bounds.
        meaning: One sentence for the tooltip.

    Raises:
        ValueError: If the bounds are not finite and ordered, or a log scale reaches zero.

    Example:
        >>> C = Parameter("C", "pF", 15.0, 400.0, "log")
        >>> round(float(C.constrain(np.array(0.0))), 2)
        77.46
    """

    name: str
    unit: str
    low: float
    high: float
    scale: Scale = "linear"
    meaning: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"{self.name} lies between {self.low} and {self.high} {self.unit}; finite, ordered bounds were wanted."
            )
        if self.scale not in ("linear", "log", "normal"):
            raise ValueError(f"{self.name} has the scale '{self.scale}'; 'linear', 'log' or 'normal' was wanted.")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"{self.name} starts at {self.low} {self.unit}; a log scale wants a positive lower bound.")

    def constrain(self, u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map unconstrained values, standard normal under the prior, to physical ones.

        Args:
            u: Any shape.

        Returns:
            The same shape, within the bounds.
        """
        # Who only names parameters, such as a window that is being opened, waits for no library.
        from scipy.special import ndtr, ndtri

        p = ndtr(np.asarray(u, dtype=np.float64))
        if self.scale == "linear":
            return np.asarray(self.low + (self.high - self.low) * p)
        if self.scale == "log":
            return np.asarray(self.low * (self.high / self.low) ** p)
        middle, deviation = (self.low + self.high) / 2, (self.high - self.low) / 8
        return np.asarray(middle + deviation * ndtri(_TAIL + (1 - 2 * _TAIL) * p))

    def unconstrain(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map physical values to unconstrained ones; the inverse of `constrain`.

        Args:
            x: Any shape, within the bounds.

        Returns:
            The same shape; the bounds themselves map to about -5.2 and 5.2.
        """
        from scipy.special import ndtr, ndtri

        x = np.asarray(x, dtype=np.float64)
        if self.scale == "linear":
            p = (x - self.low) / (self.high - self.low)
        elif self.scale == "log":
            p = np.log(x / self.low) / math.log(self.high / self.low)
        else:
            middle, deviation = (self.low + self.high) / 2, (self.high - self.low) / 8
            p = (ndtr((x - middle) / deviation) - _TAIL) / (1 - 2 * _TAIL)
        return np.asarray(ndtri(np.clip(p, _EDGE, 1 - _EDGE)))
