"""What [amplifier] says goes into the recording, the inference and the decision whether anything is put out."""

import json
import sys

import h5py
import numpy as np
import pytest

from estimators.features import NAMES
from estimators.observer import Verdict
from hardware.amplifier import Amplifier, AmplifierError, Reading, Setting
from hardware.axopatch import Axopatch200B
from hardware.kept.session import kept_session
from hardware.model_cell import ModelCell
from hardware.own import read_own
from hardware.recorder import Recorder
from rig_plugin.protocol import family
from rig_plugin.session import Session
from rig_plugin.settings import AmplifierSettings, Settings, SettingsError, read
from rig_plugin.stretch import Hold
from simulators.parameter import Parameter
from simulators.stimulus import step

MANUAL = """
[amplifier]
kind = "manual"
mode = "current"
gain = 10
corner_kHz = 6
sensitivity_pA_per_V = 400
bridge_MOhm = 12.5
residual_MOhm = 3
holding_pA = -30
neutralization_pF = 4.5
"""
PARAMETERS = (Parameter("C", "pF", 15.0, 400.0, "log"), Parameter("bridge", "MOhm", -20.0, 20.0, "normal"))
STEPS = tuple(step(pA, holding=-10.0, onset=100.0, duration=200.0, tail=50.0) for pA in (-50.0, 50.0))


class Estimate:
    """An observer that notes what it is asked."""

    def __init__(self):
        self.contexts, self.refusals = [], []

    def warm(self, *, overlays=False):
        return

    def expect(self, context):
        self.expected = context

    def observe(self, row, context, prediction=None, refusal=None):
        self.contexts.append(context)
        self.refusals.append((refusal, bool(np.isnan(row[NAMES.index("rest")]))))
        draws = None if refusal else np.tile([100.0, 0.0], (9, 1))
        return Verdict(draws, 0, refusal is None, 1.0, (refusal,) if refusal else ())


class Turned(Amplifier):
    """Somebody turns its gain after so many readings."""

    def __init__(self, readings):
        self.left = readings

    def _read(self):
        self.left -= 1
        return Reading(
            mode=Setting("current", "telegraph"), gain=Setting(10.0 if self.left >= 0 else 20.0, "telegraph")
        )


@pytest.fixture
def rig_file(tmp_path):
    def write(text):
        path = tmp_path / "rig.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def rig():
    """A passive cell of .1 GOhm behind a bridge that leaves 3 MOhm."""
    return ModelCell(lambda s, rate, rng: -70.0 + 0.103 * s.command(rate), pace="max")


def manual(rig_file, rig):
    rig.ask(read(rig_file(MANUAL)).amplifier.amplifier(rig.telegraphs))
    return rig


def test_each_key_of_a_manual_amplifier_becomes_a_setting_of_the_rig_file(rig_file, rig):
    reading = read(rig_file(MANUAL)).amplifier.amplifier(rig.telegraphs).read()
    assert reading == Reading(
        mode=Setting("current", "rig file"),
        gain=Setting(10.0, "rig file"),
        corner=Setting(6.0, "rig file"),
        sensitivity=Setting(400.0, "rig file"),
        bridge=Setting(12.5, "rig file"),
        holding=Setting(-30.0, "rig file"),
        neutralization=Setting(4.5, "rig file"),
        residual=Setting(3.0, "rig file"),
    )


def test_voltage_clamp_has_keys_of_its_own(rig_file, rig):
    text = '[amplifier]\nkind = "manual"\nmode = "voltage"\nholding_mV = -70\nsensitivity_mV_per_V = 20'
    reading = read(rig_file(text)).amplifier.amplifier(rig.telegraphs).read()
    assert (reading.holding.value, reading.sensitivity.value, reading.gain) == (-70.0, 20.0, Setting())


