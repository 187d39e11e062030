"""This file is the choosing: the posterior's own choice of stimuli, set up for a session or as a stage of a script."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace

import numpy as np

from estimators.features import NAMES
from estimators.pretrained import FIRST
from hardware.rig import Rig
from rig_plugin.adaptive import Adaptive
from rig_plugin.adaptive_settings import AdaptiveSettings
from rig_plugin.advice import Question
from rig_plugin.interval import Interval
from rig_plugin.plug import Course, Outcome, Plugs, Scene
from rig_plugin.protocol import Request
from rig_plugin.settings import Settings
from rig_plugin.stages import AdaptiveStage
from rig_plugin.trial import Trial
from simulators.refusal import Refusal

__all__ = ["PLUGS", "ChoosingFailed", "chosen", "question_of", "told"]


class ChoosingFailed(Refusal):
    """No stimulus can be chosen any more; the message says why."""


def question_of(settings: Settings, asked: AdaptiveSettings, mode: str, rig: Rig, interval: Interval) -> Question:
    """Say what does not change from one choice to the next.

    Args:
        settings: Of the rig file.
        asked: What matters, and when it is enough.
        mode: "suggest", "accept" or "automatic".
        rig: What plays it.
        interval: The session's pace.

    Returns:
        The question, with no sweep yet.
    """
    protocol = settings.protocol
    return Question(
        network=settings.network.path or FIRST,
        rows=np.empty((0, len(NAMES))),
        contexts=(),
        settings=asked,
        mode=mode,
        baseline=protocol.onset,
        tail=protocol.tail,
        interval=interval.duration,
        rate=rig.rate,
        start=0.0,
        holding=protocol.holding,
        duration=protocol.duration,
        limits=rig.limits,
        harm=settings.limits.harm(),
        seed=settings.rig.seed or 0,
    )


def chosen(stage: AdaptiveStage, scene: Scene) -> Course:
    """Play an adaptive stage: the posterior chooses each sweep by what it would teach.

    Args:
        stage: What matters and when it is enough; the rest is that of [adaptive] and [protocol] in the rig file.
        scene: Where.

    Returns:
        Its course.
    """
    widths, worth = dict(stage.widths), stage.least * math.log(2.0)
    asked = replace(scene.settings.adaptive, sweeps=stage.most, worth=worth, widths=widths)
    question = question_of(scene.settings, asked, "automatic", scene.rig, scene.interval)
    adaptive = Adaptive(question, scene.observer, scene.interval)
    said: list[str] = []
    adaptive.attend(said.append, scene.is_over)
    return told(adaptive.play(), said)


PLUGS = Plugs(adaptive=chosen)
"""What this program plays of the stages that somebody else could play."""


def told(playing: Generator[Request, Trial | None, str | None], said: list[str]) -> Course:
    """Make a course of a protocol that says its reasons beside what it asks.

    Args:
        playing: The protocol.
        said: Where it puts its reasons.

    Yields:
        Its requests, each after the reasons for it.

    Returns:
        Why it ended.

    Raises:
        ChoosingFailed: If that was not meant to be.
    """
    trial: Trial | None = None
    sweeps = 0
    try:
        while True:
            request = playing.send(trial)
            while said:
                yield said.pop(0)
            trial = yield request
            sweeps += trial is not None
    except StopIteration as end:
        failed: str | None = end.value
    finally:
        playing.close()
    if failed is not None:
        raise ChoosingFailed(failed)
    return Outcome(" ".join(said) or f"{sweeps} sweeps were chosen.")
