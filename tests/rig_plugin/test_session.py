import logging
import threading

import h5py
import numpy as np
import pytest

from estimators.features import NAMES
from hardware.model_cell import ModelCell
from hardware.passage import History
from hardware.recorder import Recorder, RecorderError
from hardware.rig import Provenance, RigError
from rig_plugin.interval import Interval
from rig_plugin.protocol import Request, family
from rig_plugin.quality import Quality
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.session import Session
from simulators.limits import Limits
from simulators.stimulus import Epoch, Stimulus, step
from simulators.sweep import Junction
from tests.rig_plugin.estimate import PARAMETERS, SAMPLES, STEPS, Estimate, Notes, overlaid, passive


@pytest.fixture
def rig():
    return ModelCell(passive, pace="max")


@pytest.fixture
def estimate():
    return Estimate()


@pytest.fixture
def make(rig, estimate):
    def make(protocol=None, recorder=None, *listeners):
        return Session(rig, estimate, PARAMETERS, protocol or family(STEPS), recorder, listeners)

    return make


def test_every_stimulus_becomes_a_trial(make, estimate):
    trials = list(make().trials())
    assert [trial.index for trial in trials] == [0, 1, 2]
    assert [trial.sweep.stimulus.amplitude for trial in trials] == [-50.0, 0.0, 50.0]
    assert [trial.sweeps_used for trial in trials] == [1, 2, 3]
    assert trials[0].features["rest"] == pytest.approx(-70.0, abs=0.01)
    assert trials[0].features["steady_deflection"] == pytest.approx(-5.0, abs=0.01)
    assert set(trials[0].features) == set(NAMES)


def test_all_is_warm_before_the_rig_opens_and_a_sweep_is_expected_before_it_is_observed(make, estimate):
    make().run()
    assert estimate.calls == ["warm"] + 3 * ["expect", "observe"]


def test_the_protocol_is_sent_each_trial(make):
    sent = []

    def adaptive():
        for stimulus in STEPS:
            sent.append((yield stimulus))

    trials = list(make(adaptive()).trials())
    assert sent == trials


def test_an_empty_protocol_makes_no_trial(make):
    notes = Notes()
    assert list(make(family(()), None, notes).trials()) == []
    assert notes.told == [("ended", None)]


def test_a_listener_hears_all_of_it_in_order(make):
    notes = Notes()
    make(None, None, notes).run()
    events = [name for name, *_ in notes.told if name not in ("block", "status")]
    assert events == 3 * ["started", "finished"] + ["ended"]
    blocks = np.concatenate([response for response, _ in notes.named("block")])
    assert blocks.size == SAMPLES
    assert max(response.size for response, _ in notes.named("block")) <= 400
    last = notes.named("status")[-1][0]
    assert (last.expected, last.received, last.lost) == (SAMPLES, SAMPLES, 0)


def test_what_cells_of_the_posterior_do_is_told_after_the_trial_and_only_where_it_was_asked_for(rig, estimate, make):
    notes = Notes()
    overlaid(rig, estimate, notes).run()
    events = [name for name, *_ in notes.told if name not in ("block", "status")]
    assert events == 3 * ["started", "finished", "overlaid"] + ["ended"]
    assert [trial for trial, _ in notes.named("overlaid")] == [0, 1, 2]
    assert estimate.calls[0] == "warm for overlays"
    make().run()
    assert estimate.calls.count("overlay") == 3
    assert estimate.calls.count("warm") == 1


def test_an_overlay_lies_over_the_recording_as_it_is_and_where_its_part_was_taken(rig, estimate, monkeypatch):
    origin = Provenance(None, "recorded channel", "measured", Junction("uncorrected", 10.0), 0.004)
    monkeypatch.setattr(ModelCell, "provenance", origin)
    notes = Notes()
    overlaid(rig, estimate, notes, protocol=family([step(50.0, onset=400.0, duration=200.0, tail=50.0)])).run()
    band = notes.named("overlaid")[0][1]
    assert band.times[0] == pytest.approx(150.5)
    assert band.times[-1] == pytest.approx(649.5)
    in_the_step = (band.times > 400.0) & (band.times < 600.0)
    np.testing.assert_allclose(band.low, np.where(in_the_step, -90.0 + 10.0 + 0.2, -90.0 + 10.0))
    np.testing.assert_allclose(band.high - band.low, 10.0)


def test_a_sweep_that_is_not_used_has_no_overlay(rig, estimate):
    notes = Notes()

    def protocol():
        yield Request(None, refusal="It is not a sweep.")
        yield STEPS[0]

    overlaid(rig, estimate, notes, protocol=protocol()).run()
    assert [trial for trial, _ in notes.named("overlaid")] == [1]


