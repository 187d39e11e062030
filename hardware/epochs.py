"""This file is the epochs: where in one sweep the command is constant, and at which level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["WINDOW", "Plateau", "largest_pulse", "middle_mean", "plateaus"]

WINDOW = 5.0  # [ms], longer than a spike's artefact in the recorded current, shorter than any step worth observing
_SLIVER = 1.0  # [ms], a shorter stretch between two plateaus is the edge of a step, not an epoch
_PULSE = 20.0  # [ms], anything shorter is a pulse


@dataclass(frozen=True)
class Plateau:
    """A stretch of one sweep in which the command does not change.

    Args:
        start: First sample.
        stop: Sample after the last.
        level: Command [pA].
        constant: False for a ramp or whatever else changes within.
    """

    start: int
    stop: int
    level: float
    constant: bool = True


def plateaus(command: npt.NDArray[np.float64], rate: float) -> tuple[Plateau, ...]:
    """Find the stretches of constant command; together they cover the sweep.

    A command from a header is exact and is cut where it changes. A recorded current is noisy: medians of 5 ms on
    either side of a sample tell a step from noise and from the artefacts of spikes, and the sample is then the one
    that splits the trace best in two levels.

    Args:
        command: Shape (n,), finite [pA].
        rate: Sampling rate [kHz].

    Returns:
        The stretches in order.

    Raises:
        ValueError: If a sample is not finite.

    Example:
        >>> [(p.start, p.stop, p.level) for p in plateaus(np.repeat([0.0, 50.0, 0.0], 1000), 10.0)]
        [(0, 1000, 0.0), (1000, 2000, 50.0), (2000, 3000, 0.0)]
    """
    if not np.isfinite(command).all():
        raise ValueError("Command has samples that are not numbers; a known command was wanted.")
    steps = np.diff(command)
    if np.count_nonzero(steps) <= 0.02 * steps.size:
        return _exact(command, rate)
    return _noisy(command, rate)


def middle_mean(trace: npt.NDArray[np.float64]) -> float:
    """Average the middle half of the values: as robust as a median, but finer than a converter's step.

    Args:
        trace: Shape (n,) with n > 0.

    Returns:
        The interquartile mean.
    """
    quarter = trace.size // 4
    return float(np.sort(trace)[quarter : trace.size - quarter].mean())


def largest_pulse(command: npt.NDArray[np.float64], found: tuple[Plateau, ...], rate: float) -> float:
    """Tell how high the highest pulse is: flat-topped and shorter than 20 ms.

    Args:
        command: Shape (n,) [pA].
        found: Its plateaus.
        rate: Sampling rate [kHz].

    Returns:
        Height above or below the level around it, 0 where there is none [pA].
    """
    short = [p for p in found if p.stop - p.start < _PULSE * rate]
    long = [p for p in found if p.stop - p.start >= _PULSE * rate]
    if not long:
        return 0.0
    heights = [min(abs(p.level - q.level) for q in long) for p in short if p.constant]
    for p in long:
        residual = np.abs(command[p.start : p.stop] - p.level)
        top = float(residual.max())
        inside = np.flatnonzero(np.diff(residual > 0.5 * top, prepend=False, append=False)).reshape(-1, 2)
        for a, b in inside[: 1000 if top > 0 else 0]:
            if 0.5 * rate <= b - a < _PULSE * rate and np.median(residual[a:b]) > 0.8 * top:
                heights.append(float(np.median(residual[a:b])))
    return max(heights, default=0.0)


def _exact(command: npt.NDArray[np.float64], rate: float) -> tuple[Plateau, ...]:
    """Cut a command without noise at each of its changes, and give the slivers in an edge to their neighbours."""
    edges = [0, *(np.flatnonzero(np.diff(command)) + 1).tolist(), command.size]
    runs = list(pairwise(edges))
    found: list[Plateau] = []
    k = 0
    while k < len(runs):
        start, stop = runs[k]
        if stop - start >= _SLIVER * rate:
            found.append(Plateau(start, stop, float(command[start])))
            k += 1
            continue
        while k + 1 < len(runs) and runs[k + 1][1] - runs[k + 1][0] < _SLIVER * rate:
            k += 1
        stop = runs[k][1]
        k += 1
        before = found[-1].level if found else None
        after = float(command[runs[k][0]]) if k < len(runs) else None
        if stop - start < _SLIVER * rate and before is not None and after is not None and before != after:
            split = start + int(np.count_nonzero(np.abs(command[start:stop] - before) < abs(after - before) / 2))
            found[-1] = Plateau(found[-1].start, split, before, found[-1].constant)
            runs[k] = (split, runs[k][1])
            found.append(Plateau(split, runs[k][1], after))
            k += 1
        else:
            found.append(Plateau(start, stop, middle_mean(command[start:stop]), constant=False))
    return tuple(found)


def _noisy(command: npt.NDArray[np.float64], rate: float) -> tuple[Plateau, ...]:
    """Cut a recorded current where the medians before and after differ by more than noise does."""
    # Imported where it is needed: most files have a command without noise, and this is half of what their reader loads.
    from scipy.ndimage import median_filter

    half = max(1, round(WINDOW * rate / 2))
    width = 2 * half + 1
    if command.size < 3 * width:
        return (Plateau(0, command.size, middle_mean(command)),)
    medians = median_filter(command, size=width, mode="nearest")
    jump = np.zeros(command.size)
    jump[half + 1 : -half] = np.abs(medians[2 * half + 1 :] - medians[: -2 * half - 1])
    threshold = _threshold(command, jump, width)
    regions = np.flatnonzero(np.diff(jump > threshold, prepend=False, append=False)).reshape(-1, 2).tolist()
    cuts = [0]
    for a, b in regions:
        low, high = max(a - half, cuts[-1]), min(b + half, command.size)
        before, after = medians[max(a - half - 1, 0)], medians[min(b + half, command.size - 1)]
        if abs(after - before) > threshold and high > low:
            cut = low + _split(command[low:high], before, after)
            cuts.append(_departure(command, max(low, cut - round(_SLIVER * rate)), cut, before, after))
    cuts = _joined(command, [*cuts, command.size], width, threshold)
    return tuple(_measure(command, a, b, threshold) for a, b in pairwise(cuts))


def _joined(command: npt.NDArray[np.float64], cuts: list[int], width: int, threshold: float) -> list[int]:
    """Take back the cuts that the artefacts of spikes made: around short stretches and between equal levels."""
    while len(cuts) > 2:
        levels = [middle_mean(command[a:b]) if b > a else math.inf for a, b in pairwise(cuts)]
        jumps = [abs(b - a) for a, b in pairwise(levels)]
        shortest = min(range(len(levels)), key=lambda k: cuts[k + 1] - cuts[k])
        if cuts[shortest + 1] - cuts[shortest] < width:
            # Of the two cuts around a stretch too short to be one, the smaller jump goes.
            inner = [k for k in (shortest - 1, shortest) if 0 <= k < len(jumps)]
        else:
            inner = [k for k, jump in enumerate(jumps) if jump <= threshold]
        if not inner:
            break
        del cuts[min(inner, key=lambda k: jumps[k]) + 1]
    return cuts


def _threshold(command: npt.NDArray[np.float64], jump: npt.NDArray[np.float64], width: int) -> float:
    """Tell which difference of two medians is more than noise, hum and the converter's step [pA]."""
    steps = np.abs(np.diff(command))
    sigma = 1.4826 * float(np.median(steps)) / math.sqrt(2)
    resolution = float(steps[steps > 0].min(initial=np.inf))
    return max(
        0.5,
        2 * resolution if np.isfinite(resolution) else 0.0,
        7.5 * sigma / math.sqrt(width),
        6 * 1.4826 * float(np.median(jump)),
    )


def _split(trace: npt.NDArray[np.float64], before: float, after: float) -> int:
    """Find the first sample of the second level: the cut with the least absolute error."""
    excess = np.abs(trace - before) - np.abs(trace - after)
    return int(np.argmin(np.concatenate([[0.0], np.cumsum(excess)])))


def _departure(command: npt.NDArray[np.float64], low: int, cut: int, before: float, after: float) -> int:
    """Go back from the middle of an edge to where the current leaves its level: an amplifier's filter comes later."""
    steps = np.abs(np.diff(command))
    sigma = 1.4826 * float(np.median(steps)) / math.sqrt(2)
    least = max(0.03 * abs(after - before), 4.0 * sigma)
    while cut > low and abs(command[cut - 1] - before) > least:
        cut -= 1
    return cut


def _measure(command: npt.NDArray[np.float64], start: int, stop: int, threshold: float) -> Plateau:
    """Give a stretch its level, and say whether it stays there."""
    trace = command[start:stop]
    quarter = max(1, trace.size // 4)
    drift = abs(middle_mean(trace[:quarter]) - middle_mean(trace[-quarter:]))
    level = middle_mean(trace)
    return Plateau(start, stop, level, constant=drift <= max(threshold, 1.0, 0.02 * abs(level)))
