"""Every real recording does what is known of it."""

import itertools
import json
import warnings

import numpy as np
import pytest

from hardware.inspection import inspect
from hardware.recording import RecordingError
from hardware.replay import Replay

# file: sweeps, rate [kHz], onset in the file and duration [ms], tolerance [ms], amplitudes [pA], source, Vm rest [mV]
ALLEN = {
    "allen_509881736_sweep39.nwb": 130,
    "allen_526950199_sweep37.nwb": 110,
    "allen_532571720_sweep42.nwb": 250,
    "allen_555060623_sweep34.nwb": 90,
    "allen_567399060_sweep38.nwb": 170,
}
FAMILIES = {
    "171116sh_0018.abf": (20, 146.85, 500, 0.01, np.arange(-100, 301, 25), "header"),
    "18713001.abf": (20, 823.4, 500, 0.01, np.arange(0, 291, 10), "header"),
    "190619B_0003.abf": (10, 1047.8, 1000, 0.01, np.arange(-120, 421, 60), "header"),
    "LantyerEtAl2018_180817_ME_9_CC.nwb": (20, 100, 500, 0.5, np.arange(1, 11) * 40.25, "recorded channel"),
    "PYR5_rebound.abf": (10, 81.2, 1000, 1.0, np.arange(-1, -11, -1) * 24.85, "recorded channel"),
    "FergusonEtAl2015_PYR5_rebound.nwb": (10, 81.2, 1000, 1.0, np.arange(-10, 0) * 24.85, "recorded channel"),
} | {name: (50, 205, 999.98, 0.03, np.array([pA]), "header") for name, pA in ALLEN.items()}
REFUSED = {
    "opto_aps_bad_units.abf": "no channel in volts",
    "171116sh_0013.abf": "voltage clamp",
    "2025053101.nwb": "wrong mode and unit",
    "damaged_171116sh_0018_trunc60.abf": "truncated",
    "damaged_Lantyer_trunc60.nwb": "truncated",
    "README.md": "neither",
    "no_such_file.abf": "does not exist",
    ".": "is a folder",
}


def replay(data, name, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Replay(data / name, speed="max", **options)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_sweep_of_a_family_has_its_step(data, name):
    rate, onset, duration, tolerance, amplitudes, source = FAMILIES[name]
    rig = replay(data, name)
    assert [p.refusal for p in rig.stimuli] == [None] * len(amplitudes)
    for k, (passage, amplitude) in enumerate(zip(rig.stimuli, amplitudes, strict=True)):
        stimulus, sweep = passage.stimulus, rig.sweep(k)
        assert passage.file_sweep == k
        assert passage.start / rate + stimulus.onset == pytest.approx(onset, abs=tolerance)
        assert stimulus.step_duration == pytest.approx(duration, abs=tolerance)
        assert stimulus.amplitude == pytest.approx(amplitude, rel=0.01, abs=0.5)
        assert 50 <= stimulus.baseline <= 250
        assert stimulus.tail <= 300
        assert sweep.rate == rate
        assert sweep.command_source == source
        assert sweep.holding_source == {"header": "unknown", "recorded channel": "measured"}[source]
        assert stimulus.command(rate).shape == sweep.response.shape == sweep.command.shape
        assert abs(sweep.command - stimulus.command(rate)).mean() < 6


@pytest.mark.parametrize("name", FAMILIES)
def test_the_membrane_potential_is_in_millivolts(data, name):
    rig = replay(data, name)
    reference = json.loads((data / "reference_features.json").read_text()).get(name, {})
    for k in range(len(rig.stimuli)):
        sweep = rig.sweep(k)
        rest = np.median(sweep.response[: int(sweep.stimulus.onset * sweep.rate)])
        assert -80 < rest < -35
        assert sweep.response.max() < 80
        if str(k) in reference:
            assert rest == pytest.approx(reference[str(k)]["efel_native_dt"]["voltage_base"][0], abs=1.5)


def test_spikes_of_an_allen_sweep_are_all_there(data):
    for name, spikes in zip(ALLEN, [25, 22, 18, 13, 11], strict=True):
        v = replay(data, name).sweep(0).response
        assert np.count_nonzero((v[1:] > -20) & (v[:-1] <= -20)) == spikes


def test_one_cell_in_two_formats_gives_the_same_sweeps(data):
    abf, nwb = replay(data, "PYR5_rebound.abf"), replay(data, "FergusonEtAl2015_PYR5_rebound.nwb")
    for k in range(10):
        a, b = abf.sweep(k), nwb.sweep(9 - k)
        assert a.stimulus.amplitude == pytest.approx(b.stimulus.amplitude, abs=0.1)
        np.testing.assert_allclose(a.response[:15000], b.response[:15000], atol=1e-3)


def test_the_true_current_of_pyr5_is_its_recorded_channel(data):
    rig = replay(data, "PYR5_rebound.abf")
    roles = {c.name: c.role for c in rig.recording.channels}
    assert roles == {"Imemb": "current", "Vm": "response"}
    assert rig.stimuli[0].stimulus.holding == pytest.approx(49.4, abs=0.5)
    rebound = rig.sweep(9)
    assert rebound.response[: int(1081 * rebound.rate)].max() < 0 < rebound.response[int(1082 * rebound.rate) :].max()


def test_a_prepulse_is_kept_as_history(data):
    history = replay(data, "18713001.abf").stimuli[5].history
    assert (history.level, history.duration, history.gap) == (-100, 300, 500)


def test_the_epoch_can_be_chosen(data):
    rig = replay(data, "171116sh_0018.abf", epoch=4)
    stimulus = rig.stimuli[12].stimulus
    assert rig.stimuli[12].start / 20 + stimulus.onset == pytest.approx(1646.85)
    assert (stimulus.holding, stimulus.amplitude) == (-100, 300)


def test_an_epoch_that_is_not_there_is_refused_with_the_choices(data):
    reasons = {p.refusal for p in replay(data, "171116sh_0018.abf", epoch=9).stimuli}
    assert len(reasons) == 1
    assert "1: 146.8-646.9 ms at -100..300 pA; 2:" in reasons.pop()


@pytest.mark.parametrize("name", ["18425108.abf", "18425108_abf1.abf"])
def test_a_train_of_pulses_is_no_step(data, name):
    (passage,) = replay(data, name).stimuli
    assert passage.stimulus is None
    assert passage.refusal.startswith("No step")


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_in_one_sentence(data, name, capfd):
    with pytest.raises(RecordingError, match=REFUSED[name]) as caught:
        replay(data, name)
    assert str(caught.value).count("\n") == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", [*FAMILIES, "18425108.abf", "opto_aps_bad_units.abf", "damaged_Lantyer_trunc60.nwb"])
def test_an_inspection_is_json_and_says_what_is_wrong(data, name):
    found = inspect(data / name)
    json.dumps(found, allow_nan=False)
    assert (found["usable_sweeps"] > 0) == (name in FAMILIES)
    if name not in FAMILIES:
        assert found["problems"]


def test_sweeps_start_when_the_file_says(data):
    starts = [s.start for s in replay(data, "18713001.abf").recording.sweeps]
    assert {(b - a).total_seconds() for a, b in itertools.pairwise(starts)} == {20.0}
    assert starts[0].isoformat() == "2018-07-13T15:11:44.841000+00:00"
