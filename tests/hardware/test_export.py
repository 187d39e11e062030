"""A recording becomes one NWB file that others accept, with every sample and all that was made of it."""

import warnings

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.reading import read
from hardware.recorder import Recorder
from hardware.recording import RecordingError
from hardware.replay import Replay
from hardware.rig import Block, Gain, Provenance
from simulators.stimulus import Dose, Epoch, Stimulus, step
from simulators.sweep import Junction

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    from exported_file import complaints, members, opened, rows

    from hardware.export.nwb import export

FAMILY = tuple(step(a, onset=100.0, duration=300.0, tail=200.0) for a in (-50.0, 50.0, 100.0))
DRUG = Stimulus("current", (Epoch(0.0, 100.0), Epoch(50.0, 300.0, (Dose("g_M", 0.0),)), Epoch(0.0, 200.0)))
CLAMPED = Stimulus("voltage", (Epoch(-80.0, 100.0), Epoch(-10.0, 300.0), Epoch(-80.0, 200.0)))
NOISE = np.random.default_rng(7).normal(-65.0, 1.0, 6000)
USER = {
    "rig": {"kind": "nidaq: Dev1/ai", "manufacturer": "NI"},
    "checkpoint": "ab" * 32,
    "gains": {"response": [10.0, "telegraph"]},
    "experimenter": "Bernstein, Julia",
    "subject": {"subject_id": "m/7", "species": "mouse", "sex": "F", "age": "about 3 weeks", "strain": "C57BL/6J"},
    "cell": "cell 3",
    "notes": "Seal of 4 GOhm\0.",
    "session_id": "2024/1",
    "keywords": ["patch clamp"],
}


@pytest.fixture
def everything(make_session, tmp_path):
    """A session with all that the format has."""
    sweeps = [{"stimulus": s} for s in FAMILY * 2]
    others = {"bath": (NOISE, "degC", 1.0), "Vm 2": (NOISE, "volts", 1e-3)}
    sweeps += [{"stimulus": DRUG}, {"stimulus": CLAMPED}, {"command": False}, {"start": "", "others": others}]
    sweeps += [{"gaps": [(700, 1100), (5990, 10)]}, {"response": NOISE[:1234], "complete": False}]
    whole = {"response": (NOISE, "volts", 1e-3), "command": (0 * NOISE, "amperes", 1e-12), "bath": (NOISE, "K", 1.0)}
    segments = [
        {"channels": whole, "gaps": [(0, 20)]},
        {"channels": {"pressure": (NOISE, "kPa", 1.0)}, "complete": False},
    ]
    marks = [(3000, 0, "2024-01-01T12:00:01+00:00", "TTX"), (9000, -1, "", "Größe \N{GREEK SMALL LETTER MU}")]
    return make_session(tmp_path / "all.h5", sweeps, metadata=USER, segments=segments, marks=marks)


def test_further_channels_of_a_sweep_become_series_of_their_own(tmp_path):
    path, nwb = tmp_path / "cell.h5", tmp_path / "cell.nwb"
    gains = {"bath": Gain(10.0, "degC/V", "rig file"), "v:2": Gain(100.0, "mV/V", "rig file")}
    with Recorder(path, {}) as recorder:
        for _ in range(2):
            recorder.start(FAMILY[0], 10.0, Provenance(gains=gains))
            recorder.append(Block(NOISE[:4000], None, 0, {"bath": NOISE[:4000] + 100.0, "v:2": NOISE[:4000]}))
            recorder.append(Block(NOISE[4500:], None, 500, {"bath": NOISE[4500:] + 100.0, "v:2": NOISE[4500:]}))
            recorder.finish({}, {})
    export(path, nwb)
    with opened(nwb) as io:
        file = io.read()
        assert len(file.acquisition) == 6
        bath, second = file.acquisition["bath_000001"], file.acquisition["v-2_000001"]
        assert (bath.unit, bath.conversion, bath.rate) == ("degC", 1.0, 10e3)
        assert (second.unit, second.conversion) == ("volts", 1e-3)
        assert bath.starting_time == file.acquisition["response_000001"].starting_time
        assert "Gain 10 degC/V, from: rig file." in bath.comments
        assert "[4000, 4500)" in bath.comments
        expected = np.where((np.arange(6000) < 4000) | (np.arange(6000) >= 4500), NOISE + 100.0, np.nan)
        np.testing.assert_array_equal(bath.data[:], expected)
    assert [sweep.response.size for sweep in read(nwb).sweeps] == [6000, 6000]


