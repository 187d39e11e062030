"""What the rig file says of cell and electrode is what the simulated rig plays."""

import numpy as np
import pytest

from hardware.own import read_own
from hardware.recorder import Recorder
from hardware.replay import Replay
from rig_plugin.electrode_settings import ElectrodeSettings
from rig_plugin.rigs import model_cell
from rig_plugin.settings import CellSettings, ProtocolSettings, RigSettings, Settings
from simulators.cortical import Cortical
from simulators.stimulus import Epoch, Stimulus, step

QUIET = {"g_Na": 0.0, "g_K": 0.0, "g_M": 0.0, "noise": 0.0, "bridge": 0.0, "offset": 0.0}
STEP = step(-50.0, onset=60.0, duration=100.0, tail=40.0)
CLAMP = Stimulus("voltage", (Epoch(-70.0, 60.0), Epoch(-80.0, 140.0)))


def rig_of(interval=1000.0, cell=QUIET, **electrode):
    return model_cell(
        Settings(
            rig=RigSettings(seed=1, pace="max"),
            cell=CellSettings(cell),
            protocol=ProtocolSettings(interval=interval),
            electrode=ElectrodeSettings(**{"white": 0.0, "white_current": 0.0, **electrode}),
        )
    )


def played(rig, stimulus=STEP):
    return np.concatenate([block.response for block in rig.play(stimulus)])


def answer(stimulus=STEP, **electrode):
    with rig_of(**electrode) as rig:
        return played(rig, stimulus)


def test_without_a_table_the_electrode_is_that_of_the_simulator():
    with model_cell(Settings(rig=RigSettings(seed=1, pace="max"), cell=CellSettings(QUIET))) as rig:
        ours = played(rig)
    theta = {"C": 90.0, "g_leak": 0.06, "tau_max": 800.0, "V_T": -56.0, "E_leak": -70.0, "rate_factor": 0.9, **QUIET}
    row = np.array([[theta[parameter.name] for parameter in Cortical.parameters]])
    np.testing.assert_array_equal(ours, Cortical().simulate(row, STEP, 20.0, np.random.default_rng(1))[0])


@pytest.mark.parametrize(
    "electrode",
    [
        {"capacitance": 6.0},
        {"junction": 12.0},
        {"corner": 1.0},
        {"white": 0.3},
        {"flicker": 0.3},
        {"hum": 0.3},
        {"drift": 2.0},
        {"adc_range": 70.5},
        {"adc_step": 0.5},
    ],
    ids=lambda electrode: next(iter(electrode)),
)
def test_each_knob_reaches_the_samples(electrode):
    plain, other = answer(), answer(**electrode)
    assert np.abs(other - plain).max() > 0.04
    np.testing.assert_array_equal(answer(**electrode), other)


@pytest.mark.parametrize(
    "electrode",
    [
        {"series": 20.0},
        {"capacitance": 6.0},
        {"junction": 12.0},
        {"corner": 1.0},
        {"white_current": 3.0},
        {"flicker_current": 3.0},
        {"hum_current": 3.0},
        {"drift_current": 20.0},
        {"adc_range_current": 20.0},
        {"adc_step_current": 5.0},
    ],
    ids=lambda electrode: next(iter(electrode)),
)
def test_each_knob_reaches_the_samples_of_a_voltage_clamp_and_no_other_does(electrode):
    plain, other = answer(CLAMP), answer(CLAMP, **electrode)
    assert np.abs(other - plain).max() > 1.0
    np.testing.assert_array_equal(answer(CLAMP, **electrode), other)
    if next(iter(electrode)).endswith("_current"):
        np.testing.assert_array_equal(answer(**electrode), answer())


def test_a_membrane_test_of_the_rig_shows_what_its_electrode_is():
    current = answer(CLAMP, series=20.0, corner=16.0)
    steady = current[-1] - current[0]
    # 10 mV over 20 MOhm and 90 pF at .06 mS/cm2.
    assert steady == pytest.approx(-10.0 / (0.02 + 1.0 / 5.4), rel=1e-3)
    assert current.min() - current[0] == pytest.approx(-500.0, rel=0.1)


def test_in_current_clamp_the_series_resistance_shows_by_the_capacitance_only():
    np.testing.assert_array_equal(answer(series=30.0), answer())
    assert np.abs(answer(series=30.0, capacitance=3.0) - answer(capacitance=3.0)).max() > 0.1


def test_a_hum_has_the_frequency_of_the_settings():
    for frequency in (50.0, 60.0):
        wave = answer(hum=0.4, hum_frequency=frequency) - answer()
        time = np.arange(wave.size) / 20.0
        parts = np.stack([np.sin(2e-3 * np.pi * frequency * time), np.cos(2e-3 * np.pi * frequency * time)], axis=1)
        np.testing.assert_allclose(parts @ np.linalg.lstsq(parts, wave, rcond=None)[0], wave, rtol=0, atol=1e-3)


def test_what_the_digitizer_gives_lies_on_its_steps_and_in_its_range():
    plain, coded = answer(), answer(adc_range=75.0, adc_step=0.125)
    np.testing.assert_array_equal(coded, np.clip(np.rint(plain / 0.125) * 0.125, -75.0, 75.0))
    assert (coded == -75.0).any()


@pytest.mark.parametrize("junction", [12.0, -7.5])
def test_the_junction_potential_is_told_and_can_be_subtracted_from_a_replay(junction, tmp_path):
    path = tmp_path / "cell.h5"
    with rig_of(junction=junction) as rig, Recorder(path, {}) as recorder:
        for k, block in enumerate(rig.play(STEP)):
            if not k:
                recorder.start(STEP, rig.rate, rig.provenance)
            recorder.append(block)
        recorder.finish({}, {})
    (kept,) = read_own(path).sweeps
    assert (kept.junction.state, kept.junction.potential) == ("uncorrected", junction)
    replay = Replay(read_own(path), speed="max")
    sweep, passage = replay.sweep(0), replay.stimuli[0]
    truth = answer()[passage.start : passage.stop]
    np.testing.assert_allclose(sweep.corrected, truth, rtol=0, atol=1e-4)
    np.testing.assert_allclose(sweep.response - sweep.corrected, junction, rtol=0, atol=1e-9)


def test_without_a_junction_potential_the_voltage_is_told_to_be_true():
    assert rig_of().provenance.junction.state == "corrected"


@pytest.mark.parametrize("slope", [0.6, -1.5])
def test_the_rest_moves_by_so_many_millivolts_a_minute(slope):
    with rig_of(interval=29_800.0, rest_drift=slope) as rig:
        rests, times = [], []
        for _ in range(5):
            rests.append(played(rig)[:1000].mean())
            times.append(rig.elapsed)
    assert times == [0.0, 30_000.0, 60_000.0, 90_000.0, 120_000.0]
    np.testing.assert_allclose(np.array(rests) - rests[0], slope * np.array(times) / 60_000.0, rtol=0, atol=2e-3)


def test_a_rest_that_has_drifted_to_the_bounds_of_the_simulator_stays_there():
    with rig_of(interval=3_600_000.0, rest_drift=-5.0) as rig:
        rests = [played(rig)[:1000].mean() for _ in range(3)]
    np.testing.assert_allclose(rests, [-70.0, -130.0, -130.0], rtol=0, atol=0.01)
