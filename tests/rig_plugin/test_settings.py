import dataclasses
from pathlib import Path

import pytest

from estimators.pretrained import SHIPPED, shipped
from rig_plugin.settings import Settings, SettingsError, read

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "rig_simulated.toml"


@pytest.fixture
def rig_file(tmp_path):
    def write(text):
        path = tmp_path / "rig.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_without_a_file_the_defaults_hold():
    assert read() == Settings()


def test_an_empty_file_says_the_same_as_none(rig_file):
    assert read(rig_file("")) == Settings()


def test_the_example_says_the_defaults_but_for_its_instances():
    settings = read(EXAMPLE)
    assert settings.protocol == Settings().protocol
    assert settings.limits == Settings().limits
    assert settings.electrode == Settings().electrode
    assert settings.rig == dataclasses.replace(Settings().rig, seed=1)
    assert settings.cell.theta == {"C": 80.0}


def test_a_key_with_a_unit_becomes_a_field_without_one(rig_file):
    settings = read(rig_file("[rig]\nrate_kHz = 10\n[protocol]\nholding_pA = -20\ninterval_s = 1.5"))
    assert (settings.rig.rate, settings.protocol.holding, settings.protocol.interval) == (10.0, -20.0, 1500.0)
    assert type(settings.rig.rate) is float


def test_a_family_goes_from_start_to_stop(rig_file):
    protocol = read(rig_file("[protocol]\nstart_pA = 100\nstop_pA = -60\nstep_pA = -40")).protocol
    assert [stimulus.amplitude for stimulus in protocol.stimuli()] == [100, 60, 20, -20, -60]


def test_a_family_of_tenths_does_not_lose_its_last_step(rig_file):
    protocol = read(rig_file("[protocol]\nstart_pA = 0\nstop_pA = 0.3\nstep_pA = 0.1")).protocol
    assert len(protocol.stimuli()) == 4


def test_each_step_has_the_test_pulse_before_it_that_was_asked_for(rig_file):
    text = (
        "[protocol]\namplitudes_pA = [50, 80]\nholding_pA = -10\ntest_pulse_pA = -20\ntest_pulse_ms = 80\nonset_ms = 60"
    )
    for stimulus, amplitude in zip(read(rig_file(text)).protocol.stimuli(), (50, 80), strict=True):
        assert stimulus.amplitude == amplitude
        assert [(e.level, e.duration) for e in stimulus.epochs[:3]] == [(-10.0, 50.0), (-30.0, 80.0), (-10.0, 150.0)]
    with pytest.raises(SettingsError, match="outside the limits"):
        read(rig_file(f"{text}\n[limits]\nlow_pA = -25"))


def test_every_key_of_the_electrode_has_its_field(rig_file):
    lines = (
        "series_MOhm = 1.5\ncapacitance_pF = 2.5\njunction_mV = -3.5\ncorner_kHz = 4.5\nwhite_mV = 0.5\n"
        "flicker_mV = 0.6\nhum_mV = 0.7\nhum_Hz = 60\ndrift_mV_per_s = -0.8\nrest_drift_mV_per_min = 0.9\n"
        "adc_range_mV = 1000\nadc_step_mV = 0.03\n"
        "white_pA = 3\nflicker_pA = 4\nhum_pA = 5\ndrift_pA_per_s = -6\nadc_range_pA = 7000\nadc_step_pA = 0.8"
    )
    values = (1.5, 2.5, -3.5, 4.5, 0.5, 0.6, 0.7, -0.8, 1000.0, 0.03, 3.0, 4.0, 5.0, -6.0, 7000.0, 0.8, 60.0, 0.9)
    assert dataclasses.astuple(read(rig_file(f"[electrode]\n{lines}")).electrode) == values


def test_amplitudes_can_be_given_one_by_one(rig_file):
    protocol = read(rig_file("[protocol]\namplitudes_pA = [50, -20.5]\nonset_ms = 100\nholding_pA = 10")).protocol
    assert [(s.amplitude, s.holding, s.onset) for s in protocol.stimuli()] == [(50, 10, 100), (-20.5, 10, 100)]


