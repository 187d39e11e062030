"""This file is the scatter: a figure of each parameter against how much its posterior contracts, every one named."""

from __future__ import annotations

from collections.abc import Mapping

from rig_plugin.report.frame import Frame, label

__all__ = ["scatter"]

_LETTER, _ROW = 6.4, 13.0
_SIZE = (480.0, 260.0)


def scatter(
    contraction: Mapping[str, float], figure: Mapping[str, float], *, right: float, noise: float, name: str
) -> str:
    """Draw one point a parameter, its name above it.

    Args:
        contraction: By parameter; 1 is a posterior that has shrunk to nothing, 0 the prior.
        figure: By parameter.
        right: What the figure is for a calibrated posterior.
        noise: How far it strays from that by so many cells in 19 of 20 cases.
        name: Of the figure.

    Returns:
        An svg element.
    """
    least = min(0.0, *contraction.values()) if contraction else 0.0
    far = max([2.0 * noise, 0.02, *(abs(value - right) for value in figure.values())]) * 1.15
    x = (least - 0.03, 1.03)
    order = sorted(contraction, key=contraction.__getitem__)
    flat = Frame(x, (right - far, right + far), *_SIZE)
    rows = _rows([flat.at(contraction[one], right)[0] for one in order], order, _SIZE[0])
    frame = Frame(x, flat.y, *_SIZE, head=_ROW * (1 + max(rows, default=0)))
    drawn = [frame.box(x, (right - noise, right + noise), "band"), frame.level(right, "right")]
    names = []
    for one, row in zip(order, rows, strict=True):
        across, down = frame.at(contraction[one], figure[one])
        base, half = 10.0 + _ROW * (1 + row), _LETTER * len(one) / 2.0
        drawn.append(f'<line class="leader" x1="{across:g}" y1="{base + 3.0:g}" x2="{across:g}" y2="{down - 4.0:g}"/>')
        drawn.append(frame.dot(contraction[one], figure[one], "point", 3.5))
        names.append(label(min(max(across, half), _SIZE[0] - half), base, one, "middle", "name"))
    drawn += names
    shown = far / 1.15
    ticks = [(right + at, f"{right + at:.2f}".replace("-", "−")) for at in (-shown, 0.0, shown)]
    told = ", ".join(f"{one} {contraction[one]:.2f} and {figure[one]:.2f}" for one in order)
    return frame.drawing(
        drawn,
        f"{name} against contraction: {told}",
        across=([(0.0, "0"), (0.5, "0.5"), (1.0, "1")], "contraction: 0 is the prior, 1 is certainty"),
        up=(ticks, name),
    )


def _rows(places: list[float], names: list[str], width: float) -> list[int]:
    """Put each name, from left to right, into the first row where it does not touch the one before."""
    ends: list[float] = []
    rows = []
    for place, name in zip(places, names, strict=True):
        half = _LETTER * len(name) / 2.0
        left = min(max(place - half, 0.0), width - 2.0 * half)
        row = next((k for k, end in enumerate(ends) if end + 4.0 < left), len(ends))
        ends[row : row + 1] = [left + 2.0 * half]
        rows.append(row)
    return rows
