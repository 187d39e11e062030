"""This file is the family: the epochs that the sweeps of one protocol share, and which of them is observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardware.epochs import WINDOW, Plateau, largest_pulse
from hardware.recording import RecordedSweep

__all__ = ["Family", "FamilyEpoch", "NoStepError", "observe"]

_NEAR = 1.0  # [ms], changes of current in different sweeps that are nearer are the same one
_SHORTEST = 20.0  # [ms], a shorter step says little about a membrane


class NoStepError(ValueError):
    """A family in which no epoch can be observed; says why and what to do."""


@dataclass(frozen=True)
class FamilyEpoch:
    """One epoch that the sweeps share.

    Args:
        start: Middle of the sweeps' starts [ms].
        stop: Middle of their ends [ms].
        levels: Command in each sweep [pA].
        spans: First sample and the one after the last, in each sweep.
        constant: Whether the command is constant in all of them.
    """

    start: float
    stop: float
    levels: tuple[float, ...]
    spans: tuple[tuple[int, int], ...]
    constant: bool

    def __str__(self) -> str:
        low, high = min(self.levels), max(self.levels)
        level = f"{low:.0f}..{high:.0f}" if high - low > _tolerance(self.levels) else f"{(low + high) / 2 + 0.0:.0f}"
        return f"{self.start:.1f}-{self.stop:.1f} ms at {level} pA"


@dataclass(frozen=True)
class Family:
    """The shared epochs and the observed one.

    Args:
        epochs: In order; the first is what precedes every change.
        observed: Index of the epoch that is the step.
    """

    epochs: tuple[FamilyEpoch, ...]
    observed: int

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """Start and end of the step in each sweep, as samples."""
        return self.epochs[self.observed].spans


def observe(sweeps: Sequence[RecordedSweep], found: Sequence[tuple[Plateau, ...]], epoch: int | None = None) -> Family:
    """Choose the epoch to observe: the first whose amplitude varies over the sweeps, else the longest step.

    A sweep in which the step is 0 pA shows no change of current; it is observed where the others have the step.

    Args:
        sweeps: Those of one protocol, with known commands, at least one.
        found: The plateaus of each.
        epoch: Index of the epoch to observe instead.

    Returns:
        The family.

    Raises:
        NoStepError: If there is no step of at least 20 ms, or the epoch asked for does not exist.
    """
    epochs = shared_epochs(sweeps, found)
    return Family(epochs, _chosen(epochs, epoch) if epoch is not None else _automatic(epochs, sweeps, found))


def shared_epochs(sweeps: Sequence[RecordedSweep], found: Sequence[tuple[Plateau, ...]]) -> tuple[FamilyEpoch, ...]:
    """List the epochs that the sweeps share.

    Args:
        sweeps: Those of one protocol, with known commands, at least one.
        found: The plateaus of each.

    Returns:
        The epochs in order; where each sweep changes equally often, the k-th epoch of one is that of the others.
    """
    if len({len(ps) for ps in found}) == 1:
        return tuple(_aligned(sweeps, column) for column in zip(*found, strict=True))
    times = sorted(p.start / s.rate for s, ps in zip(sweeps, found, strict=True) for p in ps[1:])
    bounds = [float(np.median(c)) for c in _clusters(times) if len(c) * 3 >= len(sweeps)]
    edges = [0.0, *bounds, max(s.duration for s in sweeps)]
    return tuple(_overlapping(a, b, sweeps, found) for a, b in pairwise(edges))


def _clusters(times: list[float]) -> list[list[float]]:
    """Join times that lie near each other."""
    clusters: list[list[float]] = []
    for t in times:
        if clusters and t - clusters[-1][-1] <= _NEAR:
            clusters[-1].append(t)
        else:
            clusters.append([t])
    return clusters


def _aligned(sweeps: Sequence[RecordedSweep], column: Sequence[Plateau]) -> FamilyEpoch:
    """Make an epoch of the k-th plateau of each sweep."""
    rates = [s.rate for s in sweeps]
    start, starts = _agreed([p.start for p in column], rates)
    stop, stops = _agreed([p.stop for p in column], rates)
    levels = tuple(p.level for p in column)
    return FamilyEpoch(start, stop, levels, tuple(zip(starts, stops, strict=True)), all(p.constant for p in column))


def _agreed(samples: list[int], rates: list[float]) -> tuple[float, list[int]]:
    """Take the common time where most sweeps have it: a spike's artefact on an edge moves that edge in one sweep."""
    times = np.array(samples) / np.array(rates)
    middle = float(np.median(times))
    if 2 * np.count_nonzero(np.abs(times - middle) <= _NEAR) > len(samples) > 2:
        moved = (np.abs(times - middle) > _NEAR) & (np.abs(times - middle) <= WINDOW)
        samples = [round(middle * r) if m else k for k, r, m in zip(samples, rates, moved.tolist(), strict=True)]
    return middle, samples


