"""Table [nidaq]: what a rig file says of a board, and what it must not leave open."""

from pathlib import Path

import pytest

from hardware.rig import Gain
from rig_plugin.nidaq_settings import NidaqSettings
from rig_plugin.plugins import load
from rig_plugin.settings import SettingsError, read
from simulators.sweep import Junction

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "rig_nidaq.toml"
WHOLE = 'device = "Dev1"\nresponse_mV_per_V = 100\ncommand_pA_per_V = 400\n'

AXOPATCH = '[amplifier]\nkind = "axopatch-200b"\n'
FOLLOWS = f'device = "Dev1"\ngain = "telegraph"\nmode_telegraph = "ai4"\ngain_telegraph = "ai5"\n{AXOPATCH}'


@pytest.fixture
def rig_file(tmp_path):
    def write(nidaq=WHOLE, limits="[limits]\nlow_pA = -200\nhigh_pA = 500\n", rig=""):
        path = tmp_path / "rig.toml"
        path.write_text(f'[rig]\nkind = "nidaq"\n{rig}\n{limits}[nidaq]\n{nidaq}', encoding="utf-8")
        return path

    return write


def test_the_example_says_the_defaults_but_for_what_it_needs():
    settings = read(EXAMPLE)
    needed = {"device": "Dev1", "response_mV": 100.0, "command_pA": 400.0}
    assert settings.nidaq == NidaqSettings(**needed)
    rig = load("rigs", settings.rig.kind)(settings)
    assert (rig.rate, rig.exit_level, rig.limits.low, rig.limits.high) == (20.0, 0.0, -200.0, 500.0)
    assert rig.gains["response"].source == "rig file"


def test_the_example_holds_when_its_instances_are_uncommented(tmp_path):
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "rig.toml"
    said = [line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in lines]
    path.write_text("\n".join(said), encoding="utf-8")
    wiring = read(path).nidaq.wiring()
    assert (wiring.server, wiring.monitor.terminal, wiring.monitor.gain.value) == ("rig-pc:31763", "ai1", 500.0)
    assert {name: each.terminal for name, each in wiring.telegraphs.items()} == {
        "mode": "ai4", "gain": "ai5", "filter": "ai6", "capacitance": "ai7",
    }  # fmt: skip
    assert read(path).channels.inputs["bath"].gain == Gain(10.0, "degC/V", "rig file")
    assert (read(path).nidaq.told, read(path).amplifier.kind) == (Junction("uncorrected", 12.0), "axopatch-200b")


def test_every_key_reaches_the_rig(rig_file):
    more = 'server = "10.0.0.2:31763"\noutput = "ao1"\nresponse = "ai4"\nmonitor = "ai5"\nmonitor_pA_per_V = 500\n'
    more += (
        'terminals = "rse"\ninput_range_V = 5\noutput_range_V = 2\nexit_pA = -10\ntimeout_ms = 100\nsilence_ms = 900'
    )
    rig = load("rigs", "nidaq")(read(rig_file(WHOLE + more, rig="rate_kHz = 50")))
    wiring = rig._wiring
    assert (wiring.output.terminal, wiring.output.span, wiring.response.terminal) == ("ao1", 2.0, "ai4")
    assert (wiring.response.terminals, wiring.response.span, wiring.server) == ("rse", 5.0, "10.0.0.2:31763")
    assert rig.gains["command"].value == 500.0
    assert (rig.rate, rig.exit_level, rig._input._timeout) == (50.0, -10.0, 0.1)
    assert '"silence": 0.9' in rig._guardian._asked
    assert '"command_volts": -0.025' in rig._guardian._asked


def test_voltage_clamp_has_scales_of_its_own(rig_file):
    text = 'device = "Dev1"\nclamp = "voltage"\nresponse_pA_per_V = 1000\ncommand_mV_per_V = 20\n'
    wiring = read(rig_file(text)).nidaq.wiring()
    assert (wiring.clamp, wiring.response.gain.unit, wiring.output.gain.unit) == ("voltage", "pA/V", "mV/V")


def test_scales_that_the_amplifier_tells_are_not_known_before_it_is_asked(rig_file):
    rig = load("rigs", "nidaq")(read(rig_file(FOLLOWS)))
    assert (dict(rig.gains), rig._wiring.response.gain, rig._wiring.output.gain) == ({}, None, None)
    text = FOLLOWS.replace("[amp", 'monitor = "ai1"\nmonitor_pA_per_V = 500\n[amp')
    assert list(load("rigs", "nidaq")(read(rig_file(text))).gains) == ["command"]


