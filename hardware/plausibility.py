"""This file is plausibility: whether numbers that claim to be a cell's can be one's at all.

A silent wrong scale is worse than no answer, so what no neuron and no amplifier does is refused with its values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["current_problem", "voltage_problem"]

_HIGHEST_VOLTAGE = 200.0
_LOWEST_VOLTAGE = 1.0
_HIGHEST_CURRENT = 20_000.0
_LOWEST_CURRENT = 0.01


def voltage_problem(response: npt.NDArray[np.float64], name: str) -> str | None:
    """Say why a trace can't be a membrane potential.

    Args:
        response: Shape (n,) [mV].
        name: What the file calls the trace.

    Returns:
        One sentence with the remedy, or None where it can be one.
    """
    if not np.isfinite(response).all():
        return f"'{name}' has samples that are not numbers: export the file again, without gaps."
    low, high = float(response.min()), float(response.max())
    if max(-low, high) > _HIGHEST_VOLTAGE:
        return (
            f"'{name}' spans [{low:.4g}, {high:.4g}] mV, beyond the +-{_HIGHEST_VOLTAGE:g} mV that a cell can have: "
            "its unit or scale is wrong; correct the gain in the file."
        )
    if max(-low, high) < _LOWEST_VOLTAGE:
        return (
            f"'{name}' never leaves +-{_LOWEST_VOLTAGE:g} mV ([{low:.4g}, {high:.4g}] mV): "
            "there is no cell in it or its scale is wrong; correct the gain or the channel in the file."
        )
    return None


def current_problem(command: npt.NDArray[np.float64], name: str) -> str | None:
    """Say why a trace can't be a current that an amplifier injected.

    Args:
        command: Shape (n,) [pA].
        name: What the file calls the trace.

    Returns:
        One sentence with the remedy, or None where it can be one.
    """
    if not np.isfinite(command).all():
        return f"Current '{name}' is not known for every sample: record the current, or store the protocol in the file."
    extreme = float(np.abs(command).max())
    if extreme > _HIGHEST_CURRENT:
        return (
            f"Current '{name}' reaches {extreme:.4g} pA, beyond the {_HIGHEST_CURRENT:g} pA that an amplifier injects: "
            "its unit or scale is wrong; correct the gain in the file."
        )
    if 0 < extreme < _LOWEST_CURRENT:
        return (
            f"Current '{name}' never exceeds {extreme:.2g} pA, less than any amplifier resolves: "
            "its unit or scale is wrong; correct the gain in the file."
        )
    return None
