"""This file is the slices: the posterior's density along one parameter or two of them, while all others are held.

A marginal says how far a parameter may lie off; a slice says what another one has to do for the recording to stay
explained, which is where the degeneracy of a cell shows.

References:
    Goncalves et al. (2020), Training deep neural density estimators to identify mechanistic models of neural dynamics.
        eLife 9:e56261. https://doi.org/10.7554/eLife.56261
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["CELLS", "MOST", "POINTS", "LogDensity", "Slices", "SlicesError", "slices"]

MOST = 5
"""Parameters that can be chosen at once."""

POINTS = 64
"""Points along one parameter."""

CELLS = 24
"""Points along either parameter of a pair."""

_COARSE = {1: 16, 2: 8}
_FINE = {1: POINTS, 2: CELLS}
_LOWEST = -7.0
_REACH = 4.0
_AIR = 0.1
_LEAST = 1e-3
_EDGE = 1e-6
_TAIL = 3.167124183311986e-05  # What the normal distribution has below -4.

Array = npt.NDArray[np.float64]
LogDensity = Callable[[Array], Array]
"""Log density of unconstrained theta, shapes (n, p) to (n,)."""


class SlicesError(Refusal):
    """What was chosen can't be sliced; the message says why."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Conditional densities of k parameters and of their m = k (k - 1) / 2 pairs, others held at one point.

    Each density is over the parameter's own axis, on which the lower bound is 0 and the upper one 1, logarithmic where
    the prior is, and adds up to one there. Points are evenly spaced on that axis. Pairs stand in the order (0, 1),
    (0, 2), ..., (1, 2), ...

    Args:
        names: Of the parameters, k of them.
        reference: Where all others are held, the values of these k, shape (k,), each in its unit.
        values: Points along each parameter, shape (k, n), each in its unit.
        densities: There, shape (k, n).
        pair_values: Points along the first and the second of each pair, shape (m, 2, g), each in its unit.
        pair_densities: There, the first of the pair along the rows, shape (m, g, g).
        correlations: Of the pairs along these axes, others held, shape (m,).
    """

    names: tuple[str, ...]
    reference: Array
    values: Array
    densities: Array
    pair_values: Array
    pair_densities: Array
    correlations: Array

    def numbers(self) -> Array:
        """Lay all arrays out behind each other, for a stream of numbers.

        Returns:
            Shape (n,).
        """
        return np.concatenate([array.ravel() for array in self._arrays()])

    @classmethod
    def of(cls, names: Sequence[str], numbers: Array) -> Slices:
        """Read what `numbers` laid out.

        Args:
            names: Of the parameters.
            numbers: Shape (n,).

        Returns:
            The slices.

        Raises:
            SlicesError: If there are more or fewer than these parameters have.
        """
        k = len(names)
        m = k * (k - 1) // 2
        shapes = ((k,), (k, POINTS), (k, POINTS), (m, 2, CELLS), (m, CELLS, CELLS), (m,))
        sizes = [math.prod(shape) for shape in shapes]
        if numbers.shape != (sum(sizes),):
            raise SlicesError(f"Slices of {k} parameters have {sum(sizes)} numbers; {numbers.size} were given.")
        parts = np.split(numbers, np.cumsum(sizes)[:-1])
        return cls(tuple(names), *(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

    def _arrays(self) -> tuple[Array, ...]:
        return (
            self.reference, self.values, self.densities, self.pair_values, self.pair_densities, self.correlations,
        )  # fmt: skip


def slices(parameters: Sequence[Parameter], draws: Array, log_density: LogDensity, names: Sequence[str]) -> Slices:
    """Slice a posterior along the chosen parameters and their pairs.

    All others are held at the draw of the highest density among those that are given, where the density is that of
    unconstrained theta, in which every prior is the standard normal: in the parameters' own units a draw at a bound
    would win by rounding. A look over all that the draws reach finds where a slice has its mass, and what the draws'
    covariance says of that is added; there the grid is laid, so that a slice far thinner than its marginal is seen too.

    Args:
        parameters: All of theta, in order.
        draws: From the posterior, shape (s, p), each in its unit.
        log_density: The same posterior's, of unconstrained theta; up to a constant. Called three times.
        names: Of those that are sliced, one to `MOST`.

    Returns:
        The slices.

    Raises:
        SlicesError: If names are unknown, doubled, none or too many.
    """
    which = _chosen(parameters, names)
    u = np.stack([p.unconstrain(draws[:, k]) for k, p in enumerate(parameters)], axis=1)
    cut = _Cut(parameters, u[int(np.argmax(log_density(u)))], log_density)
    planes = [*((k,) for k in which), *combinations(which, 2)]
    rooms = {k: _room(_place(parameters[k], draws[:, k])) for k in which}
    wide = [np.array([rooms[k] for k in plane]) for plane in planes]
    covariance = np.atleast_2d(np.cov(u.T)) + 1e-9 * np.eye(len(parameters))
    precision = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    looked = cut.log_densities(planes, wide, _COARSE)
    near = [_box(cut, plane, room, seen, precision) for plane, room, seen in zip(planes, wide, looked, strict=True)]
    found = [_density(log, box) for log, box in zip(cut.log_densities(planes, near, _FINE), near, strict=True)]
    places = [_centres(box, _FINE[len(plane)]) for plane, box in zip(planes, near, strict=True)]
    values = [
        np.stack([_value(parameters[k], row) for k, row in zip(plane, rows, strict=True)])
        for plane, rows in zip(planes, places, strict=True)
    ]
    k = len(which)
    pairs = (len(planes) - k, CELLS)
    related = [_correlation(density, *rows) for density, rows in zip(found[k:], places[k:], strict=True)]
    return Slices(
        tuple(names),
        np.array([float(parameters[j].constrain(cut.reference[j])) for j in which]),
        np.concatenate(values[:k]),
        np.stack(found[:k]),
        np.array(values[k:]).reshape(pairs[0], 2, CELLS),
        np.array(found[k:]).reshape(*pairs, CELLS),
        np.array(related),
    )


class _Cut:
    """Planes through one point of unconstrained theta."""

    def __init__(self, parameters: Sequence[Parameter], reference: Array, log_density: LogDensity) -> None:
        self.parameters, self.reference, self._log_density = parameters, reference, log_density

    def log_densities(
        self, planes: Sequence[tuple[int, ...]], boxes: Sequence[Array], sizes: dict[int, int]
    ) -> list[Array]:
        """Evaluate the log density over the axes on a grid in each box, all of them in one call."""
        points, slopes, shapes = [], [], []
        for plane, box in zip(planes, boxes, strict=True):
            rows = _centres(box, sizes[len(plane)])
            columns = [
                self.parameters[k].unconstrain(_value(self.parameters[k], row))
                for k, row in zip(plane, rows, strict=True)
            ]
            grid = np.meshgrid(*columns, indexing="ij")
            some = np.tile(self.reference, (grid[0].size, 1))
            for k, column in zip(plane, grid, strict=True):
                some[:, k] = column.ravel()
            points.append(some)
            slopes.append(sum(_log_slope(self.parameters[k], some[:, k]) for k in plane))
            shapes.append(grid[0].shape)
        flat = self._log_density(np.concatenate(points)) - np.concatenate(slopes)
        # What can't be evaluated is nowhere near the mass.
        flat = np.where(np.isfinite(flat), flat, -1e9)
        parts = np.split(flat, np.cumsum([len(some) for some in points])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _chosen(parameters: Sequence[Parameter], names: Sequence[str]) -> list[int]:
    """Find the chosen ones among all."""
    known = [parameter.name for parameter in parameters]
    strange = [name for name in names if name not in known]
    if strange:
        raise SlicesError(f"There is no parameter {strange[0]}; some of {', '.join(known)} were wanted.")
    if len(set(names)) != len(names) or not 1 <= len(names) <= MOST:
        raise SlicesError(f"Slices of {', '.join(names) or 'nothing'} were asked for; 1 to {MOST} names were wanted.")
    return [known.index(name) for name in names]


def _box(cut: _Cut, plane: tuple[int, ...], room: Array, seen: Array, precision: Array) -> Array:
    """Choose where the fine grid lies: what the coarse one saw, and what a normal posterior would take besides."""
    spread = np.sqrt(np.diag(np.linalg.inv(precision[np.ix_(plane, plane)])))
    kept = seen > seen.max() + _LOWEST
    box = np.empty_like(room)
    for axis, k in enumerate(plane):
        parameter, middle = cut.parameters[k], cut.reference[k]
        ends = np.clip(middle + _REACH * spread[axis] * np.array([-1.0, 1.0]), -8.0, 8.0)
        low, high = _place(parameter, parameter.constrain(ends))
        there = np.flatnonzero(kept.any(axis=tuple(other for other in range(seen.ndim) if other != axis)))
        width = (room[axis, 1] - room[axis, 0]) / seen.shape[axis]
        low = min(low, room[axis, 0] + there[0] * width)
        high = max(high, room[axis, 0] + (there[-1] + 1) * width)
        box[axis] = max(low, room[axis, 0]), min(high, room[axis, 1])
    return box


def _room(places: Array) -> tuple[float, float]:
    """Choose the part of an axis that draws reach, with some air."""
    low, high = float(places.min()), float(places.max())
    air = max(_AIR * (high - low), _LEAST)
    return max(low - air, 0.0), min(high + air, 1.0)


def _density(log: Array, box: Array) -> Array:
    """Let a density add up to one."""
    density = np.exp(log - log.max())
    return np.asarray(density / (density.mean() * np.prod(box[:, 1] - box[:, 0])))


def _correlation(density: Array, first: Array, second: Array) -> float:
    """Correlate the two axes of a density."""
    weights = density / density.sum()
    x = first - weights.sum(axis=1) @ first
    y = second - weights.sum(axis=0) @ second
    scale = (weights.sum(axis=1) @ x**2) * (weights.sum(axis=0) @ y**2)
    return float(x @ weights @ y / math.sqrt(scale)) if scale > 0 else 0.0


def _centres(box: Array, count: int) -> Array:
    """Lay points evenly into a box, shape (d, count)."""
    steps = (np.arange(count) + 0.5) / count
    return np.asarray(box[:, :1] + (box[:, 1:] - box[:, :1]) * steps)


def _place(parameter: Parameter, values: Array) -> Array:
    """Place values on the parameter's axis."""
    if parameter.scale == "log":
        return np.asarray(np.log(values / parameter.low) / math.log(parameter.high / parameter.low))
    return np.asarray((values - parameter.low) / (parameter.high - parameter.low))


def _value(parameter: Parameter, places: Array) -> Array:
    """Read values off the parameter's axis."""
    if parameter.scale == "log":
        return np.asarray(parameter.low * (parameter.high / parameter.low) ** places)
    return np.asarray(parameter.low + (parameter.high - parameter.low) * places)


def _log_slope(parameter: Parameter, u: Array) -> Array:
    """Give the logarithm of how fast the place on the axis grows with the unconstrained number."""
    normal = -0.5 * (u**2 + math.log(2.0 * math.pi))
    if parameter.scale != "normal":
        return np.asarray(normal)
    # Who only names slices, such as a window that is being opened, waits for no library.
    from scipy.special import ndtr, ndtri

    z = ndtri(_TAIL + (1.0 - 2.0 * _TAIL) * np.clip(ndtr(u), _EDGE, 1.0 - _EDGE))
    return np.asarray(normal + 0.5 * (z**2 + math.log(2.0 * math.pi)) + math.log((1.0 - 2.0 * _TAIL) / 8.0))
