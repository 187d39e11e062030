"""This file is the protocol: what is played next, sweep by sweep; `trial = yield request`.

A protocol is a generator: it yields a `Stimulus`, or a `Request` where more is known, and is sent the trial, or None
where the sweep was passed over; or a `Hold`, a `Probe`, a `Decision` or a `Dosing`, and is sent None. A fixed family
ignores what it is sent.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

from hardware.decision import Decision
from hardware.dynamic_clamp import DynamicClamp
from hardware.passage import History, Passage
from rig_plugin.dosing import Dosing
from rig_plugin.probe import Probe
from rig_plugin.proposal import Candidate
from rig_plugin.stretch import Hold
from rig_plugin.trial import Trial
from simulators.stimulus import Dose, Stimulus

__all__ = ["Asked", "BrokenOff", "Clamps", "Fixed", "Protocol", "Request", "family", "gap_free", "recorded"]


class BrokenOff(Exception):
    """Thrown into a protocol that is broken off; what it still decides is kept, what it still asks is not played.

    Args:
        reason: Why the session failed, as a sentence; None where somebody ended it.
    """

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """One sweep that is wanted.

    Args:
        stimulus: What to play, or None where a recorded sweep can't be played.
        history: What came before the stimulus, where that is known.
        file_sweep: Number of the sweep in the file that is replayed.
        refusal: Why it can't be played.
        place: Its number in the family or the file, from 0, or None where it is in none.
        count: How many these are, or None where nobody knows.
        following: What would be played after it, where that is known already.
        gain: How much it is expected to tell of the cell, or None where nobody reckoned [bits].
        candidates: What was weighed before it was chosen.
        clamp: What a dynamic clamp adds to the cell while it is played; such a sweep is another cell's, and no
            posterior rests on it.
        doses: The same in the units of the model's parameters, by which the recording flags the sweep.
        phase: What it is in an experiment with a drug, for the recording.

    Raises:
        ValueError: If something is clamped that no dose tells of, or the other way round.
    """

    stimulus: Stimulus | None
    history: History | None = None
    file_sweep: int | None = None
    refusal: str | None = None
    place: int | None = None
    count: int | None = None
    following: Stimulus | None = None
    gain: float | None = None
    candidates: tuple[Candidate, ...] = ()
    clamp: DynamicClamp | None = None
    doses: tuple[Dose, ...] = ()
    phase: str | None = None

    def __post_init__(self) -> None:
        if (self.clamp is None) == bool(self.doses):
            raise ValueError("A sweep has a dynamic clamp or doses that tell of it; both or neither was wanted.")


@runtime_checkable
class Clamps(Interface):
    """A rig with a dynamic clamp that can be told what to add.

    Args:
        takes_conductances: Whether there is room for one, as far as that is known before it is opened.
    """

    takes_conductances: bool

    def clamp(self, clamp: DynamicClamp | None) -> None:
        """Add conductances whenever something is played from now on; None adds nothing."""


Asked = Request | Hold | Probe
"""What is played, or done, when its turn comes."""

Protocol = Generator[Stimulus | Asked | Decision | Dosing, Trial | None, str | None]
"""What it returns is why it ended, where that was not meant to be."""

Fixed = Generator[Stimulus | Asked | Decision | Dosing, Trial | None, None]
"""One that ends where it is meant to."""


def family(stimuli: Sequence[Stimulus], sweeps: int | None = None) -> Fixed:
    """Play a fixed family in order.

    Args:
        stimuli: The family.
        sweeps: How many sweeps; the family begins anew when it is through. None plays it once.

    Yields:
        One request a sweep.
    """
    count = len(stimuli) if sweeps is None else sweeps
    for k in range(count):
        following = stimuli[(k + 1) % len(stimuli)] if k + 1 < count else None
        yield Request(stimuli[k % len(stimuli)], place=k, count=count, following=following)


def gap_free(level: float, duration: float = math.inf) -> Fixed:
    """Hold a command and play nothing.

    Args:
        level: The command [pA].
        duration: For how long [ms]; infinite until the session is stopped.

    Yields:
        The hold.
    """
    yield Hold(level, duration)


def recorded(passages: Sequence[Passage]) -> Fixed:
    """Play what a file holds.

    Args:
        passages: Its sweeps.

    Yields:
        One request a sweep, those that can't be played included, with the reason.
    """
    for k, passage in enumerate(passages):
        yield Request(
            passage.stimulus, passage.history, passage.file_sweep, passage.refusal, place=k, count=len(passages)
        )
