"""An adaptive stage of a script says each choice, and why it ended."""

from types import SimpleNamespace

import pytest

from hardware.decision import Decision
from rig_plugin import plugs
from rig_plugin.adaptive import Adaptive
from rig_plugin.plugs import PLUGS
from rig_plugin.protocol import Request
from rig_plugin.settings import Settings
from rig_plugin.stages import AdaptiveStage
from simulators.limits import Limits
from simulators.stimulus import step

CHOSE = Decision(-1, "adaptive", "chose", "50 pA is expected to gain 1 nat.")


@pytest.fixture
def scene():
    return SimpleNamespace(
        settings=Settings(), rig=SimpleNamespace(rate=20.0, limits=Limits()), observer=None, is_over=list
    )


def played(monkeypatch, reason):
    """Let the stage's protocol be one sweep, and note what it was made of."""
    made = []

    class Scripted(Adaptive):
        def play(self):
            made.append(self._question)
            yield CHOSE
            trial = yield Request(step(50.0))
            assert trial == "its trial"
            return reason

    monkeypatch.setattr(plugs, "Adaptive", Scripted)
    return made


@pytest.mark.parametrize(
    ("reason", "said"), [(None, CHOSE.said), ("A sweep is not trusted.", "A sweep is not trusted.")]
)
def test_a_stage_passes_on_what_is_chosen_and_says_why_it_ended(monkeypatch, scene, reason, said):
    made = played(monkeypatch, reason)
    course = PLUGS.of("adaptive")(AdaptiveStage({"g_M": 0.05}, most=7, least=1.0), scene)
    assert course.send(None) == CHOSE
    assert course.send(None).stimulus == step(50.0)
    with pytest.raises(StopIteration) as end:
        course.send("its trial")
    assert end.value.value.said == said and end.value.value.is_reached is (reason is None)
    (question,) = made
    # A bit is .69 nat; a choice is waited for.
    assert question.settings.worth == pytest.approx(0.693, abs=1e-3) and question.interval == 0.0
    assert (question.settings.sweeps, dict(question.settings.widths), question.mode) == (7, {"g_M": 0.05}, "automatic")
