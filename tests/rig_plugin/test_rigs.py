"""What the rig file says of cell and electrode is what the simulated rig plays."""

from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pytest

from estimators.process import PROCESSES
from hardware.own import read_own
from hardware.recorder import Recorder
from hardware.replay import Replay
from hardware.rig import Rig
from rig_plugin.electrode_settings import ElectrodeSettings
from rig_plugin.plugins import load
from rig_plugin.rigs import model_cell
from rig_plugin.settings import CellSettings, ProtocolSettings, RigSettings, Settings, SettingsError, read
from rig_plugin.simulated_cell import CELLS
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.stimulus import Epoch, Stimulus, step

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "docs").glob("rig_*.toml"))
QUIET = {"g_Na": 0.0, "g_K": 0.0, "g_M": 0.0, "noise": 0.0, "bridge": 0.0, "offset": 0.0}
NO_CHANNELS = {"g_Nat": 0.0, "g_Na": 0.0, "g_Kd": 0.0, "g_M": 0.0, "g_Kv31": 0.0, "g_L": 0.0}
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
    with rig_of(interval=30_000.0, rest_drift=slope) as rig:
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


def test_every_process_has_a_simulated_cell_with_all_of_its_parameters():
    assert tuple(CELLS) == tuple(PROCESSES)
    for name, cell in CELLS.items():
        assert cell.parameters == PROCESSES[name].parameters
        assert tuple(cell.typical) == PROCESSES[name].names


@pytest.mark.parametrize("model", CELLS)
def test_the_typical_cell_rests_and_fires_the_more_the_more_it_gets(model):
    cell = CELLS[model]
    counts = []
    for current in (0.0, 150.0, 300.0):
        stimulus = step(current, onset=100.0, duration=300.0, tail=50.0)
        voltage = cell.simulate(cell.typical, Electrode(), stimulus, 20.0, np.random.default_rng(1))
        counts.append(int(np.sum((voltage[1:] > 0.0) & (voltage[:-1] <= 0.0))))
        assert -85.0 < voltage[:1900].mean() < -60.0
    assert 0 == counts[0] < counts[1] < counts[2]


def test_bridge_and_offset_of_a_cell_are_those_of_its_table_whatever_its_model():
    answers = []
    for theta in ({}, {"bridge": 11.5}, {"offset": -4.5}):
        cell = CellSettings({**NO_CHANNELS, **theta}, "patchseq")
        settings = Settings(rig=RigSettings(seed=1, pace="max"), cell=cell)
        with model_cell(settings) as rig:
            answers.append(played(rig))
    plain, bridged, shifted = answers
    np.testing.assert_allclose(shifted - plain, -5.0, rtol=0, atol=1e-3)
    # 10 MOhm more, at 50 pA down.
    np.testing.assert_allclose((bridged - plain)[1300:3100], -0.5, rtol=0, atol=1e-3)
    np.testing.assert_allclose((bridged - plain)[:1190], 0.0, rtol=0, atol=1e-3)


def test_the_settings_choose_the_model_of_the_simulated_cell(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text('[cell]\nmodel = "patchseq"\nR_in = 300.0\n', encoding="utf-8")
    assert read(path).cell == CellSettings({"R_in": 300.0}, "patchseq")
    path.write_text('[cell]\nmodel = "squid"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"\[cell\] model is 'squid', 'cortical' or 'patchseq' was wanted"):
        read(path)


def test_a_parameter_of_another_model_is_refused():
    with pytest.raises(SettingsError, match="g_leak is unknown; known are C, R_in"):
        model_cell(Settings(cell=CellSettings({"g_leak": 0.1}, "patchseq")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_of_a_rig_file_makes_its_rig(path):
    settings = read(path)
    rig = load("rigs", settings.rig.kind)(settings)
    assert isinstance(rig, Rig)
    assert rig.limits == settings.limits.limits()


def test_every_rig_that_ships_has_an_example():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    ships = {line.split(" = ")[0] for line in config["options.entry_points"]["rig_plugin.rigs"].split("\n") if line}
    assert {read(path).rig.kind for path in EXAMPLES} == ships
