"""This file is the density: a parameter's marginal on its own axis, from draws or from the prior."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rig_plugin.widgets.number import quantiles
from simulators.parameter import Parameter

__all__ = ["BINS", "drawn", "position", "prior", "value"]

BINS = 120


def position(parameter: Parameter, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Place values on the axis from the lower bound (0) to the upper one (1), logarithmic where the scale is.

    Args:
        parameter: Whose axis.
        values: Any shape, in the parameter's unit.

    Returns:
        The same shape; outside 0 to 1 where the value leaves the bounds.
    """
    values = np.asarray(values, dtype=np.float64)
    if parameter.scale == "log":
        return np.asarray(np.log(values / parameter.low) / math.log(parameter.high / parameter.low))
    return np.asarray((values - parameter.low) / (parameter.high - parameter.low))


def value(parameter: Parameter, place: float) -> float:
    """Read a value off the axis; the inverse of `position`.

    Args:
        parameter: Whose axis.
        place: 0 to 1.

    Returns:
        The value in the parameter's unit.
    """
    if parameter.scale == "log":
        return float(parameter.low * (parameter.high / parameter.low) ** place)
    return float(parameter.low + (parameter.high - parameter.low) * place)


def prior(parameter: Parameter, span: tuple[float, float] = (0.0, 1.0)) -> npt.NDArray[np.float64]:
    """Evaluate the prior along the axis.

    Args:
        parameter: Whose prior; flat on its own axis, or a bell where its scale is "normal".
        span: Ends of the part that is wanted, as places on the axis.

    Returns:
        Density over 0 to 1, shape (BINS,), mean 1 over the whole axis.
    """
    if parameter.scale != "normal":
        return np.ones(BINS)
    centres = span[0] + (np.arange(BINS) + 0.5) / BINS * (span[1] - span[0])
    return np.asarray(np.exp(-0.5 * ((centres - 0.5) * 8) ** 2) * 8 / math.sqrt(2 * math.pi))


def drawn(
    parameter: Parameter, draws: npt.NDArray[np.float64], span: tuple[float, float] = (0.0, 1.0)
) -> npt.NDArray[np.float64]:
    """Estimate the density of draws along the axis: a histogram smoothed by a normal kernel.

    Mass that the kernel would carry over an end is reflected there, since no draw lies beyond a bound.

    Args:
        parameter: Whose axis.
        draws: Samples, shape (s,), in the parameter's unit.
        span: Ends of the part that is wanted, as places on the axis.

    Returns:
        Density over 0 to 1, shape (BINS,), mean 1 over the whole axis.

    References:
        Silverman (1986), Density Estimation for Statistics and Data Analysis, eq. 3.31 and section 2.10.
    """
    places = np.clip(position(parameter, draws), 0.0, 1.0)
    # Counted by place: every sweep asks this of every parameter, and a general histogram takes five times as long.
    within = (places - span[0]) * (BINS / (span[1] - span[0]))
    seen = within if span == (0.0, 1.0) else within[(within >= 0.0) & (within <= BINS)]
    counts = np.bincount(np.minimum(seen.astype(np.int64), BINS - 1), minlength=BINS).astype(np.float64)
    low, high = quantiles(places, (0.25, 0.75))
    spread = min(float(places.std()), float(high - low) / 1.34) or float(places.std())
    bin_width = (span[1] - span[0]) / BINS
    width = max(0.9 * spread * places.size**-0.2 / bin_width, 0.5)
    reach = min(math.ceil(4 * width), BINS)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    reflected = np.concatenate([counts[:reach][::-1], counts, counts[BINS - reach :][::-1]])
    smooth = np.convolve(reflected, kernel, mode="valid")
    return np.asarray(smooth / (kernel.sum() * places.size * bin_width))
