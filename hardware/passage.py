"""This file is the passage: the part of a recorded sweep that is played, cut around the observed step."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.epochs import Plateau
from hardware.recording import RecordedSweep
from simulators.stimulus import Epoch, Stimulus

__all__ = ["History", "Passage", "cut", "refused", "within"]

_BEFORE = 250.0  # [ms]
_AFTER = 300.0  # [ms]
_LEAST_BEFORE = 50.0  # [ms]
_SHORTEST = 20.0  # [ms], a shorter step says little about a membrane
_NEAR = 1.0  # [ms], a change of current this near the step's end is its end


@dataclass(frozen=True)
class History:
    """The epoch before the constant current that precedes the step: what the cell may still remember.

    Args:
        level: Its command [pA].
        duration: Its length [ms].
        gap: Time from its end to the step's onset [ms].
    """

    level: float
    duration: float
    gap: float


@dataclass(frozen=True)
class Passage:
    """What is played of one sweep, or why nothing is.

    Args:
        file_sweep: Number of the sweep in the file.
        stimulus: What was put out in the samples that are played, or None.
        refusal: Why the sweep can't be played, as a sentence, or None.
        history: The epoch before them, or None where there was none.
        start: First sample of the sweep that is played.
        stop: Sample after the last.
    """

    file_sweep: int
    stimulus: Stimulus | None
    refusal: str | None
    history: History | None = None
    start: int = 0
    stop: int = 0


def refused(sweep: RecordedSweep, reason: str) -> Passage:
    """Make the passage of a sweep that can't be played.

    Args:
        sweep: The sweep.
        reason: Why, as a sentence.

    Returns:
        A passage without a stimulus.
    """
    return Passage(sweep.index, None, reason)


def cut(sweep: RecordedSweep, found: tuple[Plateau, ...], onset: int, end: int) -> Passage:
    """Cut a sweep around its step: at most 250 ms before it and 300 ms after, up to the next change of current.

    Args:
        sweep: At its full length.
        found: The plateaus of its command.
        onset: First sample of the step.
        end: Sample after its last.

    Returns:
        The passage; refused where less than 50 ms of constant current precede the step or the step is not constant.
    """
    rate, near = sweep.rate, round(_NEAR * sweep.rate)
    middle = (onset + end) // 2
    step = next((p for p in found if p.start <= middle < p.stop), None)
    before = next((p for p in reversed(found) if p.start < onset - near), None)
    if step is None or before is None or end <= onset:
        return refused(sweep, f"Sweep {sweep.index} has no current before its step: choose another epoch.")
    kept = min(onset - before.start, round(_BEFORE * rate))
    if kept < round(_LEAST_BEFORE * rate):
        return refused(
            sweep,
            f"Sweep {sweep.index} has {kept / rate:.1f} ms of constant current before the step, "
            f"at least {_LEAST_BEFORE:g} ms were wanted: choose another epoch with --epoch.",
        )
    if not (step.constant and before.constant):
        return refused(sweep, f"Sweep {sweep.index} has a current that changes in or before its step: choose another.")
    after = next((p for p in found if p.stop > end + near), None)
    stop = min(after.stop if after else end, end + round(_AFTER * rate), sweep.response.size)
    epochs = [Epoch(before.level, kept / rate), Epoch(step.level, (end - onset) / rate)]
    if after is not None and after.constant and stop > end:
        epochs.append(Epoch(after.level, (stop - end) / rate))
    else:
        stop = end
    earlier = next((p for p in reversed(found) if p.stop <= before.start), None)
    history = (
        History(earlier.level, (earlier.stop - earlier.start) / rate, (onset - earlier.stop) / rate)
        if earlier
        else None
    )
    return Passage(sweep.index, Stimulus("current", tuple(epochs)), None, history, onset - kept, stop)


def within(sweep: RecordedSweep, passage: Passage, window: tuple[float, float]) -> Passage:
    """Keep of a passage what lies in a window of the sweep.

    Args:
        sweep: At its full length.
        passage: Cut around its step.
        window: Start and end, from the sweep's start [ms].

    Returns:
        The passage with less before and after its step, and with a shorter step where the window ends in it; refused
        where less than 50 ms of constant current before the step or less than 20 ms of the step would be left.
    """
    if passage.stimulus is None:
        return passage
    stimulus, rate = passage.stimulus, sweep.rate
    first, last = window
    if last > sweep.duration + 1 / rate:
        return refused(
            sweep,
            f"Window ends at {last:g} ms and sweep {sweep.index} at {sweep.duration:g} ms: end it there or before.",
        )
    onset = passage.start + round(stimulus.onset * rate)
    end = onset + round(stimulus.step_duration * rate)
    start, stop = max(passage.start, round(first * rate)), min(passage.stop, round(last * rate))
    if onset - start < round(_LEAST_BEFORE * rate) or min(stop, end) - onset < round(_SHORTEST * rate):
        return refused(
            sweep,
            f"Window {first:g} to {last:g} ms leaves {max(0.0, (onset - start) / rate):.1f} ms before and "
            f"{max(0.0, (min(stop, end) - onset) / rate):.1f} ms of the step of sweep {sweep.index} "
            f"({onset / rate:.1f}-{end / rate:.1f} ms), at least {_LEAST_BEFORE:g} and {_SHORTEST:g} ms were wanted: "
            "widen it, or choose another epoch with --epoch.",
        )
    epochs = [
        Epoch(stimulus.holding, (onset - start) / rate),
        Epoch(stimulus.epochs[stimulus.observed].level, (min(stop, end) - onset) / rate),
    ]
    if stop > end:
        epochs.append(Epoch(stimulus.epochs[stimulus.observed + 1].level, (stop - end) / rate))
    return Passage(sweep.index, Stimulus("current", tuple(epochs)), None, passage.history, start, stop)
