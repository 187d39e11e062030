import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest

from hardware.kept.session import kept_session
from hardware.reading import read
from hardware.recorder import Recorder, RecorderError
from hardware.recording import RecordingError
from hardware.replay import Replay
from hardware.rig import Block, Gain, Provenance
from hardware.track import Track
from simulators.stimulus import Dose, Epoch, Stimulus, step
from simulators.sweep import Junction

STEP = step(50.0, onset=100.0, duration=300.0, tail=200.0)
ORIGIN = Provenance(
    datetime(2024, 1, 1, tzinfo=UTC), "recorded channel", "measured", Junction("uncorrected", 14.0), bridge=0.002
)


def answer(seed=1):
    return np.random.default_rng(seed).normal(-70, 1, 6000)


def record(recorder, response, stimulus=STEP):
    recorder.start(stimulus, 10.0, ORIGIN)
    command = stimulus.command(10.0)
    for k in range(0, response.size, 200):
        recorder.append(Block(response[k : k + 200], command[k : k + 200]))


def test_what_is_recorded_is_read_bit_by_bit(tmp_path):
    path = tmp_path / "session.h5"
    with Recorder(path, {"cell": "c1"}) as recorder:
        for seed in (1, 2):
            record(recorder, answer(seed))
            recorder.finish({"rest": -70.0, "threshold": math.nan}, {"trial": seed})
        assert recorder.flush(60)
        assert recorder.received == recorder.on_disk == 12_000
    for k, sweep in enumerate(read(path).sweeps):
        np.testing.assert_array_equal(sweep.response, answer(k + 1))
        np.testing.assert_array_equal(sweep.command, STEP.command(10.0))
        assert sweep.problem is None
        assert (sweep.stimulus, sweep.rate, sweep.start) == (STEP, 10.0, ORIGIN.start)
        assert (sweep.junction, sweep.bridge, sweep.holding_source) == (ORIGIN.junction, ORIGIN.bridge, "measured")
    with h5py.File(path) as file:
        assert file["sweeps/000000/features/rest"][()] == -70.0
        assert math.isnan(file["sweeps/000000/features/threshold"][()])


def test_a_recording_is_replayed_with_the_steps_that_were_played(tmp_path):
    stimuli = [step(a, onset=100.0 + a, duration=300.0) for a in (10.0, 0.0, 30.0)]
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        for stimulus in stimuli:
            record(recorder, np.full(stimulus.command(10.0).size, -70.0), stimulus)
            recorder.finish({}, {})
    assert [p.stimulus for p in Replay(tmp_path / "session.h5").stimuli] == stimuli


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "session.h5"
    path.write_text("mine")
    with pytest.raises(RecorderError, match="not overwritten"):
        Recorder(path, {})
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RecorderError, match="can't be made"):
        Recorder(tmp_path / "no" / "session.h5", {})


def test_a_sweep_that_was_not_finished_says_so(tmp_path):
    path = tmp_path / "session.h5"
    with Recorder(path, {}) as recorder:
        record(recorder, answer()[:1000])
        record(recorder, answer())
        recorder.finish({}, {})
    first, second = Replay(path).stimuli
    assert "ended after 1000 of 6000 samples" in first.refusal
    assert second.refusal is None


def test_a_recorder_asks_for_a_sweep_first(tmp_path):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        with pytest.raises(RecorderError, match="call `start`"):
            recorder.append(Block(np.zeros(3)))
        with pytest.raises(RecorderError, match="call `start`"):
            recorder.finish({}, {})
    recorder.close()
    with pytest.raises(RecorderError, match="is closed"):
        recorder.start(STEP, 10.0, ORIGIN)


def test_a_command_in_some_blocks_only_is_refused(tmp_path):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        recorder.start(STEP, 10.0, ORIGIN)
        recorder.append(Block(np.zeros(3)))
        with pytest.raises(RecorderError, match="all or with none"):
            recorder.append(Block(np.zeros(3), np.zeros(3)))


