"""This file is the frame: an SVG drawing with two axes, written as text, that curves and marks are put into.

Colours are left to the page's sheet, by class; what is a band, a curve or an aim is told by form as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Frame", "label"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 8.0, 18.0, 32.0
_TICK = 3.0


@dataclass(frozen=True)
class Frame:
    """Axes and where a pair of numbers lies between them.

    Args:
        x: Left and right end of the horizontal axis.
        y: Lower and upper end of the vertical axis.
        width: Of the drawing [px].
        height: Of the drawing [px].
        head: Room above the upper end, for labels [px].
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float = 300.0
    height: float = 180.0
    head: float = 0.0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Place a pair of numbers.

        Args:
            x: On the horizontal axis.
            y: On the vertical axis.

        Returns:
            Where it lies, from the upper left corner [px].

        Example:
            >>> Frame((0.0, 1.0), (0.0, 1.0)).at(1.0, 1.0)
            (292.0, 18.0)
        """
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        top = _TOP + self.head
        return (
            round(_LEFT + across * (self.width - _LEFT - _RIGHT), 2),
            round(self.height - _BOTTOM - up * (self.height - _BOTTOM - top), 2),
        )

    def curve(self, points: Iterable[tuple[float, float]], kind: str) -> str:
        """Draw a line through points.

        Args:
            points: Pairs of numbers.
            kind: Class of the sheet.

        Returns:
            The element.
        """
        places = " ".join(f"{x:g},{y:g}" for x, y in (self.at(*point) for point in points))
        return f'<polyline class="{kind}" points="{places}"/>'

    def level(self, y: float, kind: str) -> str:
        """Draw a line across.

        Args:
            y: At which height.
            kind: Class of the sheet.

        Returns:
            The element.
        """
        return self.curve([(self.x[0], y), (self.x[1], y)], kind)

    def box(self, x: tuple[float, float], y: tuple[float, float], kind: str) -> str:
        """Fill a rectangle, as far as it lies in the frame.

        Args:
            x: Left and right end.
            y: Lower and upper end.
            kind: Class of the sheet.

        Returns:
            The element.
        """
        left, low = self.at(max(x[0], self.x[0]), max(y[0], self.y[0]))
        right, high = self.at(min(x[1], self.x[1]), min(y[1], self.y[1]))
        return (
            f'<rect class="{kind}" x="{left:g}" y="{high:g}" width="{max(right - left, 0.0):g}" '
            f'height="{max(low - high, 0.0):g}"/>'
        )

    def dot(self, x: float, y: float, kind: str, radius: float = 2.5) -> str:
        """Draw a point.

        Args:
            x: Where.
            y: Where.
            kind: Class of the sheet.
            radius: Of the point [px].

        Returns:
            The element.
        """
        across, down = self.at(x, y)
        return f'<circle class="{kind}" cx="{across:g}" cy="{down:g}" r="{radius:g}"/>'

    def drawing(
        self,
        parts: Iterable[str],
        title: str,
        *,
        across: tuple[Sequence[tuple[float, str]], str],
        up: tuple[Sequence[tuple[float, str]], str],
    ) -> str:
        """Put parts into the frame.

        Args:
            parts: Elements, the hindmost first.
            title: What is shown, for who can't see it.
            across: Ticks of the horizontal axis, each a number and its text, and the axis' name.
            up: The same of the vertical axis; its name stands above it.

        Returns:
            One svg element.
        """
        (left, bottom), (right, _) = self.at(self.x[0], self.y[0]), self.at(self.x[1], self.y[0])
        drawn = [f'<line class="axis" x1="{left:g}" y1="{bottom:g}" x2="{right:g}" y2="{bottom:g}"/>']
        for number, text in across[0]:
            x, _ = self.at(number, self.y[0])
            drawn.append(f'<line class="axis" x1="{x:g}" y1="{bottom:g}" x2="{x:g}" y2="{bottom + _TICK:g}"/>')
            drawn.append(label(x, bottom + 13.0, text, "middle"))
        for number, text in up[0]:
            _, y = self.at(self.x[0], number)
            drawn.append(f'<line class="axis" x1="{left - _TICK:g}" y1="{y:g}" x2="{left:g}" y2="{y:g}"/>')
            drawn.append(label(left - 5.0, y + 3.5, text, "end"))
        drawn += [label((left + right) / 2.0, self.height - 3.0, across[1], "middle"), label(2.0, 10.0, up[1])]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join([*parts, *drawn])}</svg>'
        )


def label(x: float, y: float, text: str, anchor: str = "start", kind: str = "label") -> str:
    """Write a word.

    Args:
        x: Where [px].
        y: Its base line [px].
        text: The word.
        anchor: Which end of it is there: "start", "middle" or "end".
        kind: Class of the sheet.

    Returns:
        The element.
    """
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
