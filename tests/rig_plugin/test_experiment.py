"""A script is played stage by stage; what is decided is told and kept with its reason, and a stop leaves the cell."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.signal import lfilter

from hardware.decision import Decision
from hardware.kept.decisions import decisions
from hardware.kept.session import kept_session
from hardware.membrane import membrane
from hardware.model_cell import ModelCell
from hardware.pulse import CURRENT, VOLTAGE
from hardware.recorder import Recorder
from hardware.replay import Replay
from hardware.rig import RigError
from rig_plugin.experiment import Experiment, ExperimentStopped
from rig_plugin.former import former
from rig_plugin.narration import retold
from rig_plugin.plug import NO_PLUGS, Outcome, Plugs, Scene
from rig_plugin.script import Script
from rig_plugin.session import Session
from rig_plugin.settings import ProtocolSettings, Settings
from rig_plugin.stages import (
    AdaptiveStage,
    DrugStage,
    FamilyStage,
    MembraneTestStage,
    RestStage,
    Stops,
    WaitStage,
)
from simulators.refusal import Refusal
from simulators.stimulus import step
from tests.rig_plugin.estimate import PARAMETERS, Estimate, Notes

FAMILY = FamilyStage(ProtocolSettings(amplitudes=(-50.0, 50.0), onset=100.0, duration=200.0, tail=50.0))
STEP = step(30.0, onset=100.0, duration=200.0, tail=50.0)
MEGA = 1e-3


class Patch:
    """What is before the pipette, a membrane of 200 MOhm and 100 pF by default, at each play in turn."""

    def __init__(self, access=(10.0,), rest=(-70.0,), glass=()):
        self.access, self.rest, self.glass = list(access), list(rest), list(glass)
        self.played = 0

    def __call__(self, stimulus, rate, rng):
        command, self.played = stimulus.command(rate), self.played + 1
        if self.glass and stimulus.clamp == "voltage":
            return (command + 70.0) / self.glass.pop(0) / MEGA
        rest = self.rest.pop(0) if len(self.rest) > 1 else self.rest[0]
        if stimulus.clamp == "current":
            return rest + _settled(command, 20.0, rate) * 200.0 * MEGA
        access = self.access.pop(0) if len(self.access) > 1 else self.access[0]
        share = 200.0 / (200.0 + access)
        membrane = rest + _settled(command - rest, 100.0 * access * share * MEGA, rate) * share
        return (command - membrane) / access / MEGA


def _settled(command, tau, rate):
    keep = np.exp(-1.0 / (tau * rate))
    filtered, _ = lfilter([1.0 - keep], [1.0, -keep], command, zi=[keep * command[0]])
    return filtered


@pytest.fixture
def play(tmp_path):
    """Play a script on a patch; give what was told, what was kept, and why it stopped."""

    def play(stages, patch=None, stops=Stops(), plugs=NO_PLUGS, estimate=None, then=None, first=0):
        rig = ModelCell(patch or Patch(), pace="max", interval=1000.0, clamps=("current", "voltage"), exit_level=-7.0)
        estimate, notes = estimate or Estimate(), Notes(then)
        scene = Scene(rig, estimate, SimpleNamespace(), Settings())
        experiment = Experiment(Script(tuple(stages), stops), scene, plugs, first, "was over in a.h5.")
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.h5"
        session = Session(rig, estimate, PARAMETERS, experiment.protocol(), Recorder(path, {}), [notes])
        if then:
            then["session"] = session
        error = None
        try:
            session.run()
        except Refusal as refusal:
            error = refusal
        told = [decision for (decision,) in notes.named("decided")]
        assert repr(decisions(path)) == repr(told)
        assert rig.output == -7.0
        return SimpleNamespace(told=told, notes=notes, error=error, path=path, estimate=estimate)

    return play


def events(played):
    return [(each.stage, each.event) for each in played.told]


def test_stages_are_played_in_order_and_each_decision_is_told_and_kept_with_its_reason(play):
    stages = [WaitStage(access=20.0, holding=50.0), RestStage(40.0), FAMILY, MembraneTestStage("current", 1000.0)]
    done = play(stages)
    assert done.error is None
    assert events(done) == [
        (0, "began"), (0, "met"), (0, "met"), (0, "ended"),
        (1, "began"), (1, "ended"),
        (2, "began"), (2, "ended"),
        (3, "began"), (3, "measured"), (3, "ended"),
        (-1, "finished"),
    ]  # fmt: skip
    met = done.told[1]
    assert (met.kind, met.criterion, met.bound, met.unit) == ("wait", "access_MOhm", 20.0, "MOhm")
    assert met.measured == pytest.approx(10.0, abs=0.5)
    assert met.said == f"The access resistance is {met.measured:.3g} MOhm, as wanted, at most 20 MOhm."
    assert "held for 0.04 s" in done.told[5].said
    assert "2 sweeps are through" in done.told[7].said
    assert "in current clamp: whole cell" in done.told[9].said
    # Sweeps and samples that had come: of the first test 4800, of the rest 800, of each sweep 7000.
    assert [each.sweeps for each in done.told] == [0] * 7 + [2] * 5
    assert [each.sample for each in done.told[4:8]] == [4800, 5600, 5600, 19600]
    assert len(done.notes.named("finished")) == 2
    # The first test meets the criteria; two tests a second apart last a second.
    assert len(done.notes.named("tested")) == 3
    assert done.notes.named("ended") == [[None]]


def test_samples_of_membrane_tests_are_kept_apart_from_the_sweeps_with_what_was_read_off_them(play):
    stages = [WaitStage(access=20.0), FAMILY, MembraneTestStage("current", 1000.0)]
    done = play(stages, Patch(access=(40.0, 12.0)))
    told = [tested for (tested,) in done.notes.named("tested")]
    with kept_session(done.path) as session:
        assert len(session.sweeps) == 2
        assert [test.stimulus.clamp for test in session.tests] == ["voltage"] * 2 + ["current"] * 2
        for kept, tested in zip(session.tests, told, strict=True):
            assert kept.complete and not kept.losses
            assert kept.summary == tested.to_json()
            pulse = VOLTAGE if kept.stimulus.clamp == "voltage" else CURRENT
            assert kept.stimulus == pulse.stimulus()
            response = kept.response.read(0, kept.response.samples)
            again = membrane(pulse, response, kept.rate, corner=Settings().electrode.corner)
            assert repr(again) == repr(tested.membrane)


def test_a_test_that_was_broken_off_is_kept_as_far_as_it_came_and_counts_as_unfinished(play):
    then = {"block": lambda *block: then["session"].stop()}
    done = play([MembraneTestStage("current", 1e6)], then=then)
    assert not done.notes.named("tested")
    with kept_session(done.path) as session:
        (test,) = session.tests
        assert not test.complete and 0 < test.response.samples < test.stimulus.samples(test.rate)
        assert test.losses[0].where == "membrane test 0"
    (status,) = done.notes.named("status")[-1]
    assert status.received == status.expected == test.response.samples


def test_a_wait_ends_when_one_test_meets_all_and_by_the_rig_s_clock_when_none_does(play):
    clearing = Patch(access=(40.0, 30.0, 12.0, 12.0))
    done = play([WaitStage(access=20.0)], clearing)
    assert (clearing.played, events(done)[-2]) == (3, (0, "ended"))
    assert "test 3 met" in done.told[2].said
    clogged = Patch(access=(40.0,))
    done = play([WaitStage(access=20.0, within=3000.0), FAMILY], clogged)
    assert clogged.played == 4
    assert events(done) == [(0, "began"), (0, "missed"), (0, "stopped")]
    assert (done.told[1].measured, done.told[1].bound) == (pytest.approx(40.0, abs=2.0), 20.0)
    assert "access resistance did not come within 3 s" in done.told[2].said
    assert isinstance(done.error, ExperimentStopped)
    assert "stage 1 (wait) of 2" in str(done.error) and "-7 pA" in str(done.error)
    assert done.notes.named("ended") == [[str(done.error)]]
    done = play([WaitStage(access=20.0, within=3000.0, otherwise="go on"), FAMILY], Patch(access=(40.0,)))
    assert done.error is None and (1, "ended") in events(done)
    assert "goes on all the same" in done.told[2].said


def test_a_seal_is_the_best_before_break_in_and_a_bath_has_neither_access_nor_rest(play):
    stages = [WaitStage(seal=1.0), WaitStage(access=20.0)]
    done = play(stages, Patch(glass=(5.0, 400.0, 2500.0, 800.0)))
    assert done.told[1].measured == pytest.approx(2.5, abs=0.01)
    assert "test 3 met" in done.told[2].said
    assert "test 2 met" in done.told[5].said
    done = play([WaitStage(access=20.0, within=1000.0)], Patch(glass=[5.0] * 9))
    assert np.isnan(done.told[1].measured) and "access resistance is unknown" in done.told[1].said


def test_a_drift_is_waited_out(play):
    done = play([WaitStage(drift=1.0)], Patch(rest=(-60.0, -64.0, -66.0, -66.5)))
    assert "test 4 met" in done.told[2].said
    assert done.told[1].measured == pytest.approx(-0.5, abs=0.1)


class Strange(Estimate):
    """An observer that trusts nothing."""

    def observe(self, row, context, prediction=None, refusal=None):
        return super().observe(row, context, prediction, "It is odd.")


@pytest.mark.parametrize(
    ("stages", "rest", "key", "said"),
    [
        ([FAMILY], {"stops": Stops(rest=-75.0)}, "rest_mV", "The rest is -70 mV, at most -75 mV"),
        (
            [FAMILY],
            {"stops": Stops(drift=0.5), "patch": Patch(rest=(-70.0, -69.4))},
            "drift_mV",
            "is 0.6 mV, at most 0.5",
        ),
        ([FAMILY], {"estimate": Strange()}, "on_distrust", "Sweep 0 is not trusted: It is odd."),
        (
            [MembraneTestStage(), FAMILY],
            {"stops": Stops(access=9.0)},
            "access_MOhm",
            "at most 9 MOhm was wanted ([stop]",
        ),
        (
            [MembraneTestStage(), FAMILY],
            {"stops": Stops(holding=1.0), "patch": Patch(rest=(-60.0,))},
            "holding_pA",
            "pA",
        ),
        ([MembraneTestStage("current")], {"stops": Stops(rest=-75.0)}, "rest_mV", "The rest is -70 mV"),
    ],
)
def test_what_is_in_stop_ends_the_experiment_with_its_reason(play, stages, rest, key, said):
    done = play(stages, **rest)
    last = done.told[-1]
    assert (last.event, last.criterion) == ("stopped", key)
    assert said in last.said and last.said in str(done.error)
    assert not any(each.is_over for each in done.told)


def test_distrust_goes_on_where_the_script_says_so_and_stops_hold_neither_waits_nor_drugs(play):
    done = play([FAMILY], stops=Stops(on_distrust="go on"), estimate=Strange())
    assert done.error is None

    def drug(stage, scene):
        yield STEP
        return Outcome("The drug was washed out.")

    stages = [WaitStage(access=20.0), DrugStage("C", -0.8)]
    done = play(stages, Patch(access=(40.0, 10.0), rest=(-60.0,)), Stops(access=30.0, rest=-65.0), Plugs(drug=drug))
    assert done.error is None and "washed out" in done.told[-2].said


def test_an_adaptive_stage_is_played_by_who_is_plugged_in_and_says_why_it_ended(play):
    scenes, trials = [], []

    def adaptive(stage, scene):
        scenes.append(scene)
        for _ in range(stage.most):
            yield Decision(-1, "adaptive", "chose", "A step of 30 pA teaches most.")
            trials.append((yield STEP))
        return Outcome("C is known to 3 pF.", True, "C", 3.0, 5.0, "pF")

    stage = AdaptiveStage({"C": 5.0}, most=2)
    done = play([FAMILY, stage], plugs=Plugs(adaptive=adaptive))
    assert [trial.index for trial in trials] == [2, 3]
    assert scenes[0].observer is done.estimate and scenes[0].last.index == 1
    chose = [(each.stage, each.said) for each in done.told if each.event == "chose"]
    assert chose == 2 * [(1, "A step of 30 pA teaches most.")]
    ended = done.told[-2]
    assert (ended.said, ended.measured, ended.bound) == ("Stage 2 (adaptive) is over: C is known to 3 pF.", 3.0, 5.0)

    def failing(stage, scene):
        yield STEP
        raise Refusal("No candidate is safe.")

    done = play([stage], plugs=Plugs(adaptive=failing))
    assert events(done)[-1] == (0, "stopped") and done.told[-1].said == "No candidate is safe."
    assert "No candidate is safe." in str(done.error)
    assert play([FAMILY, stage]).told[-1].event != "finished"


@pytest.mark.parametrize("stages", [[RestStage(0.0)], [MembraneTestStage(lasts=0.0)], [WaitStage(access=1.0)]])
@pytest.mark.parametrize("how", ["stop", "end"])
def test_a_stage_that_somebody_breaks_off_is_not_over(play, stages, how):
    then = {}
    then["block"] = lambda *what: getattr(then["session"], how)()
    done = play(stages, then=then)
    assert done.error is None
    assert events(done) == [(0, "began"), (0, "stopped")]
    assert done.told[-1].said.startswith("Somebody ended the session in stage 1")


def test_a_script_goes_on_after_the_stages_that_are_over(play):
    done = play([WaitStage(seal=1.0), RestStage(40.0), FAMILY], first=2)
    assert events(done) == [(0, "taken over"), (1, "taken over"), (2, "began"), (2, "ended"), (-1, "finished")]
    assert done.told[0].said == "Stage 1 (wait) was over in a.h5."


def test_a_sweep_that_was_passed_over_is_told(play):
    then = {}
    then["decided"] = lambda decision: then["session"].gate("auto")
    then["proposed"] = lambda proposed: then["session"].skip() if not proposed.place else None
    done = play([FAMILY], then=then)
    assert "2 sweeps are through, 1 of which were passed over" in done.told[1].said


def test_a_rig_that_fails_ends_the_session_and_the_stage_is_not_over(play):
    def fail(stimulus, rate, rng):
        raise RigError("The cable is out.")

    done = play([FAMILY], fail)
    assert str(done.error) == "The cable is out."
    assert events(done) == [(0, "began"), (0, "stopped")]
    assert done.told[-1].said == "The session failed in stage 1 (family), which is not over: The cable is out."


def test_a_course_that_is_broken_off_is_closed_so_that_it_can_clean_up(play, caplog):
    closed = []

    def drug(stage, scene):
        try:
            yield STEP
            yield STEP
        finally:
            closed.append(True)

    then = {}
    then["finished"] = lambda trial: then["session"].stop()
    done = play([DrugStage("C", -0.8)], plugs=Plugs(drug=drug), then=then)
    assert closed == [True]
    assert events(done) == [(0, "began"), (0, "stopped")]

    def failing(stage, scene):
        try:
            yield STEP
            yield STEP
        finally:
            raise OSError("The clamp does not answer.")

    done = play([DrugStage("C", -0.8)], plugs=Plugs(drug=failing), then=then)
    assert (done.error, done.notes.named("ended")) == (None, [[None]])
    assert "when it was broken off" in caplog.text


def test_a_recording_tells_its_decisions_again_between_the_same_sweeps(play):
    done = play([MembraneTestStage(), FAMILY, FAMILY, WaitStage(access=20.0)])
    rig, notes = Replay(done.path, speed="max"), Notes()
    protocol = retold(rig.stimuli, tuple(decisions(done.path)))
    Session(rig, Estimate(), PARAMETERS, protocol, None, [notes]).run()

    def course(told):
        return [what.said if event == "decided" else what.index for event, *(what,) in told]

    both = [[each for each in who.told if each[0] in ("decided", "finished")] for who in (done.notes, notes)]
    assert course(both[1]) == course(both[0])
    assert repr([what for event, what in both[1] if event == "decided"]) == repr(done.told)


def test_an_observer_is_shown_of_a_former_recording_what_it_saw_live(play):
    done, again = play([FAMILY, FAMILY]), Estimate()
    assert former(done.path).take_in(again) == 4
    assert again.contexts == done.estimate.contexts
    np.testing.assert_array_equal(again.rows, done.estimate.rows)


def test_a_decision_that_is_told_without_a_recording_has_its_time():
    def protocol():
        yield Decision(0, "rest", "began", "It begins.")
        yield STEP

    notes = Notes()
    Session(ModelCell(Patch(), pace="max"), Estimate(), PARAMETERS, protocol(), None, [notes]).run()
    ((told,),) = notes.named("decided")
    assert told.time and (told.sample, told.sweeps) == (-1, -1)
