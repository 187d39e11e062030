"""This file is the groups: the catalogue's features, put together by what of a neuron they look at.

Each feature is in one group. To hide a group is to make its features missing; who hides says so beside, since a
missing feature tells something too: a sweep without a threshold was silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from estimators.features import NAMES

__all__ = ["GROUPS", "columns_of", "membership"]

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rest": ("rest", "spikes_before"),
        "noise": ("rest_noise", "rest_noise_fast", "rest_slope"),
        "jump": ("onset_jump", "end_jump"),
        "charging": (
            "onset_slope",
            "deflection_1_ms",
            "deflection_3_ms",
            "deflection_10_ms",
            "charging_time",
            "end_slope",
        ),
        "passive": ("deflection_30_ms", "deflection_100_ms", "steady_deflection", "input_resistance"),
        "sag": ("sag",),
        "firing": ("spike_count", "latency", "first_isi"),
        "adaptation": ("late_count", "second_isi", "last_isi", "isi_cv", "adaptation"),
        "first_spike": ("threshold", "peak", "upstroke", "downstroke", "half_width"),
        "later_spikes": (
            "later_threshold",
            "later_peak",
            "later_upstroke",
            "later_half_width",
            "threshold_change",
            "peak_change",
            "half_width_change",
        ),
        "trough": ("trough", "trough_delay", "later_trough", "trough_change"),
        "after": ("after_30_ms", "after_100_ms", "after_250_ms", "rebound", "rebound_spikes"),
        "moments": ("mean_voltage", "voltage_sd", "voltage_skewness", "voltage_kurtosis"),
    }
)
"""Names of the features of each group: the jump is the electrode's; after a step comes its decay, and after a train the
hyperpolarization, which the feature "rebound" measures as well as a rebound from below."""


def columns_of(groups: Iterable[str]) -> list[int]:
    """Find the columns of groups in a table of features.

    Args:
        groups: Names of `GROUPS`.

    Returns:
        Indices, ascending.

    Example:
        >>> columns_of(["jump", "rest"])
        [0, 4, 5, 46]
    """
    return sorted(NAMES.index(name) for group in groups for name in GROUPS[group])


def membership() -> npt.NDArray[np.bool_]:
    """Lay out which feature is in which group.

    Returns:
        Shape (groups, f); one is true in each column.
    """
    table = np.zeros((len(GROUPS), len(NAMES)), dtype=np.bool_)
    for row, group in enumerate(GROUPS):
        table[row, columns_of([group])] = True
    return table
