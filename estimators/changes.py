"""This file is the changes: what becomes of some cells within minutes, beside the slow walk that all of them make.

Conductances run down, a drug washes in or out, a seal or an access gives way. A network is asked after every sweep for
theta at that one, and is trained on parts of sets that end anywhere: so theta has to be a draw of the prior at every
sweep, whatever happened before. It is, because a change turns one standard normal number into another that is
independent of it: cos(angle) x + sin(angle) y has the same distribution at any angle, and the angle grows with time
without a look at either. So as many cells gain as lose, and a course that turns round does so where it is slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NONE", "Changes", "changed"]

Array = npt.NDArray[np.float64]

_LEAK = ("g_leak", "R_in")
_WASHED = ("E_leak", "V_T", "rate_factor", *_LEAK)
_JUMPING = ("bridge", "offset", "E_leak", *_LEAK)
_MOST_RUN_DOWN, _MOST_JUMP = 3, 2


@dataclass(frozen=True)
class Changes:
    """How often parameters change within minutes, in which time and by how much; each kind comes of its own accord.

    Args:
        rundown: Share of cells of whose voltage-gated conductances one to three go elsewhere, each at its own pace,
            fast at first.
        wash: Share of cells in which one parameter of the membrane goes elsewhere along a sigmoid.
        jump: Share of cells in which one or two of bridge, offset and leak are others from one sweep to the next.
        lasting: Time in which nine tenths of a rundown or a wash happen, log-uniform [s].
        size: Root mean square of a whole change in standard deviations of the prior, log-uniform.
    """

    rundown: float = 0.0
    wash: float = 0.0
    jump: float = 0.0
    lasting: tuple[float, float] = (10.0, 600.0)
    size: tuple[float, float] = (0.2, 1.8)

    @property
    def are_there(self) -> bool:
        """Whether any cell changes."""
        return max(self.rundown, self.wash, self.jump) > 0.0


NONE = Changes()
"""No cell changes but by its slow walk."""


def changed(u: Array, start: Array, names: Sequence[str], changes: Changes, rng: np.random.Generator) -> Array:
    """Let a cell change, or not.

    Args:
        u: Unconstrained theta at each sweep without changes, standard normal, shape (sweeps, p).
        start: Of each sweep, ascending, shape (sweeps,) [s].
        names: Of the parameters.
        changes: What may happen.
        rng: Source of randomness.

    Returns:
        Unconstrained theta with changes, at each sweep standard normal, shape (sweeps, p).
    """
    gated = [k for k, name in enumerate(names) if name.startswith("g_") and name not in _LEAK]
    washed = [k for k, name in enumerate(names) if k in gated or name in _WASHED]
    jumping = [k for k, name in enumerate(names) if name in _JUMPING]
    courses = []
    if rng.random() < changes.rundown:
        courses += [(k, _rundown(start, changes, rng)) for k in _some(gated, _MOST_RUN_DOWN, rng)]
    if rng.random() < changes.wash:
        courses += [(k, _wash(start, changes, rng)) for k in _some(washed, 1, rng)]
    if rng.random() < changes.jump:
        after = (start >= rng.choice(start)).astype(np.float64)
        courses += [(k, after) for k in _some(jumping, _MOST_JUMP, rng)]
    u = u.copy()
    for k, course in courses:
        # Two independent standard normal numbers turned by this angle into one another lie so far apart on average.
        angle = 2.0 * np.arcsin(_log_uniform(changes.size, rng) / 2.0) * course
        u[:, k] = np.cos(angle) * u[:, k] + np.sin(angle) * rng.standard_normal()
    return u


def _some(columns: list[int], most: int, rng: np.random.Generator) -> list[int]:
    """Choose from one to so many."""
    count = min(len(columns), int(rng.integers(1, most + 1)))
    return [int(k) for k in rng.choice(columns, count, replace=False)] if count else []


def _rundown(start: Array, changes: Changes, rng: np.random.Generator) -> Array:
    """Rise from 0 towards 1 exponentially, from a moment that may lie before the first sweep."""
    lasting = _log_uniform(changes.lasting, rng)
    begun = rng.uniform(start[0] - 0.5 * lasting, start[-1])
    return np.asarray(1.0 - np.exp(-np.log(10.0) * np.maximum(start - begun, 0.0) / lasting))


def _wash(start: Array, changes: Changes, rng: np.random.Generator) -> Array:
    """Rise from 0 to 1 along a logistic curve whose middle may lie somewhat outside the recording."""
    lasting = _log_uniform(changes.lasting, rng)
    middle = rng.uniform(start[0] - 0.5 * lasting, start[-1] + 0.5 * lasting)
    # From a twentieth to nineteen of them it takes so long.
    return np.asarray(0.5 + 0.5 * np.tanh(2.0 * np.arctanh(0.9) * (start - middle) / lasting))


def _log_uniform(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))
