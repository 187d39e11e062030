"""This file is the aims: how well calibrated a network has to be, and which of them it misses, by how much.

A share of n cells strays by itself, with a standard error of sqrt(level (1 - level) / n), and the distribution of n
uniform ranks lies at most sqrt(log(2 / .05) / (2 n)) off the diagonal in 19 of 20 cases. Figures are judged as they
are, and each miss says whether so many cells alone could make it.

References:
    Massart (1990), The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality. Ann. Probab. 18, 1269-1283.
    https://doi.org/10.1214/aop/1176990746
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from scipy import stats

__all__ = ["DEVIATION", "LEVELS", "POOLED", "STRATUM", "missed", "missed_by_chance", "stray", "verdict"]

LEVELS = {"50": 0.5, "80": 0.8, "90": 0.9, "95": 0.95}
"""Central intervals."""

POOLED, STRATUM = 0.02, 0.03
"""How far a coverage may be from its level, over all cells and in a stratum."""

DEVIATION = 0.03
"""How far the distribution of ranks may be from uniform."""

_SURE, _TAIL = 1.96, 0.025
_ROUNDING = 1e-9


def stray(cells: int) -> float:
    """Tell how far the distribution of uniform ranks is off at most, in 19 of 20 cases.

    Args:
        cells: How many ranks.

    Returns:
        The band's half-width.

    Example:
        >>> round(stray(5000), 4)
        0.0192
    """
    return math.sqrt(math.log(2.0 / 0.05) / (2.0 * cells))


def missed(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the aims that a calibration misses, the farthest beyond its aim first.

    In a stratum of a thousand cells, uniform ranks are themselves more than .03 off one time in three; so a deviation
    is listed where it is more than its aim and more than uniform ranks stray by.

    Args:
        found: What `estimators.calibration.assess` gives.

    Returns:
        For each: "figure" ("coverage" or "sbc_deviation"), "stratum", "parameter", "level" (of a coverage, else
        None), "value", "off" (from what it should be), "aim", "cells", "standard_error" (of a coverage, else None),
        "noise" (what so many cells stray by in 19 of 20 cases), and "beyond_noise": whether it is off by more than
        aim and noise together; of a coverage, whether a share that is off by just its aim would come out so in fewer
        than 1 of 40 cases.
    """
    rows = [row for row in _figures(found) if abs(row["off"]) > _bar(row)]
    return sorted(rows, key=lambda row: row["aim"] - abs(row["off"]))


def missed_by_chance(found: Mapping[str, Any]) -> float:
    """Tell how many figures a network that is perfectly calibrated would have on that list.

    Args:
        found: As `missed`.

    Returns:
        The expected number for as many cells: counts are binomial, and ranks stray by Kolmogorov's law.
    """
    return math.fsum(
        _outside(LEVELS[row["level"]], row["aim"], row["cells"])
        if row["level"]
        else min(1.0, 2.0 * math.exp(-2.0 * row["cells"] * _bar(row) ** 2))
        for row in _figures(found)
    )


@lru_cache
def _outside(level: float, aim: float, cells: int) -> float:
    """Tell how often a share of so many cells is farther from its level than the aim."""
    least, most = math.ceil(cells * (level - aim) - _ROUNDING), math.floor(cells * (level + aim) + _ROUNDING)
    return float(stats.binom.cdf(least - 1, cells, level) + stats.binom.sf(most, cells, level))


def _is_sure(share: float, level: float, aim: float, cells: int) -> bool:
    """Tell whether a share can hardly be of cells that are off by the aim and no more."""
    count = round(share * cells)
    if share < level:
        return float(stats.binom.cdf(count, cells, level - aim)) < _TAIL
    return level + aim < 1.0 and float(stats.binom.sf(count - 1, cells, level + aim)) < _TAIL


def _bar(row: Mapping[str, Any]) -> float:
    """Tell from where on a figure is listed."""
    return float(row["aim"] if row["figure"] == "coverage" else max(row["aim"], row["noise"]))


