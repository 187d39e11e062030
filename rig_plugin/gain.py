"""This file is the gain: how much a sweep taught of the cell, in bits, and of what it taught most."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig_plugin.trial import Posterior

__all__ = ["Gain", "gain"]

_FEWEST = 10  # draws for each parameter
_TELLING = 0.2  # [bits]


@dataclass(frozen=True)
class Gain:
    """What a posterior knows beyond the one before it.

    Args:
        bits: By how much its entropy is less; negative where it is wider.
        foremost: The parameter whose marginal became narrowest, or None where hardly anything was learnt.
    """

    bits: float
    foremost: str | None


def gain(before: Posterior | None, now: Posterior) -> Gain | None:
    """Compare a posterior with the one before it, as if both were normal where their prior is.

    Args:
        before: One sweep ago; None compares with the prior.
        now: With the sweep.

    Returns:
        The gain; None where there are too few draws to tell, or other parameters than before.

    References:
        Cover and Thomas (2006), Elements of Information Theory, section 8.4. https://doi.org/10.1002/047174882X

    Example:
        >>> from simulators.parameter import Parameter
        >>> one = Parameter("E_leak", "mV", -80.0, -40.0, "normal", "Reversal potential of the leak.")
        >>> u = np.random.default_rng(1).normal(size=(4000, 1)) / 4.0
        >>> round(gain(None, Posterior((one,), one.constrain(u))).bits, 1)
        2.0
    """
    if before is not None and before.parameters != now.parameters:
        return None
    known = [_spread(posterior) for posterior in (before, now) if posterior is not None]
    if not all(size.size for _, size in known):
        return None
    volume, size = known[-1]
    volume_before, size_before = known[0] if before is not None else (0.0, np.ones_like(size))
    narrower = np.log2(size_before / size)
    most = int(np.argmax(narrower))
    bits = (volume_before - volume) / math.log(2.0)
    return Gain(bits, now.parameters[most].name if min(bits, narrower[most]) >= _TELLING else None)


def _spread(posterior: Posterior) -> tuple[float, npt.NDArray[np.float64]]:
    """Give the logarithm of the volume that draws take, in that of the prior, and the size along each parameter."""
    if len(posterior.draws) < _FEWEST * len(posterior.parameters):
        return math.nan, np.empty(0)
    covariance = np.atleast_2d(np.cov(posterior.unconstrained(), rowvar=False))
    sign, volume = np.linalg.slogdet(covariance)
    size = np.sqrt(np.diag(covariance))
    if sign <= 0 or not (np.isfinite(volume) and (size > 0).all()):
        return math.nan, np.empty(0)
    return 0.5 * float(volume), size
