import h5py
import numpy as np
import pytest

from hardware.reading import read
from hardware.recording import RecordingError
from hardware.replay import Replay


@pytest.mark.parametrize("conversion", [1.0, 1e-3, 1e-12])
@pytest.mark.parametrize("offset", [0.0, -0.02])
def test_conversion_and_offset_give_millivolts(make_nwb, make_family, tmp_path, conversion, offset):
    recording = read(make_nwb(tmp_path / "a.nwb", conversion=conversion, offset=offset))
    for sweep, made in zip(recording.sweeps, make_family().sweeps, strict=True):
        np.testing.assert_allclose(sweep.response, made.response, atol=1e-9)
        np.testing.assert_array_equal(sweep.command, made.command)
        assert sweep.rate == made.rate


@pytest.mark.parametrize("tables", [False, True])
def test_the_step_is_found_with_and_without_tables(make_nwb, tmp_path, tables):
    rig = Replay(make_nwb(tmp_path / "a.nwb", tables=tables), speed="max")
    assert [p.stimulus.amplitude for p in rig.stimuli] == [-50, 0, 50, 100]
    assert {p.stimulus.step_duration for p in rig.stimuli} == {300}
    # The tables' rows begin 50 ms into the series.
    assert rig.stimuli[0].stimulus.baseline == (50 if tables else 100)
    seconds = (rig.recording.sweeps[1].start - rig.recording.sweeps[0].start).total_seconds()
    assert seconds == pytest.approx(2.0)


def test_sweeps_that_all_start_at_once_have_no_known_time(make_nwb, tmp_path):
    recording = read(make_nwb(tmp_path / "a.nwb", times=False))
    assert {s.start for s in recording.sweeps} == {None}
    assert any("same starting time" in p for p in recording.problems)


def test_the_amplifiers_bias_current_is_part_of_the_holding(make_nwb, tmp_path):
    rig = Replay(make_nwb(tmp_path / "a.nwb", bias=-20e-12))
    assert {p.stimulus.holding for p in rig.stimuli} == {-20}
    assert rig.provenance.holding_source == "amplifier"


def test_only_one_electrode_is_read_and_the_file_says_so(make_nwb, tmp_path):
    recording = read(make_nwb(tmp_path / "a.nwb", electrodes=2))
    assert len(recording.sweeps) == 4
    assert "only the sweeps of 'electrode0'" in recording.problems[0]


def edited(make_nwb, tmp_path, edit):
    path = make_nwb(tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        edit(file)
    return path


def test_a_response_without_a_stimulus_is_refused_and_the_others_are_not(make_nwb, tmp_path):
    path = edited(make_nwb, tmp_path, lambda f: f["stimulus/presentation"].pop("asked0_02"))
    refusals = [p.refusal for p in Replay(path).stimuli]
    assert [r is None for r in refusals] == [True, True, False, True]
    assert "no stimulus for 'answer0_02'" in refusals[2]


@pytest.mark.parametrize(
    ("name", "attribute", "value", "reason"),
    [
        ("stimulus/presentation/asked0_02/data", "conversion", 1.0, "beyond the 20000 pA"),
        ("stimulus/presentation/asked0_02/data", "conversion", 1e-18, "less than any amplifier"),
        ("stimulus/presentation/asked0_02/data", "unit", "volts", "amperes were wanted"),
        ("stimulus/presentation/asked0_02/starting_time", "rate", 20e3, "same rate"),
        ("acquisition/answer0_02/data", "conversion", 1.0, "beyond the"),
        ("acquisition/answer0_02/data", "conversion", 1e-6, "never leaves"),
    ],
)
def test_a_wrong_scale_is_refused_with_its_values(make_nwb, tmp_path, name, attribute, value, reason):
    path = edited(make_nwb, tmp_path, lambda f: f[name].attrs.modify(attribute, value))
    refusals = [p.refusal for p in Replay(path).stimuli]
    assert [r is None for r in refusals] == [True, True, False, True]
    assert reason in refusals[2]


def test_a_stimulus_of_another_length_is_refused(make_nwb, tmp_path):
    def shorten(file):
        series = file["stimulus/presentation/asked0_02"]
        unit = dict(series["data"].attrs)
        del series["data"]
        series["data"] = np.zeros(10)
        series["data"].attrs.update(unit)

    assert "10 samples" in Replay(edited(make_nwb, tmp_path, shorten)).stimuli[2].refusal


def test_a_trace_that_claims_more_samples_than_it_has_bytes_is_refused(make_nwb, tmp_path):
    def inflate(file):
        series = file["acquisition/answer0_02"]
        unit = dict(series["data"].attrs)
        del series["data"]
        series.create_dataset("data", shape=(2**40,), chunks=(1000,), dtype="f8").attrs.update(unit)

    with pytest.raises(RecordingError, match="claims 1099511627776 samples"):
        read(edited(make_nwb, tmp_path, inflate))


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda f: f.attrs.pop("nwb_version"), "not NWB"),
        (lambda f: f.pop("acquisition"), "lacks a part"),
        (lambda f: f["acquisition/answer0_02/starting_time"].write_direct(np.array(1e300)), "lacks a part"),
        (lambda f: f["acquisition/answer0_02"].pop("data"), "lacks a part"),
        (lambda f: f["acquisition/answer0_02/starting_time"].attrs.modify("rate", -1.0), "sampling rate"),
        (lambda f: f["acquisition/answer0_02/data"].attrs.modify("unit", "amperes"), "volts were wanted"),
        (lambda f: [g.attrs.modify("neurodata_type", "TimeSeries") for g in f["acquisition"].values()], "TimeSeries"),
    ],
)
def test_a_file_that_is_not_current_clamp_is_refused_in_one_sentence(make_nwb, tmp_path, edit, reason):
    with pytest.raises(RecordingError, match=reason) as caught:
        read(edited(make_nwb, tmp_path, edit))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fraction", [0.0001, 0.1, 0.6, 0.99])
def test_a_file_cut_anywhere_is_refused_in_one_sentence(make_nwb, tmp_path, fraction):
    path = make_nwb(tmp_path / "a.nwb")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(fraction * len(whole))])
    with pytest.raises(RecordingError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
