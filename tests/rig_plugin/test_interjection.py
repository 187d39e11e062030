"""A drug that is asked for while a session runs: given between two sweeps, refused in words, or ended with it."""

from types import SimpleNamespace

import pytest

from hardware.decision import Decision
from hardware.model_cell import ModelCell
from rig_plugin import interjection
from rig_plugin.dosing import Dosing
from rig_plugin.interjection import DrugSession, Interjection
from rig_plugin.plug import Outcome, Scene
from rig_plugin.protocol import family
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.settings import Settings, SettingsError
from rig_plugin.stages import DrugStage
from simulators.stimulus import step
from tests.rig_plugin.estimate import PARAMETERS, STEPS, Estimate, Notes, passive

STAGE = DrugStage("g_M", -0.8, ProtocolSettings(amplitudes=(10.0, 20.0)))
UNDER = step(20.0, onset=100.0, duration=200.0, tail=50.0)


def course(stage, scene):
    """Play one sweep and say so."""
    yield Dosing(stage.conductance, stage.factor, 1)
    trial = yield UNDER
    yield Decision(-1, "drug", "met", f"Sweep {trial.index} came.")
    return Outcome("it is as predicted.")


@pytest.fixture
def run(monkeypatch):
    """Play a family, with a drug asked for at an event; give amplitudes as they were played, and what was told."""

    def run(at, refusal=None, then=None):
        def rehearse(*what):
            if refusal is not None:
                raise SettingsError(refusal)

        monkeypatch.setattr(interjection, "rehearse", rehearse)
        rig = ModelCell(passive, pace="max", interval=1000.0)
        estimate, told = Estimate(), {}
        aside = Interjection(Scene(rig, estimate, SimpleNamespace(), Settings()), course)
        notes = Notes({"finished": lambda trial: trial.index == at and told["session"].give(STAGE), **(then or {})})
        session = DrugSession(rig, estimate, PARAMETERS, aside.around(family(STEPS)), None, [notes])
        session.interjection = aside
        told["session"] = session
        if then is not None:
            then["session"] = session
        session.run()
        played = [trial.sweep.stimulus.amplitude for (trial,) in notes.named("finished")]
        return played, [decision for (decision,) in notes.named("decided")], notes

    return run


def test_a_drug_is_given_when_the_sweep_is_over_in_which_it_was_asked_for(run):
    played, told, notes = run(at=0)
    assert played == [-50.0, 20.0, 0.0, 50.0]
    assert [(each.stage, each.kind, each.event) for each in told] == [
        (-1, "drug", "began"), (-1, "drug", "met"), (-1, "drug", "ended"),
    ]  # fmt: skip
    assert "80 % of g_M taken away" in told[0].said and told[1].said == "Sweep 1 came."
    assert told[2].said == "The virtual drug is over: it is as predicted."
    assert [dosing.conductance for (dosing,) in notes.named("dosed")] == ["g_M"]


def test_one_that_is_asked_for_in_the_last_sweep_is_given_after_it_and_none_where_nobody_asks(run):
    assert run(at=2)[0] == [-50.0, 0.0, 50.0, 20.0]
    played, told, _ = run(at=9)
    assert (played, told) == ([-50.0, 0.0, 50.0], [])


def test_one_that_can_not_be_given_is_said_and_the_session_goes_on(run):
    played, told, notes = run(at=0, refusal="There is no clamp: use another rig.")
    assert played == [-50.0, 0.0, 50.0]
    assert [each.event for each in told] == ["began", "ended"] and "There is no clamp" in told[1].said
    ((dosing,),) = notes.named("dosed")
    assert (dosing.verdict, dosing.sentence, dosing.count) == ("withheld", "There is no clamp: use another rig.", 2)


def test_a_session_that_ends_under_a_drug_says_so(run):
    then = {}
    then["started"] = lambda stimulus, *rest: stimulus.amplitude == 20.0 and then["session"].stop()
    played, told, notes = run(at=0, then=then)
    assert played == [-50.0] and [each.event for each in told] == ["began", "stopped"]
    assert notes.named("ended") == [[None]]
