"""What a session tells in the engine is what the window takes, bit by bit, or is counted as skipped."""

import math
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from estimators.oddity import Check, Oddity
from estimators.overlay import Overlay
from estimators.slices import slices
from hardware.decision import Decision
from hardware.membrane import Membrane
from rig_plugin.dosing import Dosing
from rig_plugin.engine.inbox import Inbox
from rig_plugin.engine.outbox import Outbox
from rig_plugin.engine.shared import Shared
from rig_plugin.feed import Ended, Finished, MembraneTested, Overlaid, Sliced, Started
from rig_plugin.membrane_tests import Tested as OneTest
from rig_plugin.proposal import Candidate, Proposed
from rig_plugin.refined import Refined
from rig_plugin.rule import Alarm


@pytest.fixture
def line(scripted):
    """An outbox and an inbox with the memory and the pipe between them."""
    shared = Shared()
    here, there = multiprocessing.Pipe()
    outbox, inbox = Outbox(shared, there, letters=1000), Inbox(shared, scripted.parameters)
    inbox.attach(here)
    yield outbox, inbox
    here.close()
    outbox.close()
    there.close()
    del inbox._shared, outbox._shared
    shared.close()
    shared.unlink()


def taken(inbox, count):
    """Look until so many messages came."""
    messages = []
    while len(messages) < count:
        messages += inbox.take()
    return messages


def play(outbox, scripted, index):
    sweep = scripted.sweep(index)
    outbox.started(sweep.stimulus, sweep.rate, index)
    for first in range(0, sweep.response.size, 400):
        outbox.block(sweep.response[first : first + 400], sweep.command[first : first + 400])
    return sweep


def same(one, other):
    """Whether two trials say the same."""
    assert one.to_json() == other.to_json()
    assert one.predictive == other.predictive
    assert repr(one.trust) == repr(other.trust)
    assert (one.posterior is None) == (other.posterior is None)
    if one.posterior is not None:
        assert one.posterior.parameters == other.posterior.parameters
        np.testing.assert_array_equal(one.posterior.draws, other.posterior.draws)
    if one.sweep is not None:
        np.testing.assert_array_equal(one.sweep.response, other.sweep.response)
        np.testing.assert_array_equal(one.sweep.command, other.sweep.command)
        arrays = {"response": np.zeros(1), "command": None}
        assert repr(replace(one.sweep, **arrays)) == repr(replace(other.sweep, **arrays))
    return True


def test_a_sweep_grows_in_the_window_as_it_comes_and_its_trial_is_the_same(line, scripted):
    outbox, inbox = line
    sweep = play(outbox, scripted, 3)
    (started,) = taken(inbox, 1)
    assert isinstance(started, Started)
    assert (started.live.stimulus, started.live.rate, started.live.file_sweep) == (sweep.stimulus, sweep.rate, 3)
    inbox.take()
    np.testing.assert_array_equal(inbox.live.response, sweep.response)
    np.testing.assert_array_equal(inbox.live.command, sweep.command)
    trial = scripted.trial(3)
    outbox.finished(trial)
    (finished,) = taken(inbox, 1)
    assert isinstance(finished, Finished)
    assert same(finished.trial, trial)


@pytest.mark.parametrize("index", [0, 5])
def test_a_trial_that_lacks_things_lacks_the_same_things(line, scripted, index):
    outbox, inbox = line
    play(outbox, scripted, index)
    bare = replace(scripted.trial(index, withheld=True, reason="No cell."), next_stimulus=None, predictive={})
    odd = Oddity("latency", "ms", float("nan"), 12.0, 31.5, 1e-5, "missing", "step")
    trust = replace(bare.trust, checks=(Check("this sweep", 0.004),), off=(odd, replace(odd, widths=8.0)))
    bare = replace(bare, trust=trust)
    refused = replace(bare, sweep=None, file_sweep=7, features=dict.fromkeys(bare.features, float("nan")))
    for trial in (bare, refused):
        outbox.finished(trial)
    _, first, second = taken(inbox, 3)
    assert same(first.trial, bare)
    assert same(second.trial, refused)


def test_sweeps_that_were_all_played_before_the_window_looked_are_told_apart(line, scripted):
    outbox, inbox = line
    for index in range(4):
        play(outbox, scripted, index)
        outbox.finished(scripted.trial(index))
    messages = taken(inbox, 8)
    assert [type(message) for message in messages] == 4 * [Started, Finished]
    for index, message in enumerate(messages[1::2]):
        np.testing.assert_array_equal(message.trial.sweep.response, scripted.sweep(index).response)
    lives = [message.live for message in messages[::2]]
    assert [live.count for live in lives] == [live.expected for live in lives]
    assert all(live.unshown == 0 for live in lives)