@pytest.mark.parametrize(
    ("version", "metadata"),
    [
        (1, None),
        (2, {"subject": "m7", "cell": {"id": 3}}),
        pytest.param(2, {"rig": None, "subject": {}}, marks=pytest.mark.long),
        pytest.param(2, None, marks=pytest.mark.long),
        pytest.param(1, {"subject": "m7", "cell": {"id": 3}}, marks=pytest.mark.long),
        pytest.param(1, {"rig": None, "subject": {}}, marks=pytest.mark.long),
    ],
)
def test_an_exported_file_is_valid_and_inspected_without_complaint(make_session, tmp_path, version, metadata):
    export(make_session(tmp_path / "a.h5", [{}, {}], version=version, metadata=metadata), tmp_path / "a.nwb")
    assert complaints(tmp_path / "a.nwb") == []


def test_a_session_with_everything_is_valid(everything, tmp_path):
    found = export(everything, tmp_path / "a.nwb")
    assert complaints(tmp_path / "a.nwb") == []
    assert (found["sweeps"], found["segments"], found["marks"]) == (12, 2, 2)
    assert found["unfinished"] == [11]
    assert found["bytes"] == (tmp_path / "a.nwb").stat().st_size


def test_every_sample_is_there_in_volts_and_amperes(everything, tmp_path):
    export(everything, tmp_path / "a.nwb")
    with h5py.File(everything) as kept, opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        for k, (name, sweep) in enumerate(kept["sweeps"].items()):
            series = nwb.acquisition[f"response_{name}"]
            voltage = k == 7
            assert type(series).__name__ == ("VoltageClampSeries" if voltage else "CurrentClampSeries")
            assert (series.unit, series.conversion) == (("amperes", 1e-12) if voltage else ("volts", 1e-3))
            assert (series.rate, series.electrode.cell_id) == (10e3, "cell 3")
            np.testing.assert_array_equal(series.data[:], sweep["response"][:])
            if "command" in sweep:
                stimulus = nwb.stimulus[f"command_{name}"]
                assert type(stimulus).__name__.startswith("Voltage" if voltage else "Current")
                np.testing.assert_array_equal(stimulus.data[:], sweep["command"][:])
        assert "command_000008" not in nwb.stimulus
        for name, series in (("response", nwb.acquisition), ("command", nwb.stimulus), ("bath", nwb.acquisition)):
            gap_free = series[f"{name}_gap_free_000000"]
            np.testing.assert_array_equal(gap_free.data[:], kept[f"continuous/000000/{name}"][:])
            assert gap_free.conversion == kept[f"continuous/000000/{name}"].attrs["conversion"]
        assert nwb.acquisition["pressure_gap_free_000001"].unit == "kPa"


def test_lost_samples_are_nan_where_they_were_and_told_in_words_and_numbers(everything, tmp_path):
    found = export(everything, tmp_path / "a.nwb")
    lost = [(loss["where"], loss["first_sample"], loss["samples"]) for loss in found["lost"]]
    assert lost == [
        ("sweep 10", 700, 1100),
        ("sweep 10", 5990, 10),
        ("sweep 11", 1234, 4766),
        ("segment 0", 0, 20),
        ("segment 1", 6000, None),
    ]
    assert found["lost_samples"] == 1100 + 10 + 4766 + 20
    with opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        gapped = nwb.acquisition["response_000010"]
        assert np.flatnonzero(np.isnan(gapped.data[:])).tolist() == [*range(700, 1800), *range(5990, 6000)]
        assert "Missing [700, 1800)" in gapped.comments
        assert "ended after 1234 of 6000 samples" in nwb.acquisition["response_000011"].comments
        assert "no sample was lost" in nwb.acquisition["response_000000"].comments
        table = rows(nwb, "lost")
        assert [*zip(table["where"], table["first_sample"], strict=True)] == [(w, f) for w, f, _ in lost]
        assert table["samples"].tolist() == [1100, 10, 4766, 20, -1]
        assert rows(nwb, "sweeps")["complete"].tolist() == [True] * 11 + [False]