def test_paths_are_relative_to_the_rig_file(rig_file, tmp_path):
    (tmp_path / "NET.h5").touch()
    settings = read(rig_file('[network]\npath = "NET.h5"\n[recording]\nfolder = "kept"'))
    assert settings.network.path == tmp_path / "NET.h5"
    assert settings.recording.folder == tmp_path / "kept"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_network_that_ships_can_be_named_unless_a_file_is_called_so(rig_file, tmp_path, name):
    text = f'[network]\npath = "{name}"'
    assert read(rig_file(text)).network.path == shipped(name)
    (tmp_path / name).write_bytes(b"")
    assert read(rig_file(text)).network.path == tmp_path / name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rigs]", "[rigs] is unknown: use [rig], [cell], [patch], [electrode], "),
        ("rig = 1", "rig is 1, a table [rig] was wanted"),
        ("[rig]\nrate = 20", "[rig] has no key rate: use kind, rate_kHz, seed, pace or confirm"),
        ("[rig]\nrate_kHz = '20'", "[rig] rate_kHz is '20', a number between 1 and 250 was wanted"),
        ("[rig]\nrate_kHz = true", "[rig] rate_kHz is True, a number between 1 and 250 was wanted"),
        ("[rig]\nrate_kHz = nan", "[rig] rate_kHz is nan, a number between 1 and 250 was wanted"),
        ("[rig]\nrate_kHz = 0.5", "[rig] rate_kHz is 0.5, a number between 1 and 250 was wanted"),
        ("[rig]\nseed = -1", "[rig] seed is -1, a whole number of at least 0 was wanted"),
        ("[rig]\nseed = 1.0", "[rig] seed is 1.0, a whole number of at least 0 was wanted"),
        ("[rig]\nkind = 3", "[rig] kind is 3, a text in quotation marks was wanted"),
        ("[rig]\npace = 'fast'", "[rig] pace is 'fast', 'real' or 'max' was wanted"),
        ("[cell]\nC = 'big'", "[cell] C is 'big', a number was wanted"),
        ("[cell]\nC = inf", "[cell] C is inf, a number was wanted"),
        ("[electrode]\nbridge_MOhm = 3", "[electrode] has no key bridge_MOhm: use series_MOhm, capacitance_pF, "),
        ("[electrode]\ncorner_kHz = 0", "[electrode] corner_kHz is 0, a number between 1 and 16 was wanted"),
        ("[electrode]\nseries_MOhm = 0", "[electrode] series_MOhm is 0, a number between 0.1 and 200 was wanted"),
        ("[electrode]\nflicker_mV = -1", "[electrode] flicker_mV is -1, a number between 0 and 10 was wanted"),
        ("[electrode]\njunction_mV = 80", "[electrode] junction_mV is 80, a number between -50 and 50 was wanted"),
        ("[electrode]\nadc_step_mV = '1'", "[electrode] adc_step_mV is '1', a number between 0 and 10 was wanted"),
        ("[protocol]\namplitudes_pA = 50", "[protocol] amplitudes_pA is 50, a list of numbers was wanted"),
        ("[protocol]\namplitudes_pA = [1, 'a']", "[protocol] amplitudes_pA is [1, 'a'], a number was wanted"),
        ("[protocol]\namplitudes_pA = []", "amplitudes_pA is empty"),
        ("[protocol]\namplitudes_pA = [1]\nstop_pA = 2", "has amplitudes_pA and stop_pA: keep one of the two ways"),
        ("[protocol]\nstep_pA = 0", "by 0 pA, a step_pA that arrives"),
        ("[protocol]\nstep_pA = -25", "by -25 pA, a step_pA that arrives"),
        ("[protocol]\nstep_pA = 0.001", "arrives in at most 1000 sweeps"),
        ("[protocol]\nonset_ms = 10", "[protocol] onset_ms is 10, a number between 50 and 10000 was wanted"),
        ("[protocol]\nstop_pA = 1200", "outside the limits [-1000, 1000] pA"),
        ("[limits]\nhigh_pA = 100", "outside the limits [-1000, 100] pA"),
        ("[limits]\nhigh_pA = -1500", "finite, ordered ones were wanted"),
        ("[network]\npath = 'none.h5'", "which is no file: name a checkpoint"),
        ("[network]\npath = ''", "[network] path is '', a text in quotation marks was wanted"),
        ("[rig\n", "is no TOML"),
        ("[rig]\nseed = 1\nseed = 2", "is no TOML"),
    ],
)
def test_a_bad_key_is_refused_by_name(rig_file, text, said):
    path = rig_file(text)
    with pytest.raises(SettingsError) as caught:
        read(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="can't be read"):
        read(tmp_path / "none.toml")


def test_a_recording_in_place_of_a_rig_file_is_refused(tmp_path):
    path = tmp_path / "cell.abf"
    path.write_bytes(b"ABF2\xff\xfe\x00")
    with pytest.raises(SettingsError, match="rig-plugin replay FILE"):
        read(path)


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().rig.rate = 1.0
