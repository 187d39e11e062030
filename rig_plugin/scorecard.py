"""This file is the scorecard: what a network's own calibration says of each parameter, as far as it was checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from estimators.aims import DEVIATION, LEVELS, POOLED

__all__ = ["Score", "scores"]

_MISSING = math.nan


@dataclass(frozen=True)
class Score:
    """One parameter's; what was not checked is NaN or empty.

    Args:
        name: Of the parameter.
        coverage: {level [%]: share of fresh cells whose truth lay inside that central interval [%]}.
        ranks: Deviation of the ranks' distribution from uniform at equal steps of the rank [%].
        deviation: Its largest size [%].
        contraction: 1 less posterior over prior variance, mean over cells.
        z_mean: Mean z-score of the truth in its posterior; off 0 is a bias.
        z_sd: Standard deviation of the z-scores; above 1 is too sure.
    """

    name: str
    coverage: Mapping[float, float]
    ranks: tuple[float, ...] = ()
    deviation: float = _MISSING
    contraction: float = _MISSING
    z_mean: float = _MISSING
    z_sd: float = _MISSING

    @property
    def misses(self) -> bool:
        """Whether a coverage or the ranks are farther off than the aim; NaN misses nothing."""
        return self.deviation > 100.0 * DEVIATION or any(map(self.is_off, self.coverage))

    def is_off(self, level: float) -> bool:
        """Tell whether a coverage is farther off than the aim.

        Args:
            level: One of the levels [%].

        Returns:
            Whether it is.
        """
        return abs(self.coverage[level] - level) > 100.0 * POOLED


def scores(found: object) -> tuple[Score, ...]:
    """Read what a checkpoint holds; a file of somebody else's may hold anything, and what can't be read is left out.

    Args:
        found: As `estimators.calibration.assess` gave it when the network was made.

    Returns:
        One for each parameter that anything is known of, in the checkpoint's order.
    """
    told = {key: _table(found, key) for key in ("coverage", "rank_counts", "sbc_deviation", "contraction")}
    told |= {key: _table(found, key) for key in ("z_mean", "z_sd")}
    names = list(dict.fromkeys(name for table in told.values() for name in table))
    return tuple(
        Score(
            name,
            _coverage(told["coverage"].get(name)),
            _ranks(told["rank_counts"].get(name)),
            100.0 * _number(told["sbc_deviation"].get(name)),
            *(_number(told[key].get(name)) for key in ("contraction", "z_mean", "z_sd")),
        )
        for name in names
    )


def _table(found: object, key: str) -> Mapping[str, Any]:
    table = found.get(key) if isinstance(found, Mapping) else None
    return table if isinstance(table, Mapping) else {}


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _MISSING
    try:
        return float(value) if math.isfinite(value) else _MISSING
    except OverflowError:
        return _MISSING


def _coverage(told: object) -> dict[float, float]:
    if not isinstance(told, Mapping):
        return {}
    shares = {100.0 * level: 100.0 * _number(told.get(label)) for label, level in LEVELS.items()}
    return {level: share for level, share in shares.items() if math.isfinite(share)}


def _ranks(told: object) -> tuple[float, ...]:
    counts = [_number(count) for count in told] if isinstance(told, list) else []
    whole = math.fsum(counts)
    if not whole > 0:
        return ()
    return tuple(100.0 * (below / whole - (k + 1) / len(counts)) for k, below in enumerate(accumulate(counts)))
