"""A rig file for a serial line, and the session that it opens."""

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from estimators.pretrained import FIRST
from hardware.line import LineError
from hardware.rig import RigError
from rig_plugin import opening
from rig_plugin.plugins import load
from rig_plugin.rigs import serial
from rig_plugin.serial_settings import SerialSettings
from rig_plugin.settings import SettingsError, read
from simulators.sweep import Junction

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "rig_serial.toml"


@pytest.fixture
def rig_file(tmp_path):
    """The example with another port, and other changes line by line."""

    def write(port="/dev/nowhere", **changes):
        lines = EXAMPLE.read_text(encoding="utf-8").replace("/dev/ttyACM0", port).splitlines()
        for name, value in changes.items():
            place = next(k for k, line in enumerate(lines) if line.lstrip("# ").startswith(name))
            lines[place] = "" if value is None else f"{name} = {value}"
        path = tmp_path / "RIG.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def network():
    return opening.network(FIRST)


def test_the_example_parses_and_makes_a_rig():
    settings = read(EXAMPLE)
    assert settings.rig.kind == "serial"
    rig = load("rigs", settings.rig.kind)(settings)
    assert (rig.rate, rig.limits.low, rig.limits.high, rig.exit_level) == (20.0, -500.0, 500.0, 0.0)
    assert rig.gains["command"].value == 0.0625
    assert rig.provenance.junction == Junction()


def test_the_example_says_every_key():
    text = EXAMPLE.read_text(encoding="utf-8")
    assert all(field.metadata["key"] in text for field in dataclasses.fields(SerialSettings))


def test_a_junction_potential_that_is_said_is_told_with_every_sweep(rig_file):
    assert serial(read(rig_file(junction_mV=14.0))).provenance.junction == Junction("uncorrected", 14.0)


@pytest.mark.parametrize("name", ["response_mV_per_count", "command_pA_per_count", "output_pA_per_count"])
@pytest.mark.parametrize(("value", "how"), [(None, "missing"), (0, "0")])
def test_a_scale_that_nobody_measured_is_refused(name, value, how, rig_file):
    with pytest.raises(SettingsError, match=rf"\[serial\] {name} is {how}: measure it"):
        serial(read(rig_file(**{name: value})))


def test_a_port_that_is_not_said_is_refused(rig_file):
    with pytest.raises(SettingsError, match=r"\[serial\] has no port: say which"):
        serial(read(rig_file(**{"port =": None})))


@pytest.mark.parametrize("name", ["low_pA", "high_pA"])
def test_limits_that_are_not_said_are_refused(name, rig_file):
    with pytest.raises(SettingsError, match=r"\[limits\] is missing or not whole"):
        read(rig_file(**{name: None}))


@pytest.mark.parametrize(
    ("changes", "error", "complaint"),
    [
        ({"baud": 115200}, LineError, "need a line of 922,106 baud"),
        ({"holding_pA": 600.0}, RigError, "outside the limits"),
        ({"command_channel": 0}, RigError, "two different ones"),
        ({"dtr": '"maybe"'}, SettingsError, "'on' or 'off'"),
        ({"response_gain": 0}, SettingsError, "between 1 and 1024"),
    ],
)
def test_what_can_t_be_a_rig_is_refused_before_the_port_is_opened(changes, error, complaint, rig_file):
    with pytest.raises(error, match=complaint):
        serial(read(rig_file(**changes)))


def short(path):
    """The settings of a rig file, with a family of two sweeps without a pause between."""
    settings = read(path)
    protocol = dataclasses.replace(
        settings.protocol, amplitudes=(-50.0, 200.0), onset=60.0, duration=300.0, tail=100.0, interval=0.0
    )
    return dataclasses.replace(settings, protocol=protocol)


@pytest.fixture
def hurried(monkeypatch):
    """Let a session begin its sweeps one after the other: the cell behind these lines needs no rest."""
    monkeypatch.setattr(opening, "check_interval", lambda *_, **__: None)


@pytest.mark.usefixtures("hurried")
def test_a_session_closes_its_loop_over_the_line(board, rig_file, network, tmp_path):
    device = board(mV=0.0078125)
    out = tmp_path / "cell.h5"
    silent, firing = opening.attach(short(rig_file(device.port)), network, out=out).trials()
    assert [trial.posterior is not None for trial in (silent, firing)] == [True, True]
    assert (silent.features["spike_count"], firing.sweeps_used) == (0.0, 2)
    assert firing.features["spike_count"] > 3
    assert silent.features["rest"] == pytest.approx(-70.8, abs=0.1)
    assert silent.membrane.potential == pytest.approx(-70.8, abs=0.2)
    assert silent.membrane.access == pytest.approx(0.0, abs=3.0)
    with h5py.File(out) as file:
        for name, amplitude in (("000000", -50.0), ("000001", 200.0)):
            command = file["sweeps"][name]["command"]
            # As the rig file has it, a pulse of -20 pA comes before each step.
            assert command[1500] * command.attrs["conversion"] == pytest.approx(-20.0 * 1e-12)
            step = round(firing.sweep.stimulus.onset * 20.0) + 500
            assert command[step] * command.attrs["conversion"] == pytest.approx(amplitude * 1e-12)
            assert np.isfinite(file["sweeps"][name]["response"][:]).all()


@pytest.mark.parametrize(("seconds", "said"), [(1.9, "2 s at least"), (0.0, "2 s at least"), (2.0, None)])
def test_before_a_cell_an_interval_is_two_seconds_at_least_whatever_the_pace(rig_file, network, seconds, said):
    settings = read(rig_file(interval_s=seconds))
    settings = dataclasses.replace(settings, rig=dataclasses.replace(settings.rig, pace="max"))
    if said is None:
        opening.attach(settings, network)
        return
    with pytest.raises(SettingsError, match=said):
        opening.attach(settings, network)


def test_a_sweep_that_is_longer_than_the_interval_is_refused_before_the_port_is_opened(rig_file, network):
    with pytest.raises(SettingsError, match=r"interval_s is 5 and the longest sweep lasts 6.45 s.*more than 6.45"):
        opening.attach(read(rig_file(interval_s="5.0\nonset_ms = 5500.0")), network)


@pytest.mark.usefixtures("hurried")
def test_a_session_puts_no_step_into_what_shows_no_cell(board, rig_file, network, tmp_path):
    # 2 MOhm behind the line: a pipette in the bath.
    device = board(mV=0.0078125, g_leak=5.0)
    session = opening.attach(short(rig_file(device.port)), network, out=tmp_path / "cell.h5")
    with pytest.raises(RigError, match=r"did not confirm current clamp: .* 10 at least were wanted"):
        session.run()
    with h5py.File(tmp_path / "cell.h5") as file:
        assert len(file["sweeps"]) == 0


@pytest.mark.usefixtures("hurried")
def test_a_session_whose_device_is_unplugged_ends_with_what_to_do(board, rig_file, network):
    class Unplug:
        def __init__(self):
            self.reason = None

        def block(self, response, command):
            device.unplug()

        def ended(self, reason):
            self.reason = reason

        def __getattr__(self, name):
            return lambda *_: None

    device, listener = board(mV=0.0078125), Unplug()
    session = opening.attach(short(rig_file(device.port)), network, listeners=[listener])
    with pytest.raises(RigError, match="could not be told to return to the exit level"):
        session.run()
    assert "look after the cell" in listener.reason
