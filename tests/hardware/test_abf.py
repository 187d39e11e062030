import struct

import numpy as np
import pytest
from pyabf.abfWriter import writeABF1

from hardware.reading import read
from hardware.recording import RecordingError
from hardware.replay import Replay


@pytest.fixture
def made(tmp_path):
    def make(units="mV", scale=1.0):
        rng = np.random.default_rng(1)
        path = tmp_path / "made.abf"
        writeABF1(scale * rng.normal(-70, 1, (3, 4000)), str(path), 20_000, units=units)
        return path

    return make


def test_an_abf1_without_a_command_is_read_and_its_current_is_unknown(made, capfd):
    recording = read(made())
    assert (recording.format, len(recording.sweeps)) == ("ABF1", 3)
    sweep = recording.sweeps[1]
    assert (sweep.command, sweep.command_source, sweep.rate) == (None, "unknown", 20.0)
    assert np.median(sweep.response) == pytest.approx(-70, abs=0.2)
    assert capfd.readouterr() == ("", "")


def test_sweeps_with_an_unknown_current_are_refused(made):
    for passage in Replay(made()).stimuli:
        assert passage.stimulus is None
        assert "does not say what current was injected" in passage.refusal


def test_volts_become_millivolts(made):
    assert np.median(read(made("V", 1e-3)).sweeps[0].response) == pytest.approx(-70, abs=0.2)


@pytest.mark.parametrize(("units", "scale", "reason"), [("V", 1.0, "beyond the"), ("mV", 1e-3, "never leaves")])
def test_an_implausible_scale_is_refused(made, units, scale, reason):
    assert all(reason in p.refusal for p in Replay(made(units, scale)).stimuli)


def test_a_current_without_a_potential_is_refused(made):
    with pytest.raises(RecordingError, match="no channel in volts"):
        read(made("pA"))


@pytest.mark.parametrize("kept", [0, 3, 4, 100, 511, 512, 2047, 2048, 10_000, 0.6, 0.9])
def test_a_file_cut_anywhere_is_refused_in_one_sentence(made, kept, capfd):
    path = made()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(RecordingError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kept", [512, 4096, 0.3, 0.6, 0.97])
@pytest.mark.parametrize("name", ["18713001.abf", "PYR5_rebound.abf"])
def test_a_real_file_cut_anywhere_is_refused(data, tmp_path, name, kept):
    whole = (data / name).read_bytes()
    path = tmp_path / "cut.abf"
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(RecordingError, match=r"truncated|within the header"):
        read(path)


@pytest.mark.parametrize(
    ("offset", "form", "value"), [(10, "i", 2**31 - 1), (10, "i", -5), (16, "i", 2**31 - 1), (16, "i", -1)]
)
def test_a_size_that_the_file_does_not_have_is_never_allocated(made, offset, form, value):
    path = made()
    damaged = bytearray(path.read_bytes())
    struct.pack_into(form, damaged, offset, value)
    path.write_bytes(damaged)
    with pytest.raises(RecordingError, match=r"truncated|damaged"):
        read(path)


def test_a_random_byte_anywhere_in_the_header_raises_nothing_but_a_refusal(data, tmp_path):
    rng = np.random.default_rng(1)
    whole = (data / "18713001.abf").read_bytes()
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[int(rng.integers(4, 7000))] = int(rng.integers(256))
        path = tmp_path / "damaged.abf"
        path.write_bytes(damaged)
        try:
            Replay(path)
        except RecordingError:
            refused += 1
    assert refused < 60


def test_a_voltage_that_the_amplifier_calls_voltage_clamp_is_refused(data, tmp_path):
    whole = bytearray((data / "18713001.abf").read_bytes())
    mode = 512 * struct.unpack_from("<I", whole, 92)[0] + 18
    assert struct.unpack_from("<h", whole, mode) == (1,)
    struct.pack_into("<h", whole, mode, 0)
    path = tmp_path / "telegraphed.abf"
    path.write_bytes(whole)
    with pytest.raises(RecordingError, match="but the amplifier telegraphed voltage clamp"):
        read(path)
