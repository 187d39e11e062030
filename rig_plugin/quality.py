"""This file is the quality: the named rules of a good recording, as far as one sweep and its posterior can tell.

A sweep without a living cell is refused before a network sees it: cells that were driven far up are among those of
training, so no distance from them tells a pipette in the bath. The other rules warn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hardware.rig import ARBITRARY, Gain
from rig_plugin.trial import Posterior
from simulators.sweep import Sweep

__all__ = ["BRIDGE", "DEAD", "EDGE", "REST", "no_cell", "no_scale", "no_voltage", "warnings_of"]

_MEMBRANE = 150.0
_NOISE = 0.5
_HEIGHT = 40.0
_SURE = 0.95

DEAD, REST = -30.0, -50.0
"""Voltages at rest above which there is no living cell, and above which it may be dying [mV]."""

BRIDGE = 10.0
"""Largest series resistance, either way, that the bridge may leave [MOhm]."""

EDGE = 2.6
"""Standard deviations of the prior, beyond which half a percent of it lies on either side."""


def no_voltage(response: npt.NDArray[np.float64]) -> str | None:
    """Say why a response can't be a membrane's voltage.

    Args:
        response: The whole sweep, corrected, shape (n,) [mV].

    Returns:
        A sentence, or None where it can.
    """
    if not np.isfinite(response).all():
        return "The voltage is not finite: samples are missing, record the sweep again."
    extreme = float(response[np.argmax(np.abs(response))])
    if abs(extreme) > _MEMBRANE:
        return f"The voltage reaches {extreme:.0f} mV, which no membrane does: check gain and units."
    return None


def no_scale(gains: Mapping[str, Gain]) -> str | None:
    """Say why a response has no scale, without which nothing can be inferred from it.

    Args:
        gains: Of the rig.

    Returns:
        A sentence, or None where the scale is known.
    """
    if "response" in gains and gains["response"].source == ARBITRARY:
        return (
            "The scale of the response is arbitrary, so it is no voltage: calibrate the rig and enter what one code of "
            "its converter is."
        )
    return None


def no_cell(rest: float) -> str | None:
    """Say why there is no living cell.

    Args:
        rest: Voltage before the step [mV].

    Returns:
        A sentence, or None where nothing speaks against a cell.
    """
    if rest > DEAD:
        return f"The rest is {rest:.1f} mV, above {DEAD:g} mV: there is no cell, or a dead one."
    return None


def warnings_of(sweep: Sweep, features: Mapping[str, float], posterior: Posterior | None) -> list[str]:
    """Say what is doubtful about a sweep.

    Args:
        sweep: The sweep.
        features: Its features.
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
    if features["rest"] > REST:
        found.append(f"The rest is {features['rest']:.1f} mV, above {REST:g} mV: the cell may be dying.")
    height = features["peak"] - features["threshold"]
    if height < _HEIGHT:
        found.append(f"The first spike is {height:.0f} mV high, less than {_HEIGHT:g} mV.")
    if features["rest_noise"] > _NOISE:
        found.append(f"The baseline noise is {features['rest_noise']:.2f} mV, above {_NOISE:g} mV.")
    if sweep.junction.state == "unknown":
        found.append("The junction potential is unknown and taken as 0 mV.")
    if sweep.holding_source == "unknown":
        found.append("The amplifier's own holding current is unknown: E_leak is the effective one, at holding.")
    return found


def _medians(posterior: Posterior) -> list[float]:
    """Place each marginal's median in units of its prior's standard deviation."""
    medians = np.median(posterior.draws, axis=0)
    return [float(p.unconstrain(np.asarray(m))) for p, m in zip(posterior.parameters, medians, strict=True)]