def _figures(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Judge every figure, missed or not."""
    yield from _coverages(found)
    yield from _deviations(found)


def _coverages(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    strata = {"pooled": found["coverage"]}
    for key in ("coverage_by_sweeps", "coverage_by_firing", "coverage_by_design"):
        strata |= found.get(key, {})
    for stratum, table in strata.items():
        cells, aim = _cells(found, stratum), POOLED if stratum == "pooled" else STRATUM
        for parameter, shares in table.items():
            for level, share in shares.items():
                if share is not None:
                    error = math.sqrt(LEVELS[level] * (1.0 - LEVELS[level]) / cells)
                    row = {"figure": "coverage", "stratum": stratum, "parameter": parameter, "level": level}
                    judged = _judged(share, share - LEVELS[level], aim, cells, error, _SURE * error)
                    yield row | judged | {"beyond_noise": _is_sure(share, LEVELS[level], aim, cells)}


def _deviations(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for stratum, table in ({"pooled": found["sbc_deviation"]} | found.get("sbc_deviation_by_stratum", {})).items():
        cells = _cells(found, stratum)
        for parameter, value in table.items():
            if value is None:
                continue
            row = {"figure": "sbc_deviation", "stratum": stratum, "parameter": parameter, "level": None}
            yield row | _judged(value, value, DEVIATION, cells, None, stray(cells))


def _cells(found: Mapping[str, Any], stratum: str) -> int:
    return int(found["n"] if stratum == "pooled" else found["cells"][stratum])


def _judged(value: float, off: float, aim: float, cells: int, error: float | None, noise: float) -> dict[str, Any]:
    return {
        "value": value,
        "off": off,
        "aim": aim,
        "cells": cells,
        "standard_error": error,
        "noise": noise,
        "beyond_noise": abs(off) > aim + noise,
    }


def verdict(found: Mapping[str, Any]) -> str:
    """Say in plain words whether the intervals hold what they promise.

    Args:
        found: With "missed" and "missed_by_chance".

    Returns:
        Two to four sentences.
    """
    cells, misses = found["n"], found["missed"]
    sure = [row for row in misses if row["beyond_noise"]]
    if sure:
        where = sorted({row["stratum"] for row in sure}, key=lambda stratum: (stratum != "pooled", stratum))
        said = (
            f"Not every interval holds what it promises: "
            f"{', '.join(sorted({row['parameter'] for row in sure}))} miss an aim by more than sampling noise "
            f"({', '.join('all cells' if name == 'pooled' else name for name in where)})."
        )
    elif _SURE * 0.5 / math.sqrt(cells) > POOLED:
        said = f"So few fresh cells ({cells}) can't tell whether a coverage is within {100 * POOLED:g} points."
    elif any(row["stratum"] == "pooled" for row in misses):
        said = f"Over all {cells} fresh cells some intervals miss what they promise, by no more than sampling noise."
    else:
        said = f"Over all {cells} fresh cells every interval holds what it promises."
    chance = f"a perfectly calibrated network would miss about {found['missed_by_chance']:.0f} by chance"
    if not misses:
        return f"{said} No figure misses its aim in any stratum, where {chance}.{_where_chosen(found)}"
    many = "1 figure misses its aim" if len(misses) == 1 else f"{len(misses)} figures miss their aims"
    told = f"{said} In all, {many}, {len(sure) or 'none'} of them by more than sampling noise; {chance}."
    return f"{told}{_where_chosen(found)}"


def _where_chosen(found: Mapping[str, Any]) -> str:
    """Say how it is where the network itself chooses: there its errors are sought out."""
    cells = found["cells"].get("gain", 0)
    if not cells:
        return ""
    shares = {name: shares["90"] for name, shares in found["coverage_by_design"]["gain"].items()}
    worst = max(shares, key=lambda name: abs(shares[name] - LEVELS["90"]))
    return (
        f" Where the network chose the steps by the information it expected of them ({cells} cells), the 90 % interval "
        f"of {worst} is farthest from its level and holds {100 * shares[worst]:.1f} %."
    )
