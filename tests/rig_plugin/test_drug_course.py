"""A virtual drug in a script: what is decided is said, its sweeps are flagged, and the clamp is off however it ends."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from estimators.drug_forecast import Change, DrugForecast
from estimators.drug_score import DrugScore, Return
from estimators.observer import Verdict
from estimators.virtual_drug import DrugError, VirtualDrug
from hardware.kept.decisions import decisions
from hardware.model_cell import ModelCell
from hardware.own import read_own
from hardware.recorder import Recorder
from hardware.rig import RigError
from rig_plugin import pharmacology
from rig_plugin.experiment import Experiment
from rig_plugin.former import former
from rig_plugin.pharmacology import Pharmacology
from rig_plugin.plug import Scene
from rig_plugin.plugs import PLUGS
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.script import Script
from rig_plugin.session import Session
from rig_plugin.settings import Settings
from rig_plugin.stages import DrugStage, FamilyStage
from simulators.gate_table import pospischil_gates
from simulators.harm import Harm
from simulators.injected import Injected
from simulators.refusal import Refusal
from tests.rig_plugin.estimate import PARAMETERS, Estimate, Notes, passive

STEPS = ProtocolSettings(amplitudes=(-20.0, 20.0), onset=100.0, duration=200.0, tail=50.0)
DRUG = VirtualDrug("C", -0.8, 8.0, Injected((pospischil_gates(-56.0, 800.0)["p"],), -93.0, -6.4), -80.0)
RETURNS = (Return("rest", "mV", -70.0, -70.1, 7.0), Return("spike_count", "1", 12.0, 12.0, 1.2))
CONFIRMED = DrugScore("confirmed", "It is as predicted.", 0.6, 1.0, 0.4, {}, ((0, "rest", True),), RETURNS, ("odd",))
EXIT = -7.0
MORE = np.array([-1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 5.0, 5.0, 7.0])


class Forecast(DrugForecast):
    """Expects one more spike."""

    bridge = (0.5, 1.5, 2.5)

    def __init__(self, checkpoint, draws, drug, contexts, seed):
        self.drug, self.contexts = drug, contexts

    def check(self):
        pass

    def changes(self, control=None):
        assert len(control) == len(self.contexts)
        return (Change(1, "spike_count", "1", 0.0, 1.0, 3.0, 5.0, -2.0, 9.0, 0.5),)

    yardstick = SimpleNamespace(along=lambda features: features, back=lambda measured: measured)

    def under(self, control=None, prior=False):
        return control + np.linspace(-2.0, 9.0, 45)[:, None, None] if prior else control + MORE[:, None, None]

    def unchanged(self, before, after=None):
        return before + np.zeros((3, 1, 1)) + (0.0 if after is None else 0.25)


class Apart(Estimate):
    """An observer that keeps no posterior of what it leaves aside."""

    def aside(self, reason):
        self.calls.append("aside")
        return Verdict(None, self.used, False, 1.0, (reason,))


class Rig(ModelCell):
    """Notes what the clamp added whenever it played, and as it was left."""

    def __init__(self, answer=passive):
        super().__init__(self._respond, pace="max", interval=1000.0, exit_level=EXIT, room=1)
        self.asked, self.added_then, self.left = answer, [], "open"

    def _respond(self, stimulus, rate, rng):
        self.added_then.append(self.added)
        return (self.asked if self.clamped is not None else passive)(stimulus, rate, rng)

    def _close(self):
        self.left = self.clamped
        super()._close()


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Play a drug stage, then a family, on a rig; give what was told, what was kept, and why it stopped."""
    monkeypatch.setattr(pharmacology, "DrugForecast", Forecast)

    def play(rig, *, score=CONFIRMED, refusal=None, then=None, estimate=None, harm=None):
        def prescribed(self, last):
            if refusal is not None:
                raise DrugError(refusal)
            return DRUG

        monkeypatch.setattr(Pharmacology, "_prescribed", prescribed)
        monkeypatch.setattr(pharmacology, "score", lambda *what: score)
        estimate, notes, path = estimate or Apart(), Notes(then), tmp_path / "cell.h5"
        stages = (DrugStage("C", -0.8, STEPS), FamilyStage(STEPS))
        experiment = Experiment(Script(stages), Scene(rig, estimate, SimpleNamespace(), Settings()), PLUGS)
        recorder = Recorder(path, {})
        session = Session(rig, estimate, PARAMETERS, experiment.protocol(), recorder, [notes], harm=harm)
        if then is not None:
            then["session"] = session
        error = None
        try:
            session.run()
        except (Refusal, ZeroDivisionError) as failed:
            error = failed
        told = [decision for (decision,) in notes.named("decided")]
        assert repr(decisions(path)) == repr(told)
        assert (rig.left, rig.clamped, rig.output) == (None, None, EXIT)
        return SimpleNamespace(told=told, error=error, path=path, estimate=estimate, notes=notes)

    return play


def events(done):
    return [(each.stage, each.event) for each in done.told]