def _overlapping(
    start: float, stop: float, sweeps: Sequence[RecordedSweep], found: Sequence[tuple[Plateau, ...]]
) -> FamilyEpoch:
    """Make an epoch of what each sweep does between two times at which most of them change."""
    inside = [_at(ps, (start + stop) / 2 * s.rate) for s, ps in zip(sweeps, found, strict=True)]
    return FamilyEpoch(
        start,
        stop,
        tuple(p.level for p in inside),
        tuple(_span(start, stop, s, p) for s, p in zip(sweeps, inside, strict=True)),
        all(p.constant for p in inside),
    )


def _at(found: tuple[Plateau, ...], sample: float) -> Plateau:
    """Find the plateau that a sample lies in, or the last."""
    return next((p for p in found if sample < p.stop), found[-1])


def _tolerance(levels: Sequence[float]) -> float:
    """Tell which difference of levels is only the noise and gain error of a recorded current [pA]."""
    return max(1.0, 0.02 * max(abs(level) for level in levels))


def _chosen(epochs: tuple[FamilyEpoch, ...], epoch: int) -> int:
    """Check the epoch that was asked for."""
    if 1 <= epoch < len(epochs):
        return epoch
    if len(epochs) < 2:
        raise NoStepError(f"Epoch {epoch} was asked for, but the current never changes: there is no step to observe.")
    choices = "; ".join(f"{k}: {e}" for k, e in enumerate(epochs) if k)
    raise NoStepError(f"Epoch {epoch} was asked for, one of these was wanted ({choices}).")


def _automatic(
    epochs: tuple[FamilyEpoch, ...], sweeps: Sequence[RecordedSweep], found: Sequence[tuple[Plateau, ...]]
) -> int:
    """Apply the rule of the observed epoch."""
    usable = [k for k, e in enumerate(epochs) if k and e.constant and e.stop - e.start >= _SHORTEST]
    for k in usable:
        amplitudes = np.subtract(epochs[k].levels, epochs[k - 1].levels)
        if np.ptp(amplitudes) > _tolerance(epochs[k].levels + epochs[k - 1].levels):
            return k
    base = epochs[0].levels
    heights = {k: float(np.median(np.abs(np.subtract(epochs[k].levels, base)))) for k in usable}
    steps = [k for k in usable if heights[k] > _tolerance(base)]
    if not steps:
        raise NoStepError(
            f"No step: the current has no constant epoch of at least {_SHORTEST:g} ms that differs from the holding; "
            "a family of current steps was wanted."
        )
    longest = max(steps, key=lambda k: epochs[k].stop - epochs[k].start)
    pulse = max(largest_pulse(_command(s), ps, s.rate) for s, ps in zip(sweeps, found, strict=True))
    if pulse > 2 * heights[longest]:
        raise NoStepError(
            f"No step: the stimulus is pulses of {pulse:.0f} pA shorter than {_SHORTEST:g} ms, beside which the "
            f"longest step ({longest}: {epochs[longest]}) is a test pulse; to observe it, give --epoch {longest}."
        )
    return longest


def _command(sweep: RecordedSweep) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the command that the caller promised to be known."""
    if sweep.command is None:
        raise ValueError(f"Sweep {sweep.index} has no known command; a known one was wanted.")
    return sweep.command


def _span(start: float, stop: float, sweep: RecordedSweep, inside: Plateau) -> tuple[int, int]:
    """Find an epoch's samples in one sweep: its own changes where it has them, the family's where not."""
    near = _NEAR * sweep.rate
    first, last = round(start * sweep.rate), round(stop * sweep.rate)
    if inside.start >= first - near:
        first = inside.start
    if inside.stop <= last + near:
        last = inside.stop
    return first, min(last, sweep.response.size)
