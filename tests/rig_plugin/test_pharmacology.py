"""Control, drug and control in a session: the clamp is on under the drug alone, and no posterior rests on that."""

import json

import h5py
import numpy as np
import pytest

from estimators.drug_forecast import DrugForecast
from estimators.drug_score import DrugScore
from estimators.features import NAMES
from estimators.observer import Observer, Verdict
from estimators.virtual_drug import DrugError
from hardware.dynamic_clamp import Conductance, DynamicClamp
from hardware.model_cell import ModelCell
from hardware.recorder import Recorder
from hardware.rig import RigClosed, RigError
from rig_plugin.dosing import PHASES
from rig_plugin.opening import network
from rig_plugin.pharmacology import Pharmacology, injected
from rig_plugin.protocol import Request
from rig_plugin.rigs import model_cell
from rig_plugin.session import Session
from rig_plugin.settings import RigSettings, Settings
from simulators.gate_table import pospischil_gates
from simulators.stimulus import Dose, step
from tests.rig_plugin.estimate import PARAMETERS, STEPS, Estimate, passive

M = Conductance("g_M", (pospischil_gates(-56.0, 800.0)["p"],), -93.0, -5.0)
CLAMP = DynamicClamp((M,), 500.0)
DRUGGED = {"clamp": CLAMP, "doses": (Dose("C", 1.0, -5.0),)}


class Apart(Estimate):
    """An observer that notes what it left aside."""

    def aside(self, reason):
        self.calls.append("aside")
        return Verdict(np.tile([100.0, 0.0], (9, 1)), self.used, False, 1.0, (reason,))


@pytest.fixture
def rig():
    return ModelCell(passive, pace="max", room=1)


def session(rig, observer, protocol, recorder=None):
    return Session(rig, observer, PARAMETERS, protocol, recorder)


def test_a_sweep_under_a_drug_is_played_with_the_clamp_and_enters_no_posterior(rig, tmp_path):
    added = []
    rig._simulate = lambda stimulus, rate, rng: (added.append(rig.added), passive(stimulus, rate, rng))[1]
    observer, path = Apart(), tmp_path / "cell.h5"
    protocol = (Request(s, phase=PHASES[bool(d)], **d) for s, d in zip(STEPS, ({}, DRUGGED, {}), strict=True))
    trials = list(session(rig, observer, protocol, Recorder(path, {})).trials())
    assert added == [None, "g_M of -5 nS", None]
    assert observer.calls == ["warm", "expect", "observe", "aside", "expect", "observe"]
    assert [trial.sweeps_used for trial in trials] == [1, 1, 2]
    assert [trial.trust.in_distribution for trial in trials] == [True, False, True]
    assert (
        trials[1].trust.reason
        == "Recorded under a virtual drug (5 pF of C taken away): no posterior rests on this sweep."
    )
    with h5py.File(path) as file:
        told = [json.loads(file[f"sweeps/{k:06d}/summary"][()]) for k in range(3)]
    assert [one["phase"] for one in told] == ["control before", "drug", "control before"]
    assert told[1]["drug"]["conductances"] == [{"name": "g_M", "maximum_nS": -5.0, "reversal_mV": -93.0}]
    assert "drug" not in told[0]


@pytest.mark.parametrize("end", ["stop", "error"])
def test_the_clamp_is_off_however_a_sweep_under_a_drug_ends(rig, end):
    class Ends:
        def block(self, response, command):
            assert rig.added is not None
            if end == "stop":
                running.stop()

    observer = Apart()
    if end == "error":
        observer.aside = lambda reason: 1 / 0
    running = Session(rig, observer, PARAMETERS, iter_of(Request(STEPS[0], **DRUGGED)), None, [Ends()])
    try:
        running.run()
    except ZeroDivisionError:
        assert end == "error"
    assert rig.clamped is None
    assert rig.output == rig.exit_level


def iter_of(*requests):
    yield from requests


