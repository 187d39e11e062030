"""This file is the narration: what a protocol decides is kept and told as it comes, and what it asks is passed on."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime

from hardware.decision import Decision
from hardware.passage import Passage
from rig_plugin.audience import Audience
from rig_plugin.dosing import Dosing
from rig_plugin.protocol import Asked, BrokenOff, Fixed, Protocol, recorded
from rig_plugin.reel import Reel
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

__all__ = ["narrated", "retold"]


def narrated(
    protocol: Protocol, reel: Reel, audience: Audience
) -> Generator[Stimulus | Asked, Trial | None, str | None]:
    """Take the decisions out of a protocol.

    Args:
        protocol: That may yield decisions among its requests.
        reel: Has the recorder that keeps them, if there is one.
        audience: Is told them; those that have a time already are told as they are, and kept nowhere again.

    Yields:
        What is to be played.

    Returns:
        Why the protocol ended, where that was not meant to be.
    """
    trial: Trial | None = None
    while True:
        try:
            asked = protocol.send(trial)
        except StopIteration as end:
            reason: str | None = end.value
            return reason
        trial = None
        if isinstance(asked, Decision):
            audience.tell("decided", _kept(asked, reel))
            continue
        if isinstance(asked, Dosing):
            audience.tell("dosed", asked)
            continue
        try:
            trial = yield asked
        except BrokenOff as broken:
            with contextlib.suppress(BrokenOff, StopIteration):
                last = protocol.throw(broken)
                if isinstance(last, Decision):
                    audience.tell("decided", _kept(last, reel))
            protocol.close()
            return None


def retold(passages: tuple[Passage, ...], decisions: tuple[Decision, ...]) -> Fixed:
    """Play what a file holds, with the decisions where they were made.

    Args:
        passages: Its sweeps.
        decisions: In order, as they were kept.

    Yields:
        Requests as `recorded`, and the decisions.
    """
    left = list(decisions)
    trial: Trial | None = None
    playing = recorded(passages)
    for passage in passages:
        while left and left[0].sweeps <= passage.file_sweep:
            yield left.pop(0)
        trial = yield playing.send(trial)
    yield from left


def _kept(decision: Decision, reel: Reel) -> Decision:
    if decision.time:
        return decision
    if reel.recorder is None:
        return replace(decision, time=datetime.now(UTC).isoformat())
    kept = reel.recorder.decide(decision)
    reel.recorder.hurry()
    return kept
