"""This file is the coverage plot: how far intervals of each level are from what they promise, pooled and in strata."""

from __future__ import annotations

from collections.abc import Mapping

from estimators.aims import LEVELS, POOLED, STRATUM
from rig_plugin.report.frame import Frame, label

__all__ = ["coverage_plot"]

_LEAST = 0.05


def coverage_plot(pooled: Mapping[str, float], strata: Mapping[str, Mapping[str, float | None]], name: str) -> str:
    """Draw coverage less level against the level: all cells heavily, each stratum as a thin line.

    Args:
        pooled: {level: share}.
        strata: The same by the stratum's name, None where it has no cells.
        name: Of the parameter.

    Returns:
        An svg element; the stratum that is farthest off is named in it.
    """
    lines = {stratum: _off(shares) for stratum, shares in strata.items()}
    lines = {stratum: points for stratum, points in lines.items() if points}
    far = max((abs(y) for points in (_off(pooled), *lines.values()) for _, y in points), default=0.0)
    top = max(_LEAST, 1.3 * far)
    frame = Frame((0.46, 0.99), (-top, top))
    drawn = [frame.box(frame.x, (-POOLED, POOLED), "band"), frame.level(0.0, "right")]
    drawn += [frame.level(side * STRATUM, "aim") for side in (-1.0, 1.0)]
    drawn += [frame.curve(points, "thin") for points in lines.values()]
    drawn += [frame.curve(_off(pooled), "curve"), *(frame.dot(x, y, "point") for x, y in _off(pooled))]
    if lines:
        stratum, (x, y) = max(
            ((stratum, point) for stratum, points in lines.items() for point in points), key=lambda row: abs(row[1][1])
        )
        across, down = frame.at(x, y)
        drawn.append(label(across, down + (-4.0 if y > 0 else 11.0), stratum, "start" if x < 0.7 else "end", "name"))
    levels = [(level, text) for text, level in LEVELS.items()]
    ticks = [(side * STRATUM, f"{'−' if side < 0 else '+'}{100 * STRATUM:g}") for side in (-1.0, 1.0)]
    title = f"{name}: coverage less level [points], pooled {', '.join(f'{100 * y:+.1f}' for _, y in _off(pooled))}"
    return frame.drawing(
        drawn,
        title,
        across=(levels, "level of the central interval [%]"),
        up=([*ticks, (0.0, "0")], "coverage less level [points]"),
    )


def _off(shares: Mapping[str, float | None]) -> list[tuple[float, float]]:
    return [(LEVELS[level], share - LEVELS[level]) for level, share in shares.items() if share is not None]