@pytest.mark.parametrize("event", ["started", "block", "finished", "status", "ended"])
def test_a_failing_listener_never_stops_a_recording(make, event, caplog):
    def fail(*_):
        raise ZeroDivisionError

    caplog.set_level(logging.CRITICAL, logger="rig_plugin")
    sound = Notes()
    assert len(list(make(None, None, Notes({event: fail}), sound).trials())) == 3
    assert len(sound.named("finished")) == 3


def test_a_trial_is_saved_before_anyone_is_told(make, tmp_path):
    recorder = Recorder(tmp_path / "cell.h5", {})
    seen = []

    def look(trial):
        with h5py.File(recorder.path) as file:
            sweep = file[f"sweeps/{trial.index:06d}"]
            seen.append((bool(sweep.attrs["complete"]), float(sweep["features/rest"][()]) == trial.features["rest"]))

    make(None, recorder, Notes({"finished": look})).run()
    assert seen == 3 * [(True, True)]


def test_stop_ends_within_one_block_and_returns_to_the_exit_state(make, rig, estimate):
    session = None
    notes = Notes({"block": lambda *_: session.stop()})
    session = make(None, None, notes)
    assert list(session.trials()) == []
    assert len(notes.named("block")) == 1
    assert rig.output == rig.exit_level
    assert notes.told[-1] == ("ended", None)
    assert "observe" not in estimate.calls


def test_stop_between_sweeps_plays_no_other(make):
    session = None
    session = make(None, None, Notes({"finished": lambda *_: session.stop()}))
    assert len(list(session.trials())) == 1


def test_a_stop_that_comes_as_a_sweep_begins_is_not_forgotten(make):
    session = None
    notes = Notes({"started": lambda *_: session._stopping.set()})
    session = make(None, None, notes)
    assert list(session.trials()) == []
    assert len(notes.named("block")) == 1


def test_stop_just_before_the_next_sweep_plays_nothing(make, rig, monkeypatch):
    notes = Notes()
    session = make(None, None, notes)
    monkeypatch.setattr(rig, "seen", lambda stimulus: session.stop() or stimulus)
    session.run()
    assert notes.named("started") == []


def test_stop_does_not_wait_for_the_pause_between_sweeps(rig, estimate):
    first = threading.Event()
    notes = Notes({"finished": lambda *_: first.set()})
    session = Session(rig, estimate, PARAMETERS, family(STEPS), None, (notes,), interval=Interval(3.6e6))
    thread = threading.Thread(target=session.run)
    thread.start()
    assert first.wait(60)
    session.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_abandoned_trials_leave_the_cell_at_rest_and_the_file_closed(make, rig, tmp_path):
    recorder = Recorder(tmp_path / "cell.h5", {})
    notes = Notes()
    trials = make(None, recorder, notes).trials()
    next(trials)
    trials.close()
    assert rig.output == rig.exit_level
    assert notes.told[-1] == ("ended", None)
    with pytest.raises(RecorderError, match="closed"):
        recorder.flush()


def test_a_failing_rig_is_told_and_the_file_is_closed(estimate, tmp_path):
    rig = ModelCell(lambda *_: np.zeros(3), pace="max")
    recorder = Recorder(tmp_path / "cell.h5", {})
    notes = Notes()
    with pytest.raises(RigError):
        Session(rig, estimate, PARAMETERS, family(STEPS), recorder, (notes,)).run()
    assert "The simulator answered with shape" in notes.told[-1][1]
    with pytest.raises(RecorderError, match="closed"):
        recorder.flush()


def test_a_protocol_that_asks_in_voltage_clamp_is_refused_before_any_output(estimate):
    rig = ModelCell(lambda *_: np.zeros(3), pace="max", clamps=("current", "voltage"))
    hold = Stimulus("voltage", (Epoch(-70.0, 10.0), Epoch(-80.0, 10.0)))
    with pytest.raises(RigError, match="a session reads steps of current"):
        Session(rig, estimate, PARAMETERS, family([hold])).run()


def test_the_end_is_told_even_if_the_file_cannot_be_closed(make, tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / "cell.h5", {})
    notes = Notes()
    close = recorder.close

    def full():
        close()
        raise OSError("no space left")

    monkeypatch.setattr(recorder, "close", full)
    with pytest.raises(OSError, match="no space"):
        make(None, recorder, notes).run()
    assert notes.told[-1][0] == "ended"


def test_nothing_beyond_the_limits_is_played(estimate):
    rig = ModelCell(passive, limits=Limits(-40.0, 40.0), pace="max")
    notes = Notes()
    with pytest.raises(ValueError, match="outside the limits"):
        Session(rig, estimate, PARAMETERS, family(STEPS), None, (notes,)).run()
    assert notes.named("started") == []


def test_a_recorded_sweep_that_cannot_be_played_is_a_trial_with_its_reason(make):
    def protocol():
        yield Request(None, file_sweep=4, refusal="The current is unknown.")
        yield STEPS[0]

    refused, played = make(protocol()).trials()
    assert (refused.file_sweep, refused.sweep, refused.posterior) == (4, None, None)
    assert refused.trust.reason == "The current is unknown."
    assert refused.to_json()["features"]["rest"] is None
    assert (played.index, played.sweeps_used) == (1, 1)