def test_a_later_version_is_refused(tmp_path):
    Recorder(tmp_path / "session.h5", {}).close()
    with h5py.File(tmp_path / "session.h5", "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(RecordingError, match="version 99"):
        read(tmp_path / "session.h5")


def test_the_first_version_of_the_format_is_still_read(tmp_path):
    path = tmp_path / "session.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "rig-plugin recording", "version": 1, "created": "2024-01-01T00:00:00+00:00"})
        file["metadata"] = "{}"
        sweep = file.create_group("sweeps/000000")
        stimulus = '{"clamp": "current", "epochs": [{"level": 0, "duration": 100}, {"level": 50, "duration": 500}]'
        sweep.attrs.update({"rate": 1e4, "start": "", "complete": True, "stimulus": stimulus + ', "observed": 1}'})
        sweep.attrs["provenance"] = (
            '{"start": "", "command_source": "header", "holding_source": "header", "bridge": 0.0, '
            '"junction": {"state": "unknown", "potential": null}}'
        )
        sweep["response"] = answer()
    (sweep,) = read(path).sweeps
    np.testing.assert_array_equal(sweep.response, answer())
    assert sweep.problem is None


def test_virtual_drugs_of_a_stimulus_come_back(tmp_path):
    dosed = Stimulus("current", (Epoch(0.0, 100.0), Epoch(50.0, 500.0, (Dose("g_M", 0.5),))))
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        record(recorder, answer(), dosed)
        recorder.finish({}, {})
    assert read(tmp_path / "session.h5").sweeps[0].stimulus == dosed


def test_voltage_clamp_is_stored_with_its_own_units(tmp_path):
    clamped = Stimulus("voltage", (Epoch(-70.0, 100.0), Epoch(-60.0, 500.0)))
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        record(recorder, answer(), clamped)
    with h5py.File(tmp_path / "session.h5") as file:
        units = {name: dict(file["sweeps/000000"][name].attrs) for name in ("response", "command")}
    assert units["response"] == {"unit": "amperes", "conversion": 1e-12}
    assert units["command"] == {"unit": "volts", "conversion": 1e-3}


def test_what_the_rig_lost_is_a_gap_at_its_place(tmp_path):
    path = tmp_path / "session.h5"
    response = answer()
    with Recorder(path, {}) as recorder:
        recorder.start(STEP, 10.0, ORIGIN)
        recorder.append(Block(response[:100]))
        recorder.append(Block(response[117:300], lost=17))
        recorder.append(Block(np.empty(0), lost=50))
        recorder.append(Block(response[400:5990], lost=50))
        recorder.append(Block(np.empty(0), lost=10))
        recorder.finish({}, {})
        assert (recorder.received, recorder.lost, recorder.dropped) == (5873, 127, 0)
    with h5py.File(path) as file:
        assert file["sweeps/000000/gaps"][()].tolist() == [[100, 17], [300, 100], [5990, 10]]
        stored = file["sweeps/000000/response"][()]
    there = np.ones(6000, dtype=bool)
    there[100:117] = there[300:400] = there[5990:] = False
    np.testing.assert_array_equal(np.isnan(stored), ~there)
    np.testing.assert_array_equal(stored[there], response[there])
    (sweep,) = read(path).sweeps
    assert sweep.problem == (
        "127 samples were lost at 10.00 ms (from sample 100), 30.00 ms (from sample 300) and 599.00 ms (from sample "
        "5990): record the sweep again."
    )


def test_a_sweep_of_which_nearly_all_was_lost_keeps_no_other_from_being_read(tmp_path):
    path = tmp_path / "session.h5"
    with Recorder(path, {}) as recorder:
        recorder.start(STEP, 10.0, ORIGIN)
        recorder.append(Block(np.full(10, -70.0)))
        recorder.append(Block(np.full(10, -70.0), lost=1_000_000))
        record(recorder, answer())
        recorder.finish({}, {})
    poor, sound = read(path).sweeps
    assert poor.response.size == 1_000_020
    assert poor.problem is not None
    assert sound.problem is None
    assert path.stat().st_size < 200_000


def test_a_continuous_recording_keeps_every_channel_with_its_gain(tmp_path):
    rng = np.random.default_rng(1)
    traces = {name: rng.normal(size=5000) for name in ("Vm", "Im", "temperature")}
    tracks = {"Vm": Track(gain=20.0, gain_source="telegraph"), "Im": Track("amperes", 1e-12), "temperature": Track()}
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        recorder.start_continuous(50.0, tracks, ORIGIN.start)
        for k in range(0, 5000, 1000):
            recorder.append_continuous({name: t[k : k + 1000] for name, t in traces.items()}, lost=3 if k else 0)
        recorder.finish_continuous()
    with h5py.File(tmp_path / "session.h5") as file:
        group = file["continuous/000000"]
        assert (group.attrs["rate"], group.attrs["complete"]) == (50e3, True)
        assert group["gaps"][()].tolist() == [[1000 * k + 3 * (k - 1), 3] for k in range(1, 5)]
        for name, trace in traces.items():
            stored = group[name][()]
            np.testing.assert_array_equal(stored[~np.isnan(stored)], trace)
        assert dict(group["Vm"].attrs) == {
            "unit": "volts",
            "conversion": 1e-3,
            "gain": 20.0,
            "gain_source": "telegraph",
            "gain_unit": "",
        }


GAINS = {
    "response": Gain(100.0, "mV/V", "telegraph"), "output": Gain(400.0, "pA/V", "telegraph"),
    "bath": Gain(10.0, "degC/V", "rig file"), "second": Gain(2.0, "nA/V", "rig file"),
}  # fmt: skip


def test_further_channels_of_a_sweep_are_kept_with_unit_and_gain_and_the_same_gaps(tmp_path):
    path, response = tmp_path / "session.h5", answer()
    with Recorder(path, {}) as recorder:
        recorder.start(STEP, 10.0, replace(ORIGIN, gains=GAINS))
        for first, stop, lost in ((0, 100, 0), (117, 300, 17), (300, 5990, 0)):
            piece = response[first:stop]
            recorder.append(Block(piece, None, lost, {"bath": 30.0 + piece, "second": 2.0 * piece}))
        recorder.append(Block(np.empty(0), lost=10))
        recorder.finish({}, {})
    there = np.ones(6000, dtype=bool)
    there[100:117] = there[5990:] = False
    with kept_session(path) as session:
        (sweep,) = session.sweeps
        assert sorted(sweep.others) == ["bath", "second"]
        assert sweep.command is None
        bath, second = sweep.others["bath"], sweep.others["second"]
        np.testing.assert_array_equal(bath.trace.read(0, 6000), np.where(there, 30.0 + response, np.nan))
        np.testing.assert_array_equal(second.trace.read(0, 6000), np.where(there, 2.0 * response, np.nan))
        assert (bath.trace.unit, bath.trace.conversion, bath.trace.gaps) == ("degC", 1.0, sweep.gaps)
        assert (second.trace.unit, second.trace.conversion) == ("amperes", pytest.approx(1e-9))
        assert (bath.gain, bath.gain_unit, bath.gain_source) == (10.0, "degC/V", "rig file")
        assert sweep.provenance.gains == GAINS
    recording = read(path)
    assert [(c.name, c.unit, c.role) for c in recording.channels[2:]] == [
        ("bath", "degC", "other"), ("second", "amperes", "other"),
    ]  # fmt: skip
    np.testing.assert_array_equal(recording.sweeps[0].response, np.where(there, response, np.nan))


def test_a_channel_without_a_gain_or_in_some_blocks_only_is_refused(tmp_path):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        recorder.start(STEP, 10.0, replace(ORIGIN, gains=GAINS))
        with pytest.raises(RecorderError, match=r"'pressure' came, .* known are bath, second"):
            recorder.append(Block(np.zeros(3), None, 0, {"pressure": np.zeros(3)}))
        recorder.append(Block(np.zeros(3), None, 0, {"bath": np.zeros(3)}))
        with pytest.raises(RecorderError, match="further channel, came with some blocks of the sweep only"):
            recorder.append(Block(np.zeros(3)))
        with pytest.raises(RecorderError, match="another name"):
            recorder.start(STEP, 10.0, replace(ORIGIN, gains={"a/b": GAINS["bath"]}))


@pytest.mark.parametrize(
    ("traces", "lost"),
    [
        ({"Vm": np.zeros(3)}, 0),
        ({"Vm": np.zeros(3), "Im": np.zeros(4)}, 0),
        ({"Vm": np.zeros(3), "Im": np.zeros(3)}, -1),
    ],
)
def test_what_does_not_fit_the_channels_is_refused(tmp_path, traces, lost):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        recorder.start_continuous(50.0, {"Vm": Track(), "Im": Track()})
        with pytest.raises(RecorderError, match="one \\(n,\\) for each of Im, Vm was wanted"):
            recorder.append_continuous(traces, lost)


@pytest.mark.parametrize("name", ["", "gaps", "a/b"])
def test_a_channel_that_the_file_can_not_name_is_refused(tmp_path, name):
    with Recorder(tmp_path / "session.h5", {}) as recorder, pytest.raises(RecorderError, match="another name"):
        recorder.start_continuous(50.0, {name: Track()})


def test_marks_are_kept_with_the_sample_and_the_sweep(tmp_path):
    with Recorder(tmp_path / "session.h5", {}) as recorder:
        recorder.mark("seal at 2 GΩ")
        record(recorder, answer())
        recorder.mark()
        recorder.finish({}, {})
        recorder.mark("drug")
    with h5py.File(tmp_path / "session.h5") as file:
        rows = [(row["sample"], row["sweep"], row["text"].decode()) for row in file["marks"][()]]
        assert all(datetime.fromisoformat(row["time"].decode()).tzinfo for row in file["marks"][()])
    assert rows == [(0, -1, "seal at 2 GΩ"), (6000, 0, ""), (6000, -1, "drug")]


def test_metadata_and_version_are_in_the_file_from_its_first_moment(tmp_path):
    with Recorder(tmp_path / "session.h5", {"cell": "c1"}), h5py.File(tmp_path / "session.h5", locking=False) as file:
        assert json.loads(file["metadata"][()]) == {"cell": "c1"}
        assert (file.attrs["format"], file.attrs["version"]) == ("rig-plugin recording", 2)
        assert file.attrs["software"].startswith("rig-plugin")