def test_an_overlay_comes_as_it_was(line, scripted):
    outbox, inbox = line
    band = Overlay(np.arange(0.25, 100.0, 0.5), np.linspace(-80.0, -70.0, 200), np.linspace(-60.0, 20.0, 200))
    outbox.overlaid(4, band)
    (message,) = taken(inbox, 1)
    assert isinstance(message, Overlaid)
    assert message.trial == 4
    for name in ("times", "low", "high"):
        np.testing.assert_array_equal(getattr(message.overlay, name), getattr(band, name))


def test_slices_come_as_they_were_and_are_skipped_where_they_were_written_over(line, scripted):
    outbox, inbox = line
    draws = scripted.posterior(3, np.random.default_rng(0)).draws
    cut = slices(scripted.parameters, draws, lambda u: -0.5 * (u**2).sum(1), ["V_T", "C"])
    outbox.sliced(4, cut)
    (message,) = taken(inbox, 1)
    assert isinstance(message, Sliced)
    assert (message.trial, message.slices.names) == (4, ("V_T", "C"))
    np.testing.assert_array_equal(message.slices.numbers(), cut.numbers())
    outbox.sliced(5, cut)
    for _ in range(10):
        outbox._shared.shelf.append(np.zeros(100_000))
    outbox.ended(None)
    assert taken(inbox, 1) == [Ended(None)]
    assert inbox.dropped == 1


def test_the_status_is_the_newest(line, scripted):
    outbox, inbox = line
    assert inbox.recording is None
    outbox.status(scripted.status(10))
    outbox.status(scripted.status(20))
    assert inbox.recording == scripted.status(20)


@pytest.mark.parametrize("reason", [None, "The rig is gone."])
def test_the_end_comes_with_its_reason(line, reason):
    outbox, inbox = line
    outbox.ended(reason)
    assert taken(inbox, 1) == [Ended(reason)]


def test_a_trace_that_was_written_over_shows_a_gap_and_no_other_sweep_s_samples(line, scripted):
    outbox, inbox = line
    sweep = play(outbox, scripted, 3)
    outbox.finished(scripted.trial(3))
    lost = np.zeros(400_000)
    for _ in range(10):
        outbox.block(lost, None)
    messages = taken(inbox, 2)
    assert messages[1].trial.sweep.response.size == sweep.response.size
    assert np.isnan(messages[1].trial.sweep.response).all()


def test_a_trial_whose_draws_were_written_over_is_counted_as_skipped_and_not_withheld(line, scripted):
    outbox, inbox = line
    outbox.finished(replace(scripted.trial(1), sweep=None))
    for _ in range(10):
        outbox._shared.shelf.append(np.zeros(100_000))
    outbox.ended(None)
    assert taken(inbox, 1) == [Ended(None)]
    assert inbox.dropped == 1


def test_letters_that_fall_out_are_counted_and_the_newest_stay(scripted):
    shared = Shared()
    here, there = multiprocessing.Pipe()
    outbox = Outbox(shared, there, letters=8)
    try:
        # Nobody reads: the pipe fills, then the letters that wait fall out, the oldest first.
        for _ in range(2000):
            outbox.ended("x" * 1000)
        outbox.ended("the last")
        inbox = Inbox(shared, scripted.parameters)
        inbox.attach(here)
        messages = []
        while not messages or messages[-1] != Ended("the last"):
            messages += inbox.take()
        assert inbox.dropped == 2001 - len(messages)
        assert inbox.dropped > 0
    finally:
        here.close()
        outbox.close()
        there.close()
        del outbox._shared, inbox._shared
        shared.close()
        shared.unlink()


def test_a_window_that_is_gone_holds_nobody_up(scripted):
    shared = Shared()
    here, there = multiprocessing.Pipe()
    outbox = Outbox(shared, there)
    here.close()
    try:
        for index in range(3):
            play(outbox, scripted, index)
            outbox.finished(scripted.trial(index))
    finally:
        outbox.close()
        there.close()
        del outbox._shared
        shared.close()
        shared.unlink()


def test_a_membrane_test_is_the_same_and_what_it_can_not_tell_is_missing(line):
    outbox, inbox = line
    alarms = (Alarm("access_stop", "stop", "The access is 31 MOhm."),)
    told = OneTest(4, Membrane("voltage", 31.0, 200.0, 80.0, 0.9, -30.0, -70.0, 0.99), "whole cell", alarms)
    outbox.tested(told)
    outbox.tested(replace(told, membrane=replace(told.membrane, access=np.nan, resistance=np.inf)))
    one, other = taken(inbox, 2)
    assert one == MembraneTested(told)
    assert np.isnan([other.tested.membrane.access, other.tested.membrane.resistance]).all()


