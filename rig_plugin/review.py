"""This file is the review: what is to be said of a protocol before it is played."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rig_plugin.interval import check_interval
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.toml_table import SettingsError
from simulators.limits import Limits
from simulators.stimulus import Stimulus

__all__ = ["Judge", "Review", "all_read", "review"]

Judge = Callable[[Sequence[Stimulus]], Sequence[str | None]]
"""Tells of each stimulus why it can't be read, or None where it can."""


@dataclass(frozen=True)
class Review:
    """What was found.

    Args:
        stimuli: The sweeps as they would be played; none where nothing can, or the holding alone is recorded.
        faults: {name of the field: a sentence with the remedy} for what keeps it from being played at all.
        remark: What is played and can't be read, as a sentence, or None.
        unread: Which of the stimuli that is, from 0.
        duration: How long all of it takes [s].
    """

    stimuli: tuple[Stimulus, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)
    remark: str | None = None
    unread: frozenset[int] = frozenset()
    duration: float = 0.0


def all_read(stimuli: Sequence[Stimulus]) -> tuple[None, ...]:
    """Judge as one does who can read all.

    Args:
        stimuli: Any.

    Returns:
        None for each.
    """
    return (None,) * len(stimuli)


def review(protocol: ProtocolSettings, limits: Limits, judge: Judge = all_read, is_alive: bool | None = None) -> Review:
    """Look a protocol over as the session's opening will.

    Args:
        protocol: Which.
        limits: What may be put into the cell.
        judge: Who reads it.
        is_alive: Whether there is a cell; None where sweeps follow one another as fast as can be.

    Returns:
        What was found.
    """
    faults = protocol.faults(limits)
    if "step" in faults or "test_pulse" in faults:
        return Review(faults=faults)
    stimuli = protocol.stimuli()
    if protocol.gap_free:
        return Review((), faults, duration=protocol.gap_free / 1e3)
    if is_alive is not None:
        try:
            check_interval(protocol.interval, stimuli, is_alive=is_alive)
        except SettingsError as error:
            faults.setdefault("interval", str(error).removeprefix("[protocol] "))
    reasons = judge(stimuli)
    unread = frozenset(k for k, reason in enumerate(reasons) if reason is not None)
    first = next((reason for reason in reasons if reason is not None), None)
    remark = None
    if first is not None and len(unread) == len(stimuli):
        faults.setdefault("network", f"None of it can be read. {first}")
    elif first is not None:
        remark = f"{len(unread)} of {len(stimuli)} sweeps are played and not read. {first}"
    return Review(stimuli, faults, remark, unread, _lasts(stimuli, 0.0 if is_alive is None else protocol.interval))


def _lasts(stimuli: Sequence[Stimulus], interval: float) -> float:
    """Tell how long a family takes, from the start of the first sweep to the end of the last [s]."""
    if not stimuli:
        return 0.0
    return (sum(max(interval, s.duration) for s in stimuli[:-1]) + stimuli[-1].duration) / 1e3