@pytest.mark.parametrize(
    ("voltage", "said"), [(0.0, "no cell"), (-700.0, "no membrane does"), (np.nan, "not finite")], ids=str
)
def test_what_shows_no_living_cell_never_reaches_the_network_as_usable(estimate, voltage, said):
    rig = ModelCell(lambda stimulus, rate, rng: np.full(stimulus.command(rate).size, voltage), pace="max")
    (trial,) = Session(rig, estimate, PARAMETERS, family(STEPS[:1])).trials()
    assert trial.posterior is None
    assert said in trial.trust.reason


def test_a_sweep_that_breaks_a_rule_is_saved_and_measured_and_the_next_is_used_again(estimate, tmp_path):
    rests = iter((-70.0, -45.0, -70.2))
    rig = ModelCell(lambda stimulus, rate, rng: passive(stimulus, rate, rng) + 70.0 + next(rests), pace="max")
    recorder = Recorder(tmp_path / "cell.h5", {})
    first, bad, last = Session(rig, estimate, PARAMETERS, family(STEPS), recorder).trials()
    assert [trial.sweeps_used for trial in (first, bad, last)] == [1, 1, 2]
    assert not bad.trust.in_distribution
    assert "The rest is -45.0 mV, above -50 mV: the cell may be dying, patch another" in bad.trust.reason
    assert "(rule rest)" in bad.trust.reason
    assert bad.features["rest"] == pytest.approx(-45.0, abs=0.01)
    assert last.trust.reason is None
    with h5py.File(tmp_path / "cell.h5") as file:
        kept = file["sweeps/000001"]
        assert kept["features/rest"][()] == bad.features["rest"]
        assert kept["response"].size == 7000 and b"(rule rest)" in kept["summary"][()]


def test_a_rule_that_only_warns_withholds_nothing(estimate):
    rig = ModelCell(lambda stimulus, rate, rng: passive(stimulus, rate, rng) + 25.0, pace="max")
    quality = Quality(QualitySettings(warn=("rest",)))
    (trial,) = Session(rig, estimate, PARAMETERS, family(STEPS[:1]), quality=quality).trials()
    assert trial.posterior is not None
    assert trial.trust.reason.startswith("The rest is -45.0 mV") and "(rule rest)" in trial.trust.reason


def test_junction_and_bridge_are_corrected_before_the_features(rig, estimate, monkeypatch):
    origin = Provenance(None, "recorded channel", "measured", Junction("uncorrected", 14.0), 0.02)
    monkeypatch.setattr(ModelCell, "provenance", origin)
    first, _, last = Session(rig, estimate, PARAMETERS, family(STEPS)).trials()
    assert first.features["rest"] == pytest.approx(-84.0, abs=0.01)
    assert last.features["steady_deflection"] == pytest.approx((0.1 - 0.02) * 50.0, abs=0.01)
    assert last.sweep.response[0] == -70.0
    assert estimate.contexts[0].start == 0.0
    assert estimate.contexts[2].start == 10.0


def test_an_unknown_holding_goes_into_an_effective_e_leak_and_is_no_number(rig, estimate, monkeypatch):
    monkeypatch.setattr(ModelCell, "provenance", Provenance())
    held = step(50.0, holding=-30.0, onset=100.0, duration=200.0, tail=50.0)
    (trial,) = Session(rig, estimate, PARAMETERS, family([held])).trials()
    context = estimate.contexts[0]
    assert (context.holding, context.holding_known, context.amplitude) == (-30.0, 1.0, 50.0)
    assert trial.to_json()["stimulus"]["holding_pA"] is None
    assert "E_leak is the effective one, at holding" in trial.trust.reason


def test_features_are_taken_from_the_crop_only(make, estimate):
    long = Stimulus("current", (Epoch(-300.0, 100.0), Epoch(0.0, 400.0), Epoch(50.0, 200.0), Epoch(0.0, 900.0)), 2)
    (trial,) = make(family([long])).trials()
    context = estimate.contexts[0]
    assert (context.baseline, context.duration, context.tail) == (250.0, 200.0, 300.0)
    assert (context.history_level, context.history_duration, context.history_gap) == (-300.0, 100.0, 400.0)
    assert trial.features["rest"] == pytest.approx(-70.0, abs=0.01)
    assert trial.features["steady_deflection"] == pytest.approx(5.0, abs=0.01)
    assert trial.sweep.response.size == 1600 * 20


def test_what_came_before_a_passage_is_told_to_the_network(make, estimate):
    def protocol():
        yield Request(STEPS[0], History(-100.0, 900.0, 2000.0))

    make(protocol()).run()
    context = estimate.contexts[0]
    assert (context.history_level, context.history_duration, context.history_gap) == (-100.0, 600.0, 1000.0)