def test_a_drug_is_said_before_it_is_given_and_judged_after_and_only_its_sweeps_are_flagged(play):
    rig = Rig()
    done = play(rig)
    assert rig.added_then == [None, None, *2 * ["C of -6.4 nS"], None, None, None, None]
    assert events(done) == [
        (0, "began"), (0, "chose"), (0, "predicted"), (0, "met"), (0, "ended"),
        (1, "began"), (1, "ended"),
        (-1, "finished"),
    ]  # fmt: skip
    # It is said when the control is over and nothing was given yet.
    assert [each.sweeps for each in done.told[:4]] == [0, 2, 2, 6]
    chose, predicted, verdict, ended = (each.said for each in done.told[1:5])
    for said in ("-6.4 nS", "time constant up to 220 ms", "0.1 ms late", "1.5 MOhm (0.5 to 2.5)", "-93.0 mV"):
        assert said in chose
    assert "spike count at +20 pA by +3 (+1 to +5; the prior -2 to +9, a repeat within 0.5)" in predicted
    assert "Verdict: confirmed. 1 of 1 features" in verdict
    assert "rest -70 before and -70.1 mV after; spike count 12 before and 12 after" in verdict
    assert ended == "Stage 1 (drug) is over: It is as predicted."
    assert [sweep.stimulus.is_dosed for sweep in read_own(done.path).sweeps] == [False, False, True, True] + 4 * [False]
    # What is known of the cell, live or by what goes on from the file, rests on the others.
    assert (done.estimate.calls.count("observe"), done.estimate.calls.count("aside")) == (6, 2)
    assert len(former(done.path).sweeps) == 6


def test_how_a_drug_stands_is_told_whenever_that_changes(play):
    score = replace(CONFIRMED, inside=((1, "spike_count", False),), strangeness=9.0)
    done = play(Rig(), score=score)
    told = [dosing for (dosing,) in done.notes.named("dosed")]
    assert [dosing.done for dosing in told] == [
        (0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 0, 0), (2, 1, 0), (2, 2, 0), (2, 2, 1), (2, 2, 2), (2, 2, 2),
    ]  # fmt: skip
    assert [dosing.phase for dosing in told] == [0, 0, 1, 1, 1, 2, 2, None, None]
    assert all(dosing.infusion is None and not dosing.expected for dosing in told[:3])
    said, first, second, last = told[3], *told[4:6], told[-1]
    assert (said.infusion.maximum, said.infusion.access.median, said.among) == (-6.4, 1.5, 1)
    (row,) = said.expected
    assert (row.feature, row.step, row.control, row.unit) == ("spike_count", 20.0, 0.0, "1")
    assert (row.drug.median, row.unchanged.median, row.prior.median) == (3.0, 0.0, 3.5)
    # Of the second step only, and not before it was played.
    assert math.isnan(first.expected[0].measured) and first.expected[0].is_inside is None
    assert second.expected[0].measured == 0.0 and second.expected[0].is_inside is True
    # The verdict's own word counts, and what it rests on is shown.
    assert (last.verdict, last.sentence, last.is_strange) == ("confirmed", "It is as predicted.", True)
    assert last.expected[0].is_inside is False and last.expected[0].unchanged.median == 0.25


@pytest.mark.parametrize(("verdict", "event"), [("contradicted", "missed"), ("not decided", "measured"),
                                                ("cell changed", "missed")])  # fmt: skip
def test_a_verdict_that_confirms_nothing_is_no_end_of_the_experiment(play, verdict, event):
    done = play(Rig(), score=DrugScore(verdict, "It is not.", 0.01, 9.0, 3.0, {}, (), (), ()))
    assert events(done)[3:5] == [(0, event), (0, "ended")]
    assert "no cell of the model" in done.told[3].said
    assert events(done)[-1] == (-1, "finished")


def test_a_drug_that_can_not_be_given_is_withheld_with_the_reason_and_the_experiment_goes_on(play):
    rig = Rig()
    done = play(rig, refusal="The posterior is not to be trusted.")
    assert rig.added_then == 4 * [None]
    assert done.notes.named("dosed")[-1][0].verdict == "withheld"
    assert next(each.said for each in done.told if each.event == "ended").endswith("not to be trusted.")
    assert events(done)[-1] == (-1, "finished")


def test_a_sweep_that_harms_the_cell_under_the_drug_ends_it_and_what_follows_is_without(play):
    rig = Rig(lambda stimulus, rate, rng: np.full(stimulus.samples(rate), 20.0))
    done = play(rig, harm=Harm())
    assert rig.added_then == [None, None, "C of -6.4 nS", None, None]
    assert "broken off to keep the cell safe" in next(each.said for each in done.told if each.event == "ended")
    assert events(done)[-1] == (-1, "finished")


@pytest.mark.parametrize("how", ["stop", "end"])
def test_somebody_who_stops_it_under_the_drug_leaves_the_cell_without(play, how):
    then, rig = {}, Rig()
    then["block"] = lambda *what: rig.clamped is not None and getattr(then["session"], how)()
    done = play(rig, then=then)
    assert rig.added_then == [None, None, "C of -6.4 nS"]
    assert events(done)[-1] == (0, "stopped")


@pytest.mark.parametrize("where", ["rig", "reading"])
def test_an_error_under_the_drug_leaves_the_cell_without(play, where):
    def fail(stimulus, rate, rng):
        raise RigError("The cable is out.")

    estimate, rig = Apart(), Rig(fail if where == "rig" else passive)
    if where == "reading":
        estimate.aside = lambda reason: 1 / 0
    done = play(rig, estimate=estimate)
    assert type(done.error) is (RigError if where == "rig" else ZeroDivisionError)
    assert rig.added_then[-1] == "C of -6.4 nS"
    assert events(done)[-1] == (0, "stopped")