def test_a_further_channel_is_read_under_its_name_in_its_unit(rig_file):
    text = WHOLE + '[channels."bath temperature"]\ninput = "ai3"\nper_V = 10.0\nunit = "degC"\nrange_V = 5\n'
    rig = load("rigs", "nidaq")(read(rig_file(text)))
    (name, channel), *_ = rig._wiring.others.items()
    assert (name, channel.terminal, channel.span) == ("bath temperature", "ai3", 5.0)
    assert rig.gains["bath temperature"] == Gain(10.0, "degC/V", "rig file")


def test_a_further_channel_of_a_rig_that_has_none_is_refused(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text('[channels.bath]\ninput = "ai3"\nper_V = 1\nunit = "V"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"\[channels\] are inputs of a board"):
        read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WHOLE + '[channels]\nbath = "ai3"', "bath is 'ai3', a table"),
        (WHOLE + '[channels.bath]\ninput = "ai3"\nunit = "degC"', "per_V is missing: say at which input"),
        (WHOLE + '[channels.bath]\nper_V = 1\nunit = "degC"', "input is missing"),
        (WHOLE + '[channels.bath]\ninput = "ai3"\nper_V = 0\nunit = "degC"', "per_V is 0: say"),
        (WHOLE + '[channels.bath]\ninput = "ai3"\nper_V = 1\nunit = "mV/V"', "without the '/V'"),
        (WHOLE + "[channels.bath]\nscale = 1", r"\[channels.bath\] has no key scale"),
        (WHOLE + '[channels.bath]\ninput = "ai0"\nper_V = 1\nunit = "V"', "ai0 of Dev1 is wired twice"),
        (WHOLE + '[channels.command]\ninput = "ai3"\nper_V = 1\nunit = "V"', "called 'command', which is taken"),
        (WHOLE.replace('device = "Dev1"\n', ""), "has no device: name the board as NI MAX shows it"),
        ('device = "Dev1"\ncommand_pA_per_V = 400', "lacks response_mV_per_V: it stands on the amplifier"),
        ('device = "Dev1"\nresponse_mV_per_V = 100', "lacks command_pA_per_V"),
        (WHOLE + 'monitor = "ai1"', "lacks monitor_pA_per_V"),
        (WHOLE + "monitor_pA_per_V = 500", "has monitor_pA_per_V: name the monitor too"),
        (WHOLE + "command_mV_per_V = 20", "has command_mV_per_V, which is of another mode than current clamp"),
        (WHOLE + 'server = "rig-pc"', '"host:port" was wanted'),
        (WHOLE + 'server = "rig-pc:99999"', '"host:port" was wanted'),
        (WHOLE + 'terminals = "single"', "'rse' or 'nrse' was wanted"),
        (WHOLE + 'monitor = "ai0"\nmonitor_pA_per_V = 500', "ai0 of Dev1 is wired twice"),
        (WHOLE.replace("400", "0"), "gain of ao0 is 0"),
        (WHOLE + 'gain = "telegraph"', "has response_mV_per_V and gain = 'telegraph': keep the number"),
        ('device = "Dev1"\ngain = "telegraph"', "no amplifier tells it: add .* kind = 'axopatch-200b' or 'multiclamp'"),
        (FOLLOWS.replace("axopatch-200b", "manual") + 'mode = "current"', "no amplifier tells it"),
        (FOLLOWS.replace("[amp", "exit_pA = -10\n[amp"), "exit_pA is -10 .* known before the amplifier is asked"),
        (FOLLOWS.replace("[amp", 'monitor = "ai1"\n[amp'), "lacks monitor_pA_per_V"),
        (WHOLE + 'gain_telegraph = "ai5"', "has gain_telegraph and nobody reads it"),
        (WHOLE + 'mode_telegraph = "ai4"\n' + AXOPATCH, "has no gain_telegraph: name the input"),
        (WHOLE + 'mode_telegraph = "ai4"\ngain_telegraph = "ai0"\n' + AXOPATCH, "ai0 of Dev1 is wired twice"),
    ],
)
def test_what_is_missing_or_cannot_be_is_refused_when_the_file_is_read(rig_file, text, said):
    with pytest.raises(SettingsError, match=said):
        read(rig_file(text))


@pytest.mark.parametrize("limits", ["", "[limits]\nlow_pA = -200\n"], ids=["none", "half"])
def test_a_real_rig_without_limits_is_refused(limits, rig_file):
    with pytest.raises(SettingsError, match=r"\[limits\] is missing or not whole: a rig that puts currents"):
        read(rig_file(limits=limits))


def test_a_board_beside_a_simulated_cell_is_no_reason_to_refuse(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text('[nidaq]\ndevice = "Dev1"\n', encoding="utf-8")
    assert read(path).rig.kind == "model-cell"
