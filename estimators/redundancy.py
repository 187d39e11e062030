"""This file is the redundancy: features that other features of the same sweep determine, and so tell nothing new.

Two spikes have one interval, which is at once the first and the last; a density of both would be infinite. What is
determined is hidden from a density, and filled in where a sweep was drawn.
"""

from __future__ import annotations

import torch
from torch import Tensor

from estimators.context import CONTEXT
from estimators.features import NAMES

__all__ = ["determined", "fill_in", "told_by"]

_AMPLITUDE = CONTEXT.index("amplitude")
_COUNT = NAMES.index("spike_count")
_CHANGES = tuple(
    (NAMES.index(f"{name}_change"), NAMES.index(f"later_{name}"), NAMES.index(name))
    for name in ("threshold", "peak", "half_width", "trough")
)
_RESISTANCE, _STEADY, _SAG = (NAMES.index(name) for name in ("input_resistance", "steady_deflection", "sag"))
_INTERVALS = tuple(NAMES.index(name) for name in ("first_isi", "second_isi", "last_isi"))
_CV, _ADAPTATION = NAMES.index("isi_cv"), NAMES.index("adaptation")
_SMALLEST_STEP = 5.0
_SAME = 1e-3


def told_by(count: Tensor) -> Tensor:
    """Tell which features others determine in a sweep with so many spikes, whatever their values.

    Args:
        count: Spikes in the step, shape (...).

    Returns:
        Shape (..., f), bool.
    """
    told = torch.zeros(*count.shape, len(NAMES), dtype=torch.bool)
    told[..., _RESISTANCE] = True
    told[..., _INTERVALS[2]] = (count == 2) | (count == 3)
    told[..., _CV] = told[..., _ADAPTATION] = (count == 3) | (count == 4)
    told[..., [change for change, _, _ in _CHANGES]] = (count == 2)[..., None]
    return told


def determined(features: Tensor) -> Tensor:
    """Tell which features others determine.

    Args:
        features: Shape (..., f), NaN where missing.

    Returns:
        The same shape, bool.
    """
    count = features[..., _COUNT]
    told = told_by(count)
    for change, later, first in _CHANGES:
        # Where the last spike was cut off, the later one of three is the only one.
        same = torch.abs(features[..., change] - (features[..., later] - features[..., first])) < _SAME
        told[..., change] |= (count == 3) & same
    return told


def fill_in(features: Tensor, context: Tensor) -> Tensor:
    """Make what is determined of what determines it.

    Args:
        features: Shape (n, f), NaN where missing.
        context: Shape (n, c).

    Returns:
        Features, shape (n, f).
    """
    full = features.clone()
    amplitude, count = context[:, _AMPLITUDE], features[:, _COUNT]
    nothing = torch.full_like(count, torch.nan)
    silent = torch.isfinite(features[:, _SAG]) & (amplitude.abs() >= _SMALLEST_STEP)
    full[:, _RESISTANCE] = torch.where(silent, 1e3 * features[:, _STEADY] / amplitude, nothing)
    first, second, last = (features[:, k] for k in _INTERVALS)
    last = torch.where(count == 2, first, torch.where(count == 3, second, last))
    full[:, _INTERVALS[2]] = last
    for size in (3, 4):
        intervals = torch.stack([first, second, last][: size - 1], dim=1)
        cv = intervals.std(dim=1, unbiased=False) / intervals.mean(dim=1)
        change = (intervals.diff(dim=1) / (intervals[:, 1:] + intervals[:, :-1])).mean(dim=1)
        full[:, _CV] = torch.where(count == size, cv, full[:, _CV])
        full[:, _ADAPTATION] = torch.where(count == size, change, full[:, _ADAPTATION])
    for column, later, first_spike in _CHANGES:
        difference = features[:, later] - features[:, first_spike]
        full[:, column] = torch.where(count == 2, difference, full[:, column])
    return full
