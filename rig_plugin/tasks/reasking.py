"""This file is the asking of a recorded cell: sweeps of a family are chosen one after the other, as if they were asked.

The cell's answers are known already; what is chosen is which of them a network is shown. That the order is not the one
of the recording is hidden from it: each sweep begins as long after the last as the pace of the recording was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from estimators.abort import AbortRule
from estimators.admission import Tolerance
from estimators.candidate import Candidate, Setting
from estimators.checkpoint import Checkpoint
from estimators.choice import choose
from estimators.context import Context
from estimators.features import NAMES
from estimators.wish import Wish
from rig_plugin.tasks.cell import Cell
from simulators.limits import Limits
from simulators.stimulus import Stimulus, step

__all__ = ["REASKED", "Picked", "RecordedStep", "adaptively", "begun", "picked"]

_ANY = Limits(-1e5, 1e5)
_BORNE = AbortRule(below=-150.0, max_spikes=10_000, above_for=1e6)
"""The cell has borne every sweep of the family: no candidate is kept back for its sake."""

_UNIT = 10.0
_DEFLECTION = NAMES.index("steady_deflection")
_RISE = (2.0, 3.0)
_AFTER = (1.5, 2.0)

Picker = Callable[[Cell, Sequence[int], np.random.Generator], int]
"""Gives the next sweep of a family after those that are known."""


@dataclass(frozen=True)
class RecordedStep:
    """A sweep that was recorded, as a candidate.

    Args:
        made: Its circumstances.
    """

    made: Context

    @property
    def words(self) -> str:
        """What it is, with units, as a sentence has it."""
        return f"the recorded step of {self.made.amplitude:g} pA"

    @property
    def amplitude(self) -> float:
        """Its height [pA]."""
        return self.made.amplitude

    def context(self, setting: Setting) -> Context:
        """Say how it was made, at the time at which it is asked."""
        return replace(self.made, start=setting.start)

    def stimulus(self, setting: Setting) -> Stimulus:
        """Give what was played, without what came before the baseline."""
        made = self.made
        return step(made.amplitude, holding=made.holding, onset=made.baseline, duration=made.duration, tail=made.tail)

    def seconds(self, setting: Setting) -> float:
        """Give what it costs: all cost the same."""
        return setting.interval

    def covers(self, other: Candidate) -> bool:
        """Tell whether a cell that bears this one bears the other: it has borne all."""
        return True

    def resembles(self, other: Candidate) -> bool:
        """Tell whether who does not want the one will not want the other: each was recorded once."""
        return other is self


@dataclass(frozen=True, eq=False)
class Picked:
    """Sweeps of a family in the order in which they were asked.

    Args:
        sweeps: Which.
        contexts: Their circumstances, with the times at which they were asked.
    """

    sweeps: tuple[int, ...]
    contexts: tuple[Context, ...]


def begun(family: Cell) -> int:
    """Give the sweep that everybody begins with: the smallest step down, or the smallest where there is none.

    Args:
        family: The sweeps.

    Returns:
        Its index.
    """
    currents = family.currents
    down = np.flatnonzero(currents < -1.0)
    among = down if down.size else np.arange(len(currents))
    return int(among[np.argmin(np.abs(currents[among]))])


def picked(family: Cell, picker: Picker, count: int, rng: np.random.Generator) -> Picked:
    """Ask a recorded cell.

    Args:
        family: The sweeps.
        picker: Who asks.
        count: How many sweeps, at most as many as there are.
        rng: Source of randomness.

    Returns:
        The sweeps in order.
    """
    sweeps = [begun(family)]
    while len(sweeps) < min(count, len(family.rows)):
        sweeps.append(picker(family, tuple(sweeps), rng))
    return Picked(tuple(sweeps), _retimed(family, sweeps))


def adaptively(checkpoint: Checkpoint, draws: int) -> Picker:
    """Ask for what is expected to teach the most.

    Args:
        checkpoint: Who expects.
        draws: Most draws that a choice rests on.

    Returns:
        The picker.
    """

    def pick(family: Cell, known: Sequence[int], rng: np.random.Generator) -> int:
        left = [k for k in range(len(family.rows)) if k not in known]
        contexts = _retimed(family, [*known, left[0]])
        made, pace = contexts[-1], _pace(family)
        setting = Setting(made.baseline, made.tail, made.rate, start=made.start, rest=0.0, interval=pace)
        candidates: list[Candidate] = [RecordedStep(family.contexts[k]) for k in left]
        largest = float(np.abs(family.currents).max())
        choice = choose(
            checkpoint, family.rows[list(known)], contexts[:-1], setting, candidates,
            wish=Wish(worth=0.0), limits=_ANY, rule=_BORNE, tolerance=Tolerance(trusted=2, largest=max(largest, 1.0)),
            seed=int(rng.integers(2**31)), most=draws,
        )  # fmt: skip
        offered = dict(zip(candidates, left, strict=True))
        # Where no gain is believed, the sweep in the middle of what is left says something.
        return left[len(left) // 2] if choice.candidate is None else offered[choice.candidate]

    return pick


def _random(family: Cell, known: Sequence[int], rng: np.random.Generator) -> int:
    return int(rng.choice([k for k in range(len(family.rows)) if k not in known]))


def _ascending(family: Cell, known: Sequence[int], rng: np.random.Generator) -> int:
    left = [k for k in np.argsort(family.currents, kind="stable") if k not in known]
    return int(left[0])


def _ordered(family: Cell, known: Sequence[int], rng: np.random.Generator) -> int:
    """Look for the rheobase by halves, then for multiples of it, among the steps that there are."""
    currents, fired = family.currents[list(known)], family.counts[list(known)] > 0
    below = float(currents[~fired & (currents > 0)].max(initial=0.0))
    above = float(currents[fired].min(initial=np.inf))
    left = np.array([k for k in range(len(family.rows)) if k not in known])
    between = family.currents[left]
    if np.isfinite(above) and ((between > below) & (between < above)).any():
        wanted = (below + above) / 2.0
    elif np.isfinite(above):
        wanted = _AFTER[len(known) % len(_AFTER)] * above
    else:
        wanted = _RISE[0] * below if below > 0 else _RISE[1] * _unit(family, known[0])
    return int(left[np.argmin(np.abs(between - wanted))])


REASKED: Mapping[str, Picker] = MappingProxyType({"random": _random, "ascending": _ascending, "well_ordered": _ordered})
"""Ways that need no network."""


def _unit(family: Cell, sweep: int) -> float:
    """Give the current that moves the cell by 10 mV, as the first sweep tells it [pA]."""
    moved = abs(float(family.rows[sweep, _DEFLECTION]))
    current = abs(float(family.currents[sweep]))
    spaced = float(np.ptp(family.currents)) / max(len(family.currents) - 1, 1)
    return _UNIT * current / moved if np.isfinite(moved) and moved > 0 and current > 0 else spaced


def _pace(family: Cell) -> float:
    """Give how long it was from sweep to sweep [s]."""
    starts = np.array([context.start for context in family.contexts])
    return max(float(np.median(np.diff(starts))), 1.0) if len(starts) > 1 else 1.0


def _retimed(family: Cell, sweeps: Sequence[int]) -> tuple[Context, ...]:
    pace = _pace(family)
    return tuple(replace(family.contexts[sweep], start=pace * k) for k, sweep in enumerate(sweeps))
