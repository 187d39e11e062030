"""This file is the plugs: what plays the stages of a script whose sweeps the posterior chooses, or predicts."""

from __future__ import annotations

import math
from dataclasses import replace

from hardware.decision import Decision
from rig_plugin.adaptive import Adaptive
from rig_plugin.advice import question_of
from rig_plugin.interval import Interval
from rig_plugin.plug import Course, Outcome, Plugs, Scene
from rig_plugin.stages import AdaptiveStage, DrugStage
from rig_plugin.trial import Trial

__all__ = ["PLUGS", "adaptive", "drug"]


def adaptive(stage: AdaptiveStage, scene: Scene) -> Course:
    """Play what would teach the most, until enough is known, or no sweep is worth it, or there were enough.

    Nobody looks on, so that each choice is waited for: the cell rests a little longer, and the same seed gives the same
    experiment.

    Args:
        stage: What is wanted.
        scene: Where.

    Yields:
        Each choice with its reason, and its sweep.

    Returns:
        Why it ended.
    """
    question = question_of(scene.settings, scene.rig, "automatic", 0.0)
    asked = replace(question.settings, widths=stage.widths, sweeps=stage.most, worth=stage.least * math.log(2.0))
    chooser = Adaptive(replace(question, settings=asked), scene.observer, Interval())
    chooser.attend(scene.is_over)
    playing, said = chooser.play(), ""
    trial: Trial | None = None
    try:
        while True:
            asked_for = playing.send(trial)
            if isinstance(asked_for, Decision):
                said = asked_for.said
            trial = yield asked_for
    except StopIteration as end:
        return Outcome(end.value or said, is_reached=end.value is None)
    finally:
        playing.close()


def drug(stage: DrugStage, scene: Scene) -> Course:
    """Play a family as it is, under a virtual drug, and as it is again.

    Args:
        stage: What is wanted.
        scene: Where.

    Yields:
        What is injected and predicted, the sweeps, and the verdict.

    Returns:
        As `rig_plugin.drug_course.drug`.
    """
    # Late, since the window names the plugs and waits for no library.
    from rig_plugin.drug_course import drug as played

    return (yield from played(stage, scene))


PLUGS = Plugs(adaptive=adaptive, drug=drug)
"""Those of this program."""