def test_a_proposal_is_the_same_with_all_that_was_weighed(line, scripted):
    outbox, inbox = line
    weighed = (Candidate(scripted.stimulus(1), 0.3, 0.1), Candidate(scripted.stimulus(2), 1.8, 0.2))
    proposals = [Proposed(scripted.stimulus(2), 1.8, 2, 10, True, weighed), Proposed(scripted.stimulus(0))]
    for proposed in proposals:
        outbox.proposed(proposed)
    assert taken(inbox, 2) == proposals


def test_the_membrane_of_a_trial_is_read_once_and_where_the_session_runs(line, scripted):
    outbox, inbox = line
    trial = scripted.trial(0)
    vars(trial)["membrane"] = Membrane("current", 2.0, 150.0, 100.0, 15.0, 0.0, -60.0, 0.99)
    play(outbox, scripted, 0)
    outbox.finished(trial)
    _, finished = taken(inbox, 2)
    assert finished.trial.membrane == trial.membrane
    assert finished.trial.to_json()["membrane"]["residual_MOhm"] == 2


def test_further_channels_come_with_their_names_units_and_samples_in_their_places(line, scripted):
    outbox, inbox = line
    sweep = play(outbox, scripted, 0)
    outbox.finished(scripted.trial(0))
    assert dict(taken(inbox, 2)[0].live.units) == {}
    assert inbox.live.others == {}
    # Only now there are any, more than the window has room for, and one block comes without one of them.
    names = ["bath", "V2", "I2", "light", "fifth"]
    traces = {name: sweep.response + k for k, name in enumerate(names)}
    outbox.started(sweep.stimulus, sweep.rate, 1, dict.fromkeys(names, "degC"))
    for first in range(0, sweep.response.size, 400):
        part = slice(first, first + 400)
        others = {name: trace[part] for name, trace in traces.items() if first or name != "V2"}
        outbox.block(sweep.response[part], None, others)
    (started,) = taken(inbox, 1)
    inbox.take()
    assert dict(started.live.units) == dict.fromkeys(names[:4], "degC")
    traces["V2"][:400] = np.nan
    for name, trace in started.live.others.items():
        np.testing.assert_array_equal(trace, traces[name])
    assert started.live.begun > 0


def test_a_loss_longer_than_is_kept_of_a_further_channel_leaves_it_in_step(line, scripted):
    outbox, inbox = line
    outbox.started(scripted.stimulus(0), 20.0, None, {"bath": "degC"})
    lost = np.full(900_000, np.nan)
    outbox.block(lost, None, {"bath": lost})
    outbox.started(scripted.stimulus(0), 20.0, None, {"bath": "degC"})
    outbox.block(np.zeros(3), None, {"bath": np.arange(3.0)})
    taken(inbox, 2)
    inbox.take()
    np.testing.assert_array_equal(inbox.live.others["bath"], np.arange(3.0))


def test_a_decision_of_a_script_comes_as_it_was_made(line):
    outbox, inbox = line
    told = [
        Decision(1, "wait", "missed", "The access resistance is unknown.", "access_MOhm", math.nan, 20.0, "MOhm"),
        Decision(-1, "", "finished", "All.", sample=7, sweeps=2, time="2026-01-01T00:00:00+00:00"),
    ]
    for decision in told:
        outbox.decided(decision)
    assert repr(taken(inbox, 2)) == repr(told)


def test_how_a_drug_stands_comes_as_it_was_told(line):
    outbox, inbox = line
    told = [Dosing("g_M", -0.8, 3, (3, 1, 0), among=7), Dosing("g_M", -0.8, 3, verdict="withheld", sentence="Why.")]
    for dosing in told:
        outbox.dosed(dosing)
    assert taken(inbox, 2) == told


def test_a_refinement_comes_as_it_was_with_its_draws_or_the_reason_for_none(line, scripted):
    outbox, inbox = line
    draws = scripted.posterior(3, np.random.default_rng(0)).draws
    outbox.refined(Refined(2, draws, "", "g_M differs.", 1.5, 420.0, len(draws), math.inf, 9000, 31.0))
    outbox.refined(Refined(4, refusal="The holding is not known."))
    found, refused = taken(inbox, 2)
    np.testing.assert_array_equal(found.draws, draws)
    assert (found.trial, found.disagreement, found.effective, found.simulated) == (2, "g_M differs.", 420.0, 9000)
    assert math.isnan(found.k)
    assert "k not known" in found.line
    assert (refused.draws, refused.line) == (None, "The holding is not known.")
