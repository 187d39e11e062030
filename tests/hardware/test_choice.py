"""Channels, epochs and windows that a user chooses, and what is said where they can't be had."""

from pathlib import Path

import numpy as np
import pytest

from hardware.choice import Choice, chosen
from hardware.reading import read
from hardware.recording import Channel, RecordingError
from hardware.replay import Replay

CHANNELS = (Channel("Im", "pA"), Channel("Vm", "mV"), Channel("IN 2", "mV"), Channel("in 2", "mV"), Channel("T", "C"))


@pytest.mark.parametrize(("asked", "index"), [("1", 1), ("Vm", 1), ("vm", 1), ("in 2", 3), ("IN 2", 2)])
def test_a_channel_is_found_by_number_or_name(asked, index):
    assert chosen(asked, CHANNELS, "voltage", Path("a.abf")) == index


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("7", "has 0: 'Im' .pA., 1: 'Vm'"),
        ("-1", "give one of these"),
        ("Membrane", "give one of these"),
        ("\N{SUPERSCRIPT TWO}", "give one of these"),
        ("In 2", "is the name of 2 in a.abf .*give its number"),
        ("Im", "declared in 'pA', one in volts was wanted for the voltage"),
        ("T", "declared in 'C', one in volts was wanted"),
    ],
)
def test_a_channel_that_cannot_be_had_is_refused_with_those_that_can(asked, said):
    with pytest.raises(RecordingError, match=said):
        chosen(asked, CHANNELS, "voltage", Path("a.abf"))


def roles(recording):
    return [c.role for c in recording.channels]


def test_the_other_voltage_of_an_abf_can_be_read(data):
    path = data / "190619B_0003.abf"
    automatic, other = read(path), read(path, Choice(channel="1"))
    assert roles(automatic) == ["response", "other", "command"]
    assert roles(other) == ["other", "response", "command"]
    assert [c.name for c in other.channels] == ["IN 0", "IN 2", "Cmd 0"]
    assert np.median(automatic.sweeps[0].response) != np.median(other.sweeps[0].response)
    by_name = read(path, Choice(channel="IN 2"))
    assert by_name.sweeps[0].response.tobytes() == other.sweeps[0].response.tobytes()
    same = read(path, Choice(channel="IN 0", current_channel="Cmd 0"))
    assert same.sweeps[9].command.tobytes() == automatic.sweeps[9].command.tobytes()


def test_the_command_of_an_abf_can_be_taken_where_its_recorded_current_would_be(data):
    path = data / "18425108.abf"
    automatic, command = read(path), read(path, Choice(current_channel="ME1"))
    names = [(c.name, c.role) for c in automatic.channels]
    assert names == [("Imemb", "current"), ("10_Vm", "response"), ("ME1", "other")]
    assert roles(command) == ["other", "response", "command"]
    assert (automatic.sweeps[0].command_source, command.sweeps[0].command_source) == ("recorded channel", "header")
    assert command.sweeps[0].command.max() == pytest.approx(2500)


@pytest.mark.parametrize(
    ("name", "choice", "said"),
    [
        ("190619B_0003.abf", Choice(channel="2"), "'Cmd 0', is declared in 'pA'"),
        ("190619B_0003.abf", Choice(current_channel="IN 0"), "one in amperes was wanted"),
        ("190619B_0003.abf", Choice(channel="9"), "Channel '9' was asked for"),
        ("LantyerEtAl2018_180817_ME_9_CC.nwb", Choice(channel="1"), "one in volts was wanted"),
        ("LantyerEtAl2018_180817_ME_9_CC.nwb", Choice(current_channel="0"), "one in amperes was wanted"),
    ],
)
def test_a_channel_of_a_real_file_that_cannot_be_had_is_refused(data, name, choice, said):
    with pytest.raises(RecordingError, match=said):
        read(data / name, choice)


def test_the_channels_that_are_taken_anyway_can_be_named(data):
    path = data / "LantyerEtAl2018_180817_ME_9_CC.nwb"
    automatic, named = read(path), read(path, Choice("0", "1"))
    assert roles(automatic) == roles(named) == ["response", "current"]
    for a, b in zip(automatic.sweeps, named.sweeps, strict=True):
        assert (a.response.tobytes(), a.command.tobytes()) == (b.response.tobytes(), b.command.tobytes())


