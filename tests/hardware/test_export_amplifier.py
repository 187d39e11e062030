"""What an amplifier told of itself is in an exported file where NWB has a place for it, and beside it where not."""

import warnings

import numpy as np
import pytest

from hardware.amplifier import Reading, Setting
from hardware.recorder import Recorder
from hardware.replay import Replay
from hardware.rig import Block, Provenance
from simulators.stimulus import Epoch, Stimulus, step
from simulators.sweep import Junction

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    from exported_file import complaints, opened, rows

    from hardware.export.nwb import export

FAMILY = tuple(step(a, onset=100.0, duration=300.0, tail=200.0) for a in (-50.0, 50.0, 100.0))
CLAMPED = Stimulus("voltage", (Epoch(-80.0, 100.0), Epoch(-10.0, 300.0), Epoch(-80.0, 200.0)))
NOISE = np.random.default_rng(7).normal(-65.0, 1.0, 6000)
TOLD = {"gain": 20.0, "corner": 6.0, "sensitivity": 400.0, "bridge": 12.5, "holding": -23.7, "neutralization": 4.2}
STOOD = (
    Reading(
        mode=Setting("current", "telegraph"),
        residual=Setting(1.5, "rig file"),
        **{name: Setting(value, "commander") for name, value in TOLD.items()},
    ),
    Reading(mode=Setting("current", "rig file"), corner=Setting(2.0, "rig file"), holding=Setting(0.0, "rig file")),
    None,
    Reading(mode=Setting("voltage", "telegraph"), gain=Setting(0.5, "telegraph"), holding=Setting(-70.0, "commander")),
)


@pytest.fixture(scope="module")
def amplified(tmp_path_factory):
    """A recording behind an amplifier, and its export: all is known, little, nothing, and then in voltage clamp."""
    folder = tmp_path_factory.mktemp("amplified")
    with Recorder(folder / "a.h5", {}) as recorder:
        for k, (reading, stimulus) in enumerate(zip(STOOD, (*FAMILY, CLAMPED), strict=True)):
            holding = TOLD["holding"] if k == 0 else 0.0
            recorder.start(
                stimulus.raised(holding), 10.0, Provenance(None, "header", "header", Junction(), 0.0).behind(reading)
            )
            recorder.append(Block(NOISE, stimulus.command(10.0) + holding))
            recorder.finish({}, {"trial": k})
    export(folder / "a.h5", folder / "a.nwb")
    return folder


def test_how_the_amplifier_stood_is_where_nwb_has_a_place_for_it(amplified):
    assert complaints(amplified / "a.nwb") == []
    with opened(amplified / "a.nwb") as io:
        nwb = io.read()
        known, little, nothing, clamped = (nwb.acquisition[f"response_{k:06d}"] for k in range(4))
        settings = ("gain", "bias_current", "bridge_balance", "capacitance_compensation")
        assert [getattr(known, name) for name in settings] == pytest.approx([20.0, -23.7e-12, 12.5e6, 4.2e-12])
        assert [getattr(little, name) for name in settings] == [None, 0.0, None, None]
        assert [getattr(nothing, name) for name in settings] == [None] * 4
        assert clamped.gain == pytest.approx(0.5e9)
        # Of NWB's command and its bias current together the cell got what the recording says.
        command = nwb.stimulus["command_000000"]
        si = command.data[:] * command.conversion + command.offset
        np.testing.assert_allclose(si, FAMILY[0].command(10.0) * 1e-12, atol=1e-24)
        assert "bias current" in command.comments
        assert [nwb.stimulus[f"command_{k:06d}"].offset for k in (1, 2, 3)] == [0.0] * 3
        assert "corner at 6, 2 kHz" in known.electrode.filtering


def test_all_that_was_read_of_the_amplifier_is_in_a_table(amplified):
    with opened(amplified / "a.nwb") as io:
        table = rows(io.read(), "amplifier")
    assert table["sweep"].tolist() == [0, 1, 3]
    for (_, row), reading in zip(table.iterrows(), (r for r in STOOD if r), strict=True):
        for name, setting in vars(reading).items():
            unknown = row[name] == "unknown" if name == "mode" else np.isnan(row[name])
            assert unknown if setting.value is None else row[name] == setting.value
            assert row[f"{name}_source"] == setting.source


def test_what_was_recorded_behind_an_amplifier_replays_from_the_export_as_from_the_recording(amplified):
    ours, theirs = (Replay(path, speed="max") for path in (amplified / "a.h5", amplified / "a.nwb"))
    for k, passage in enumerate(theirs.stimuli):
        for rig in (ours, theirs):
            rig.open()
            list(rig.play(rig.stimuli[k].stimulus))
        assert ours.provenance == theirs.provenance
        one, other = ours.sweep(k), theirs.sweep(k)
        np.testing.assert_array_equal(one.command, other.command)
        assert passage.stimulus == ours.stimuli[k].stimulus
    assert [sweep.bridge for sweep in theirs.recording.sweeps] == [0.0015, 0.0, 0.0]
    assert [sweep.holding_source for sweep in theirs.recording.sweeps] == ["amplifier", "amplifier", "header"]