def test_the_five_tables_tell_families_repetitions_and_drugs(everything, tmp_path):
    export(everything, tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb") as file:
        assert members(file, "simultaneous_recordings", "recordings") == [[k] for k in range(13)]
        # Twice the family, the drug, voltage clamp, four times the same step, the gap-free segment.
        families = [[0, 1, 2], [3, 4, 5], [6], [7], [8], [9], [10], [11], [12]]
        assert members(file, "sequential_recordings", "simultaneous_recordings") == families
        assert members(file, "repetitions", "sequential_recordings") == [[0, 1], [2], [3], [4, 5, 6, 7], [8]]
        assert members(file, "experimental_conditions", "repetitions") == [[0, 2, 3, 4], [1]]
        conditions = file["general/intracellular_ephys/experimental_conditions/condition"].asstr()[:].tolist()
        assert conditions == ["no virtual drug", "g_M x 0 + 0"]
        table = file["general/intracellular_ephys/intracellular_recordings"]
        (a, n, response), (b, m, stimulus) = (table[name][11] for name in ("responses/response", "stimuli/stimulus"))
        assert (a, n, b, m) == (0, 1234, 0, 1234)
        assert file[response].name.endswith("response_000011")
        assert file[stimulus].name.endswith("command_000011")


def test_features_posterior_trust_and_latency_go_along_with_what_they_mean(everything, tmp_path):
    export(everything, tmp_path / "a.nwb", {"rest": "Mean before the step [mV]"})
    with opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        features, posterior, trust = (rows(nwb, name) for name in ("features", "posterior", "trust"))
        assert features["sweep"].tolist() == list(range(11))
        assert features["rest"].tolist() == [-70.0 - k for k in range(11)]
        assert features["threshold"].isna().all()
        assert posterior.iloc[3][["sweep", "parameter", "unit", "q05", "q95"]].tolist() == [3, "C", "pF", 40.0, 80.0]
        assert posterior["model_error"].isna().all()
        assert trust.iloc[3].tolist() == [3, True, 0.5, "", 4.0, 1.0, 2.0, 3.0]
        assert rows(nwb, "notes_of_trials").iloc[0].tolist() == [0, "next_stimulus.step_pA", "70.0"]
        module = nwb.processing["icephys"]
        assert "amplifier" not in module.data_interfaces
        assert module["features"]["rest"].description == "Mean before the step [mV]"
        for table in module.data_interfaces.values():
            assert all(len(text) > 3 for text in (table.description, *(column.description for column in table.columns)))


def test_marks_notes_and_all_that_describes_the_session_go_along(everything, tmp_path):
    export(everything, tmp_path / "a.nwb")
    with opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        assert rows(nwb, "marks")["note"].tolist() == ["TTX", "Größe \N{GREEK SMALL LETTER MU}"]
        assert rows(nwb, "marks")["sample"].tolist() == [3000, 9000]
        said = dict(zip(rows(nwb, "metadata")["key"], rows(nwb, "metadata")["value"], strict=True))
        assert said["checkpoint"] == "ab" * 32
        assert (said["gains.response.0"], said["gains.response.1"]) == ("10.0", "telegraph")
        assert nwb.was_generated_by[:].tolist() == [["rig-plugin", "0.1.0"]]
        assert (nwb.notes, nwb.session_id, list(nwb.experimenter)) == (
            "Seal of 4 GOhm.",
            "2024-1",
            ["Bernstein, Julia"],
        )
        assert nwb.devices["nidaq- Dev1-ai"].model.manufacturer == "NI"
        subject = nwb.subject
        assert (subject.subject_id, subject.sex, subject.strain) == ("m-7", "F", "C57BL/6J")
        # What NWB has no form for is not put into one, and not thrown away.
        assert (subject.species, subject.age) == ("http://purl.obolibrary.org/obo/NCBITaxon_1", "P0D/")
        assert "species: mouse" in subject.description
        assert "about 3 weeks" in subject.description


def test_starting_times_are_those_of_the_recording(everything, tmp_path):
    export(everything, tmp_path / "a.nwb")
    with opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        assert [nwb.acquisition[f"response_{k:06d}"].starting_time for k in range(3)] == [0.0, 2.0, 4.0]
        untold = nwb.acquisition["response_000009"]
        # Sweep 8 began at 16 s and lasts 0.6 s.
        assert untold.starting_time == pytest.approx(16.6)
        assert "not known" in untold.comments


def test_time_zero_is_no_later_than_the_first_sample(make_session, tmp_path):
    early = "2023-12-31T12:00:00+00:00"
    export(make_session(tmp_path / "a.h5", [{"start": early}, {}]), tmp_path / "a.nwb")
    with opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        assert nwb.session_start_time.isoformat() == early
        assert [nwb.acquisition[f"response_00000{k}"].starting_time for k in range(2)] == [0.0, 86402.0]


def record(path):
    """A recording as the recorder makes it, with an unfinished sweep at its end."""
    origin = Provenance(None, "recorded channel", "measured", Junction("uncorrected", 14.0), 0.002)
    with Recorder(path, {}) as recorder:
        for k, stimulus in enumerate((*FAMILY, FAMILY[0])):
            command = stimulus.command(10.0) + np.random.default_rng(k).normal(0, 0.5, 6000)
            response = np.random.default_rng(k).normal(-70, 1, 6000)
            recorder.start(stimulus, 10.0, origin)
            for b in range(0, 6000 if k < 3 else 1000, 200):
                lost = 50 if (k, b) in ((1, 2000), (1, 5800)) else 0
                recorder.append(Block(response[b + lost : b + 200], command[b + lost : b + 200], lost))
            if k < 3:
                recorder.finish({"rest": -70.0}, {"trial": k})
    return path


def test_an_exported_recording_reads_as_the_recording_does(tmp_path):
    own = record(tmp_path / "a.h5")
    export(own, tmp_path / "a.nwb")
    ours, theirs = Replay(own), Replay(tmp_path / "a.nwb")
    assert [p.stimulus for p in theirs.stimuli] == [p.stimulus for p in ours.stimuli]
    assert [p.refusal for p in theirs.stimuli] == [p.refusal for p in ours.stimuli]
    assert "100 samples were lost at 200.00 ms (from sample 2000) and" in theirs.stimuli[1].refusal
    for one, other in zip(ours.recording.sweeps, theirs.recording.sweeps, strict=True):
        np.testing.assert_array_equal(one.response, other.response)
        if not one.problem:
            np.testing.assert_array_equal(one.command, other.command)
        for name in ("index", "rate", "start", "clamp", "command_source", "holding_source", "protocol"):
            assert getattr(one, name) == getattr(other, name), name
        assert (one.stimulus, one.junction, one.bridge) == (other.stimulus, other.junction, other.bridge)


def test_starts_and_virtual_drugs_are_read_back(everything, tmp_path):
    export(everything, tmp_path / "a.nwb")
    sweeps = read(tmp_path / "a.nwb").sweeps
    # Voltage clamp is no sweep for this program, and a gap-free segment is none either.
    assert len(sweeps) == 11
    assert sweeps[6].stimulus == DRUG
    assert (sweeps[1].start - sweeps[0].start).total_seconds() == 2.0
    assert sweeps[8].start is None


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_lengths_rates_and_gaps_come_through_bit_by_bit(make_session, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any")
    sweeps = []
    for _ in range(data.draw(st.integers(1, 3))):
        rate = data.draw(st.sampled_from([1.0, 9.7, 20.0, 200.0]))
        stimulus = step(data.draw(st.floats(-500, 500)), onset=10.0, duration=data.draw(st.floats(1, 40)), tail=5.0)
        wanted = stimulus.command(rate).size
        size = data.draw(st.integers(1, wanted))
        values = np.random.default_rng(data.draw(st.integers(0, 99))).normal(-60, 20, size)
        cuts = sorted(data.draw(st.sets(st.integers(0, size), max_size=4)))
        gaps = [(a, b - a) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
        sweeps.append(
            {"stimulus": stimulus, "response": values, "gaps": gaps, "rate": rate, "complete": size == wanted}
        )
    export(make_session(folder / "a.h5", sweeps), folder / "a.nwb")
    with h5py.File(folder / "a.h5") as kept, h5py.File(folder / "a.nwb") as nwb:
        for k, sweep in enumerate(sweeps):
            response = nwb[f"acquisition/response_{k:06d}"]
            np.testing.assert_array_equal(response["data"][:], kept[f"sweeps/{k:06d}/response"][:])
            np.testing.assert_array_equal(
                nwb[f"stimulus/presentation/command_{k:06d}/data"][:], kept[f"sweeps/{k:06d}/command"][:]
            )
            assert np.isnan(response["data"][:]).sum() == sum(count for _, count in sweep["gaps"])
            assert response["starting_time"].attrs["rate"] == sweep["rate"] * 1e3


READ = {
    "test": 0, "clamp": "voltage", "stage": "whole cell", "access_MOhm": 12.5, "resistance_MOhm": 200.0,
    "capacitance_pF": 90.0, "tau_ms": None, "holding_pA": -30.0, "potential_mV": -70.0, "explained": 0.99,
    "alarms": [{"rule": "access", "level": "warn", "text": "The access is high."}], "expected": None, "off": None,
}  # fmt: skip
GAINS = {"bath": Gain(10.0, "degC/V", "rig file")}


def with_tests(path, sweeps=True):
    """A recording of a sweep between two membrane tests, the second of which was broken off."""
    with Recorder(path, {}) as recorder:
        recorder.start_test(CLAMPED, 10.0, Provenance(gains=GAINS))
        recorder.append(Block(NOISE, CLAMPED.command(10.0), 0, {"bath": NOISE}))
        recorder.finish_test(READ)
        if sweeps:
            recorder.start(FAMILY[0], 10.0, Provenance())
            recorder.append(Block(NOISE, FAMILY[0].command(10.0)))
            recorder.finish({"rest": -65.0}, {})
        recorder.start_test(FAMILY[1], 10.0, Provenance())
        recorder.append(Block(NOISE[:2000], FAMILY[1].command(10.0)[:2000]))
    return path


def test_membrane_tests_are_series_of_their_own_beside_a_table_of_what_was_read_off_them(tmp_path):
    found = export(with_tests(tmp_path / "a.h5"), tmp_path / "a.nwb")
    assert complaints(tmp_path / "a.nwb") == []
    assert (found["sweeps"], found["membrane_tests"], found["samples"]) == (1, 2, 14000)
    assert [loss["where"] for loss in found["lost"]] == ["membrane test 1"]
    with opened(tmp_path / "a.nwb") as io:
        nwb = io.read()
        first, second = (nwb.acquisition[f"membrane_test_{k:06d}"] for k in (0, 1))
        assert type(first).__name__ == "VoltageClampSeries" and first.unit == "amperes"
        np.testing.assert_array_equal(first.data[:], NOISE)
        np.testing.assert_array_equal(nwb.acquisition["bath_membrane_test_000000"].data[:], NOISE)
        np.testing.assert_array_equal(second.data[:], NOISE[:2000])
        np.testing.assert_array_equal(nwb.stimulus["membrane_test_command_000000"].data[:], CLAMPED.command(10.0))
        whole, broken = rows(nwb, "membrane_tests").to_dict("records")
    assert (whole["response"], whole["stage"], whole["access_MOhm"]) == ("membrane_test_000000", "whole cell", 12.5)
    assert np.isnan(whole["tau_ms"]) and whole["complete"] and whole["alarms"] == "The access is high."
    assert not broken["complete"] and np.isnan(broken["access_MOhm"]) and broken["clamp"] == "current"


def test_membrane_tests_are_no_sweeps_of_what_is_read_again(tmp_path):
    for path in (with_tests(tmp_path / "a.h5"), tmp_path / "a.nwb"):
        if path.suffix == ".nwb":
            export(tmp_path / "a.h5", path)
        (sweep,) = read(path).sweeps
        np.testing.assert_array_equal(sweep.response, NOISE)
    export(with_tests(tmp_path / "b.h5", sweeps=False), tmp_path / "b.nwb")
    with pytest.raises(RecordingError, match="2 membrane tests and no sweep"):
        read(tmp_path / "b.nwb")
