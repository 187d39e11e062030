"""A SpikerBox as a rig of the program: recorded without gaps, and nothing inferred from a scale that nobody knows."""

import sys
from configparser import ConfigParser
from pathlib import Path

import h5py
import numpy as np
import pytest

from estimators.observer import Verdict
from hardware.model_cell import ModelCell
from hardware.recorder import Recorder
from hardware.rig import ARBITRARY, Gain
from rig_plugin.protocol import family, gap_free
from rig_plugin.quality import no_scale
from rig_plugin.rigs import spikerbox
from rig_plugin.session import Session
from rig_plugin.settings import ProtocolSettings, Settings, SettingsError, SpikerBoxSettings, read
from simulators.parameter import Parameter
from simulators.stimulus import step

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = (Parameter("C", "pF", 15.0, 400.0, "log"), Parameter("bridge", "MOhm", -20.0, 20.0, "normal"))


class Estimate:
    """An observer that believes every sweep that is not refused."""

    def warm(self, *, overlays=False):
        return

    def expect(self, context):
        return

    def observe(self, row, context, prediction=None, refusal=None):
        draws = None if refusal else np.tile([100.0, 0.0], (9, 1))
        return Verdict(draws, refusal is None, refusal is None, 1.0, (refusal,) if refusal else ())


def asked(**box):
    return Settings(protocol=ProtocolSettings(gap_free=1000.0), spikerbox=SpikerBoxSettings(**box))


def trial_of(source):
    rig = ModelCell(lambda s, rate, rng: -70.0 + 0.1 * s.command(rate), pace="max")
    rig.gains = {"response": Gain(1.0, "1", source)}
    (trial,) = Session(
        rig, Estimate(), PARAMETERS, family([step(50.0, onset=60.0, duration=100.0, tail=20.0)])
    ).trials()
    return trial


def test_no_posterior_is_given_from_an_arbitrary_scale_and_the_reason_is_told():
    trial = trial_of(ARBITRARY)
    assert trial.posterior is None
    assert not trial.trust.in_distribution
    assert "The scale of the response is arbitrary, so it is no voltage: calibrate" in trial.trust.reason
    assert all(np.isnan(value) for value in trial.features.values())
    assert trial_of("simulated").posterior is not None


def test_the_rule_of_the_scale_reads_the_rig_s_own_gains():
    assert no_scale(spikerbox(asked(port="COM3")).gains) is not None
    assert no_scale(spikerbox(asked(port="COM3", calibration=5e-4)).gains) is None
    assert no_scale({}) is None


def test_the_example_makes_the_rig_and_says_the_defaults_but_for_its_port():
    settings = read(ROOT / "docs" / "rig_spikerbox.toml")
    assert settings.spikerbox == SpikerBoxSettings(port="/dev/ttyACM0")
    assert settings.rig.kind == "spikerbox"
    assert spikerbox(settings).rate == 10.0


def test_the_rig_is_registered():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    assert "spikerbox = rig_plugin.rigs:spikerbox" in config["options.entry_points"]["rig_plugin.rigs"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (asked(), r"port is missing: name where the box is, for instance port = \"COM3\""),
        (Settings(spikerbox=SpikerBoxSettings(port="COM3")), "asks for steps of current and a SpikerBox only listens"),
        (
            Settings(
                spikerbox=SpikerBoxSettings(port="COM3"), protocol=ProtocolSettings(gap_free=1000.0, holding=-20.0)
            ),
            "asks for a holding of current",
        ),
        (asked(port="COM3", channel=3, channels=2), "channel is 3 of 2 channels"),
    ],
)
def test_what_a_box_can_not_do_is_refused_before_its_port_is_opened(settings, said):
    with pytest.raises(SettingsError, match=said):
        spikerbox(settings)


@pytest.mark.skipif(sys.platform == "win32", reason="A pty is wanted.")
def test_a_box_is_recorded_without_a_gap_and_the_file_says_that_its_scale_is_arbitrary(tmp_path):
    from spikerbox_emulator import Box

    with Box() as box:
        rig = spikerbox(asked(port=box.name, baud=115_200))
        recorder = Recorder(tmp_path / "box.h5", {})
        session = Session(rig, Estimate(), PARAMETERS, gap_free(0.0, 200.0), recorder)
        session.run()
    with h5py.File(tmp_path / "box.h5") as file:
        response = file["continuous/000000/response"]
        assert response.attrs["gain_source"] == "arbitrary"
        assert set(np.diff(response[()]) % 1024) == {1.0}
        assert response.size == session.status.received == 2000
        assert "command" not in file["continuous/000000"]
    assert session.status.lost == 0
