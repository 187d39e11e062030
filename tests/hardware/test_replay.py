from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.pace import Pace
from hardware.recording import RecordingError
from hardware.replay import Replay
from hardware.rig import RigError
from simulators.stimulus import step
from simulators.sweep import Junction


def played(rig, k=2):
    with rig:
        blocks = list(rig.play(rig.stimuli[k].stimulus))
    return np.concatenate([b.response for b in blocks]), np.concatenate([b.command for b in blocks])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=st.floats(0.01, 20.0))
def test_any_size_of_block_gives_the_same_samples(recording, block):
    sweep = Replay(recording, speed="max").sweep(2)
    response, command = played(Replay(recording, speed="max", block=block))
    np.testing.assert_array_equal(response, sweep.response)
    np.testing.assert_array_equal(command, sweep.command)


@pytest.mark.parametrize("block", [0.0, 20.1])
def test_a_block_beyond_20_ms_is_refused(recording, block):
    with pytest.raises(ValueError, match="at most 20 ms"):
        Replay(recording, block=block)


def test_the_pace_does_not_change_the_samples(recording, monkeypatch):
    # A clock that is always late waits for nothing.
    late = Replay(recording, speed="real")
    ticks = iter(range(10**6))
    late._pace = Pace("real", clock=lambda: float(next(ticks)))
    np.testing.assert_array_equal(played(late)[0], played(Replay(recording, speed="max"))[0])


def test_a_stop_ends_the_wait_of_a_paced_replay(recording):
    rig = Replay(recording, speed="real")
    rig._pace = Pace("real", clock=lambda: 0.0)
    with rig:
        blocks = rig.play(rig.stimuli[0].stimulus)
        rig._stopping.wait = lambda seconds: rig.stop()
        assert list(blocks) == []


def test_a_replay_plays_only_what_was_recorded(recording):
    with Replay(recording, speed="max") as rig, pytest.raises(RigError, match="play one of its `stimuli`"):
        rig.play(step(77.0))


def test_repeats_of_a_stimulus_are_told_apart(make_family):
    rig = Replay(make_family(amplitudes=(50.0, 50.0)), speed="max")
    assert rig.stimuli[0].stimulus == rig.stimuli[1].stimulus
    assert not np.array_equal(played(rig, 0)[0], played(rig, 1)[0])


def test_one_sweep_can_be_chosen_and_is_cut_like_in_its_family(recording):
    rig = Replay(recording, sweep=1)
    assert [(p.file_sweep, p.stimulus.amplitude, p.stimulus.step_duration) for p in rig.stimuli] == [(1, 0, 300)]


def test_a_sweep_that_is_not_there_is_refused(recording):
    with pytest.raises(RecordingError, match=r"Sweep 9 was asked for, family.abf has 0 to 3"):
        Replay(recording, sweep=9)


def test_a_refused_sweep_says_why(recording):
    broken = replace(recording.sweeps[1], command=None, problem="The file does not say what was injected.")
    whole = replace(recording, sweeps=(recording.sweeps[0], broken, *recording.sweeps[2:]))
    rig = Replay(whole, speed="max")
    assert [p.stimulus is None for p in rig.stimuli] == [False, True, False, False]
    with pytest.raises(RigError, match="does not say"):
        rig.sweep(1)


def test_sweeps_of_two_protocols_are_two_families(recording, make_family):
    others = [replace(s, index=s.index + 4, protocol="other") for s in make_family(amplitudes=(30.0,)).sweeps]
    rig = Replay(replace(recording, sweeps=(*recording.sweeps, *others)))
    assert [p.stimulus.amplitude for p in rig.stimuli] == [-50, 0, 50, 100, 30]


def test_a_measured_current_is_read_with_its_noise(make_family):
    rig = Replay(make_family("recorded channel", noise=1.0, holding=-20.0), speed="max")
    assert [p.stimulus.amplitude for p in rig.stimuli] == pytest.approx([-50, 0, 50, 100], abs=0.5)
    assert [p.stimulus.holding for p in rig.stimuli] == pytest.approx([-20] * 4, abs=0.5)
    assert rig.provenance.holding_source == "measured"
    assert np.std(rig.sweep(0).command[:500]) == pytest.approx(1.0, rel=0.2)


def test_the_corrections_that_were_given_go_with_the_sweep(recording):
    sweep = Replay(recording, junction_potential=14.0, bridge=0.005).sweep(3)
    assert sweep.junction == Junction("uncorrected", 14.0)
    assert sweep.bridge == 0.005
    np.testing.assert_allclose(sweep.corrected, sweep.response - 14.0 - 0.005 * sweep.command)


def test_without_corrections_they_are_unknown_and_none(recording):
    sweep = Replay(recording).sweep(3)
    assert (sweep.junction.state, sweep.bridge) == ("unknown", 0.0)


def test_a_sweep_starts_with_its_first_sample_that_is_played(data):
    rig = Replay(data / "18713001.abf")
    assert rig.sweep(1).start - rig.recording.sweeps[1].start == timedelta(milliseconds=573.4)