def test_without_the_table_no_amplifier_is_asked(rig):
    assert Settings().amplifier.amplifier(rig.telegraphs) is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('kind = "manual"', "mode is missing, 'current', 'voltage' or 'zero' was wanted"),
        ("gain = 10", "has gain and no kind"),
        ('mode = "current"', "has mode and no kind"),
        ('kind = "manual"\nmode = "bridge"', "mode is 'bridge', 'current', 'voltage' or 'zero' was wanted"),
        (
            'kind = "manual"\nmode = "current"\nbeta = 1.0',
            "beta does not belong to kind 'manual', but to 'axopatch-200b'",
        ),
        ('kind = "multiclamp"\ngain = 10', "gain does not belong to kind 'multiclamp', but to 'manual'"),
        ('kind = "manual"\nmode = "voltage"\nholding_pA = 3', "holding_pA does not belong to mode 'voltage'"),
        ('kind = "manual"\nmode = "voltage"\nresidual_MOhm = 3', "residual_MOhm does not belong to mode 'voltage'"),
        ('kind = "manual"\nmode = "current"\nholding_mV = -70', "holding_mV does not belong to mode 'current'"),
        ('kind = "manual"\nmode = "current"\ngain = 0', "gain is 0, a number between 0.001 and 100000 was wanted"),
        ('kind = "epc10"', "kind is 'epc10', 'manual', 'axopatch-200b' or 'multiclamp' was wanted"),
    ],
)
def test_keys_that_do_not_belong_together_are_refused_with_the_file(rig_file, table, said):
    path = rig_file(f"[amplifier]\n{table}")
    with pytest.raises(SettingsError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_an_axopatch_reads_the_rig_s_telegraphs(rig_file):
    settings = read(rig_file('[amplifier]\nkind = "axopatch-200b"\nbeta = 0.1')).amplifier
    volts = {"mode": np.full(50, 2.0), "gain": np.full(50, 4.0)}
    amplifier = settings.amplifier(lambda: volts)
    assert isinstance(amplifier, Axopatch200B)
    assert amplifier.read().sensitivity.value == pytest.approx(20_000.0)
    rear = read(rig_file('[amplifier]\nkind = "axopatch-200b"\ncommand_input = "rear"')).amplifier
    assert rear.amplifier(lambda: volts).read().sensitivity.value == pytest.approx(10_000.0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a MultiClamp Commander.")
def test_a_multiclamp_is_refused_where_there_is_no_windows(rig_file, rig):
    settings = read(rig_file('[amplifier]\nkind = "multiclamp"\nserial = 830123\nchannel = 2')).amplifier
    with pytest.raises(AmplifierError, match="Windows only"):
        settings.amplifier(rig.telegraphs)


def test_inference_is_given_the_holding_that_the_amplifier_adds_and_the_bridge_that_it_leaves(rig_file, rig):
    estimate = Estimate()
    first, second = Session(manual(rig_file, rig), estimate, PARAMETERS, family(STEPS)).trials()
    assert [(c.holding, c.amplitude) for c in estimate.contexts] == [(-40.0, -50.0), (-40.0, 50.0)]
    assert estimate.expected.holding == -40.0
    assert first.features["rest"] == pytest.approx(-74.0, abs=0.01)
    assert first.features["steady_deflection"] == pytest.approx(-5.0, abs=0.01)
    assert (first.sweep.holding_source, first.sweep.bridge, first.sweep.stimulus.holding) == ("amplifier", 0.003, -40.0)
    assert "holding current is unknown" not in (second.trust.reason or "")
    assert second.to_json()["stimulus"]["holding_pA"] == -40.0


def test_how_the_amplifier_stood_is_kept_with_each_sweep(rig_file, rig, tmp_path):
    path = tmp_path / "cell.h5"
    Session(manual(rig_file, rig), Estimate(), PARAMETERS, family(STEPS), Recorder(path, {})).run()
    with h5py.File(path) as file:
        kept = json.loads(file["sweeps/000001"].attrs["provenance"])["amplifier"]
    assert kept["gain"] == {"value": 10.0, "source": "rig file"}
    assert [kept[name]["value"] for name in ("mode", "bridge", "holding")] == ["current", 12.5, -30.0]
    with kept_session(path) as session:
        assert session.sweeps[1].provenance.amplifier == rig.origin.amplifier
    sweep = read_own(path).sweeps[0]
    assert (sweep.holding_source, sweep.bridge, sweep.problem) == ("amplifier", 0.003, None)
    np.testing.assert_allclose(sweep.command, sweep.stimulus.command(20.0))


def test_a_sweep_during_which_the_amplifier_was_changed_is_kept_and_not_inferred_from(rig, tmp_path):
    # Read when the sweep is designed, when it begins and when it has ended.
    rig.ask(Turned(5))
    estimate = Estimate()
    good, bad = Session(rig, estimate, PARAMETERS, family(STEPS), Recorder(tmp_path / "cell.h5", {})).trials()
    assert good.posterior is not None
    assert bad.posterior is None
    assert "gain from 10 to 20" in bad.trust.reason
    assert estimate.refusals[0] == (None, False)
    assert estimate.refusals[1][1]
    assert read_own(tmp_path / "cell.h5").sweeps[1].response.size == 7000


def test_a_session_ends_before_any_output_where_the_mode_does_not_fit(rig):
    rig.ask(AmplifierSettings(kind="manual", mode="voltage").amplifier(rig.telegraphs))
    with pytest.raises(AmplifierError, match="nothing is put out"):
        Session(rig, Estimate(), PARAMETERS, family(STEPS)).run()


def test_a_change_during_a_gap_free_recording_is_marked_in_it(rig, tmp_path):
    def protocol():
        yield Hold(0.0, 100.0)

    rig.ask(Turned(1))
    recorder = Recorder(tmp_path / "cell.h5", {})
    Session(rig, Estimate(), PARAMETERS, protocol(), recorder).run()
    with h5py.File(tmp_path / "cell.h5") as file:
        assert [b"gain from 10 to 20" in mark["text"] for mark in file["marks"]] == [True]
