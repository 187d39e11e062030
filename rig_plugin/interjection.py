"""This file is the interjection: a virtual drug that is asked for while a session runs, given between two sweeps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator

from hardware.decision import Decision
from rig_plugin.dosing import Dosing
from rig_plugin.plug import Course, Plugs, Scene
from rig_plugin.protocol import Asked, BrokenOff, Protocol
from rig_plugin.rehearsal import rehearse
from rig_plugin.script import Script
from rig_plugin.session import Session
from rig_plugin.stage_text import drug_words
from rig_plugin.stages import DrugStage
from rig_plugin.trial import Trial
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus

__all__ = ["DrugSession", "Interjection"]

_KIND = "drug"

Aside = Generator[Stimulus | Asked | Decision | Dosing, Trial | None, None]


class Interjection:
    """One drug at a time; the last that was asked for counts.

    Args:
        scene: Where it is given.
        play: Makes its course.
    """

    def __init__(self, scene: Scene, play: Callable[[DrugStage, Scene], Course]) -> None:
        self._scene, self._play = scene, play
        self._asked: DrugStage | None = None

    def ask(self, stage: DrugStage) -> None:
        """Have a drug given when the sweep that is played or waits is over; from any thread.

        Args:
            stage: What is wanted.
        """
        self._asked = stage

    def around(self, protocol: Protocol) -> Protocol:
        """Play a protocol, and the drug as soon as its next sweep would be asked for.

        Args:
            protocol: That is not told of the drug's trials.

        Yields:
            What it asks, and what the drug does.

        Returns:
            As the protocol.
        """
        trial: Trial | None = None
        while True:
            try:
                asked = protocol.send(trial)
            except StopIteration as end:
                yield from self._given()
                reason: str | None = end.value
                return reason
            yield from self._given()
            try:
                trial = yield asked
            except BrokenOff as broken:
                with contextlib.suppress(StopIteration):
                    yield protocol.throw(broken)
                return None

    def _given(self) -> Aside:
        """Give what was asked for; what can't be given is said, and the session goes on."""
        stage, self._asked = self._asked, None
        if stage is None:
            return
        scene = self._scene
        yield Decision(-1, _KIND, "began", f"A virtual drug was asked for: {drug_words(stage)}.")
        try:
            plugs = Plugs(drug=self._play)
            rehearse(Script((stage,), name="As asked"), scene.settings, scene.checkpoint, scene.rig, plugs)
        except Refusal as refusal:
            count = len(stage.protocol.amplitudes)
            yield Dosing(stage.conductance, stage.factor, count, verdict="withheld", sentence=str(refusal))
            yield Decision(-1, _KIND, "ended", f"No virtual drug was given: {refusal}")
            return
        try:
            outcome = yield from self._play(stage, scene)
        except BrokenOff:
            yield Decision(-1, _KIND, "stopped", "The session ended before the virtual drug did; the clamp is off.")
            raise
        yield Decision(-1, _KIND, "ended", f"The virtual drug is over: {outcome.said}")


class DrugSession(Session):
    """A session in which a virtual drug is given when somebody asks for one."""

    interjection: Interjection

    def give(self, stage: DrugStage) -> None:
        """Give a virtual drug when the sweep that is played or waits is over; may be called from any thread.

        Args:
            stage: What is wanted.
        """
        self.interjection.ask(stage)
