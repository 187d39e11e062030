"""This file is the remark: what is doubtful about a posterior, and what a sweep does not say of itself."""

from __future__ import annotations

import numpy as np

from rig_plugin.trial import Posterior
from simulators.sweep import Sweep

__all__ = ["BRIDGE", "EDGE", "remarks"]

_SURE = 0.95

BRIDGE = 10.0
"""Largest series resistance, either way, that the bridge may leave [MOhm]."""

EDGE = 2.6
"""Standard deviations of the prior, beyond which half a percent of it lies on either side."""


def remarks(sweep: Sweep, posterior: Posterior | None) -> list[str]:
    """Say what is to be known beside a posterior.

    Args:
        sweep: The last.
        posterior: Given all sweeps so far, or None.

    Returns:
        Sentences, the graver first.
    """
    found = []
    if posterior is not None:
        column = [parameter.name for parameter in posterior.parameters].index("bridge")
        off = posterior.draws[:, column]
        if np.mean(np.abs(off) > BRIDGE) > _SURE:
            found.append(
                f"The bridge is off by about {np.median(off):.0f} MOhm: balance it, or give --bridge in a replay."
            )
        found += [
            f"{parameter.name} lies at the edge of its prior, so its value is a bound and no estimate."
            for parameter, u in zip(posterior.parameters, _medians(posterior), strict=True)
            if abs(u) > EDGE
        ]
    if sweep.junction.state == "unknown":
        found.append("The junction potential is unknown and taken as 0 mV.")
    if sweep.holding_source == "unknown":
        found.append("The amplifier's own holding current is unknown: E_leak is the effective one, at holding.")
    return found


def _medians(posterior: Posterior) -> list[float]:
    """Place each marginal's median in units of its prior's standard deviation."""
    medians = np.median(posterior.draws, axis=0)
    return [float(p.unconstrain(np.asarray(m))) for p, m in zip(posterior.parameters, medians, strict=True)]