def test_a_rig_without_a_clamp_and_a_clamp_without_room_put_nothing_out(rig):
    class Bare(ModelCell):
        clamp = None

    for one, said in ((ModelCell(passive, pace="max"), "clamps 0 at once"), (Bare(passive), "no dynamic clamp")):
        played = []
        one._start = played.append
        with pytest.raises(RigError, match=said):
            session(one, Apart(), iter_of(Request(STEPS[0], **DRUGGED))).run()
        assert played == []


def test_a_model_cell_is_clamped_while_it_is_open_and_does_not_play(rig):
    with pytest.raises(RigClosed):
        rig.clamp(CLAMP)
    with rig:
        rig.clamp(CLAMP)
        assert rig.added == "g_M of -5 nS"
        playing = rig.play(STEPS[0])
        next(playing)
        with pytest.raises(RigError, match="is playing"):
            rig.clamp(None)
        playing.close()
    assert rig.clamped is None


def test_the_simulated_rig_fires_more_with_its_g_M_taken_away():
    counts = []
    with model_cell(Settings(rig=RigSettings(seed=1, pace="max"))) as rig:
        for clamp in (None, DynamicClamp((M,), 500.0), None):
            rig.clamp(clamp)
            trace = np.concatenate([b.response for b in rig.play(step(250.0, onset=100.0, duration=300.0, tail=20.0))])
            counts.append(int(((trace[:-1] < -10.0) & (trace[1:] >= -10.0)).sum()))
    assert counts[1] > counts[0]
    assert counts[0] == counts[2]


@pytest.fixture(scope="module")
def checkpoint():
    return network(None)


FAMILY = tuple(step(pA, onset=200.0, duration=300.0, tail=100.0) for pA in (-40.0, 120.0, 220.0))


def told_of(checkpoint, factor, stimuli=FAMILY, skip=None):
    told = []
    experiment = Pharmacology(checkpoint, stimuli, "g_M", factor, told.append)
    with_skips = experiment.protocol()
    rig = model_cell(Settings(rig=RigSettings(seed=3, pace="max")))
    running = Session(rig, Observer(checkpoint), checkpoint.spec.parameters, with_skips)
    if skip is not None:
        ask = running._gate._pass
        running._gate._pass = lambda request, *rest: request.place != skip and ask(request, *rest)
    return told, list(running.trials())


@pytest.mark.long
def test_an_experiment_ends_in_a_verdict(checkpoint):
    (forecast, scored), trials = told_of(checkpoint, -0.6)
    assert isinstance(forecast, DrugForecast)
    assert isinstance(scored, DrugScore)
    assert len(trials) == 9
    assert [trial.sweeps_used for trial in trials] == [1, 2, 3, 3, 3, 3, 4, 5, 6]
    assert scored.verdict in ("confirmed", "not decided")
    assert scored.coverage > 0.6
    assert injected(forecast.drug).conductances[0].maximum == pytest.approx(-0.6 * forecast.drug.own)


def test_an_experiment_that_can_have_no_drug_ends_with_its_control(checkpoint):
    told, trials = told_of(checkpoint, 9.0, FAMILY[:1])
    assert isinstance(told[0], DrugError)
    assert len(trials) == 1


def test_a_sweep_that_is_passed_over_ends_the_experiment(checkpoint):
    told, trials = told_of(checkpoint, -0.5, FAMILY[:1], skip=0)
    assert "was passed over" in str(told[0])
    assert trials == []


def test_phases_are_played_one_after_the_other_with_the_clamp_in_the_middle(checkpoint):
    experiment = Pharmacology(checkpoint, FAMILY[:2], "g_M", -0.5, lambda what: None)
    first = next(experiment.protocol())
    assert (first.phase, first.clamp, first.place, first.count) == ("control before", None, 0, 6)
    assert first.following == FAMILY[1]
    assert len(NAMES) == 51