@pytest.mark.parametrize("tables", [False, True])
def test_the_other_electrode_of_an_nwb_can_be_read(make_nwb, tmp_path, tables):
    path = make_nwb(tmp_path / "a.nwb", electrodes=2, tables=tables)
    listed = [(c.name, c.role) for c in read(path).channels]
    assert listed == [
        ("electrode0 CurrentClampSeries", "response"),
        ("electrode1 CurrentClampSeries", "other"),
        ("electrode0 CurrentClampStimulusSeries", "current"),
        ("electrode1 CurrentClampStimulusSeries", "other"),
    ]
    other = read(path, Choice(channel="1"))
    assert (roles(other), len(other.sweeps)) == (["other", "response", "other", "current"], 3)
    assert all(s.command is not None for s in other.sweeps)


def test_the_stimulus_of_another_electrode_can_be_read(make_nwb, tmp_path):
    path = make_nwb(tmp_path / "a.nwb", electrodes=2)
    crossed = read(path, Choice(channel="1", current_channel="2"))
    assert roles(crossed) == ["other", "response", "current", "other"]
    assert [s.problem for s in crossed.sweeps] == [None] * 3


def test_a_recording_of_ours_has_one_channel_of_each_kind(tmp_path):
    from hardware.recorder import Recorder
    from hardware.rig import Block, Provenance
    from simulators.stimulus import step

    stimulus = step(50.0, onset=100.0, duration=100.0, tail=100.0)
    with Recorder(tmp_path / "own.h5", {}) as recorder:
        recorder.start(stimulus, 10.0, Provenance())
        recorder.append(Block(np.full(3000, -70.0), stimulus.command(10.0)))
        recorder.finish({}, {})
    assert len(read(tmp_path / "own.h5", Choice("response", "command")).sweeps) == 1
    with pytest.raises(RecordingError, match="one in volts was wanted"):
        read(tmp_path / "own.h5", Choice(channel="command"))


def test_a_window_keeps_the_samples_that_lie_in_it(recording):
    whole, part = Replay(recording, speed="max"), Replay(recording, window=(40.0, 450.0), speed="max")
    for k in range(len(whole.stimuli)):
        a, b = whole.sweep(k), part.sweep(k)
        np.testing.assert_array_equal(b.response, a.response[400:4500])
        np.testing.assert_array_equal(b.command, a.command[400:4500])
        assert [(e.level, e.duration) for e in b.stimulus.epochs] == [
            (e.level, d) for e, d in zip(a.stimulus.epochs, (60.0, 300.0, 50.0), strict=True)
        ]
        assert b.stimulus.command(b.rate).shape == b.response.shape


def test_a_window_that_ends_in_the_step_shortens_it(recording):
    (*_, last) = Replay(recording, window=(0.0, 250.0), speed="max").stimuli
    assert [(e.level, e.duration) for e in last.stimulus.epochs] == [(0.0, 100.0), (100.0, 150.0)]


def test_a_window_wider_than_the_rule_changes_nothing(data):
    whole = Replay(data / "18713001.abf", speed="max")
    part = Replay(data / "18713001.abf", window=(0.0, 1500.0), speed="max")
    assert part.stimuli == whole.stimuli


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((51.0, 500.0), "leaves 49.0 ms before"),
        ((0.0, 119.0), "19.0 ms of the step"),
        ((0.0, 90.0), "0.0 ms of the step"),
        ((450.0, 600.0), "leaves 0.0 ms before"),
        ((0.0, 601.0), "ends at 601 ms and sweep"),
    ],
)
def test_a_window_that_leaves_too_little_is_refused_with_what_it_leaves(recording, window, said):
    for passage in Replay(recording, window=window).stimuli:
        assert passage.stimulus is None
        assert said in passage.refusal


@pytest.mark.parametrize("window", [(-1.0, 10.0), (10.0, 10.0), (0.0, float("inf")), (float("nan"), 10.0)])
def test_a_window_that_is_none_is_refused(recording, window):
    with pytest.raises(ValueError, match="ends after it starts"):
        Replay(recording, window=window)


def test_both_steps_and_the_prepulse_of_a_sweep_are_observations_of_their_own(data):
    for epoch, (onset, holding, step) in {1: (146.85, 0, 300), 3: (1146.85, 0, -100), 4: (1646.85, -100, 400)}.items():
        rig = Replay(data / "171116sh_0018.abf", epoch=epoch)
        assert [p.refusal for p in rig.stimuli] == [None] * 17
        stimulus = rig.stimuli[16].stimulus
        assert rig.stimuli[16].start / 20 + stimulus.onset == pytest.approx(onset)
        assert (stimulus.holding, stimulus.amplitude, stimulus.step_duration) == (holding, step, 500)


def test_a_prepulse_with_too_little_before_it_is_no_observation(data):
    assert all("has 23.4 ms of constant current" in p.refusal for p in Replay(data / "18713001.abf", epoch=1).stimuli)
    rig = Replay(data / "18713001.abf", epoch=3)
    assert rig.stimuli == Replay(data / "18713001.abf").stimuli
