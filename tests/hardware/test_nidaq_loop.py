"""The whole session over the wire of NI-DAQmx: rig file, client library, simulated cell, posterior, recording."""

import h5py
import numpy as np
import pytest

from hardware.rig import RigError
from rig_plugin import opening, session
from rig_plugin.settings import read
from rig_plugin.simulated_cell import CELLS
from simulators.electrode import Electrode
from simulators.stimulus import Epoch, Stimulus

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

RIG = """
[rig]
kind = "nidaq"
pace = "max"
seed = 4
[nidaq]
device = "Dev1"
server = "{server}"
monitor = "ai1"
response_mV_per_V = 100
command_pA_per_V = 400
monitor_pA_per_V = 500
[protocol]
amplitudes_pA = [-50, 100, 200]
interval_s = 0
[channels.bath]
input = "ai3"
per_V = 33.5
unit = "degC"
[channels.ruler]
input = "ai7"
per_V = 1048576
unit = "1"
[limits]
low_pA = -200
high_pA = 500
"""


def cortical(stimulus, rate, rng):
    cell = CELLS["cortical"]
    return cell.simulate(cell.typical, Electrode(), stimulus, rate, rng)


@pytest.fixture
def server(nidaq_server):
    with nidaq_server.NidaqServer(cortical, np.inf) as running:
        yield running


@pytest.fixture
def rig_file(server, tmp_path, monkeypatch):
    # The cell behind this wire needs no rest.
    monkeypatch.setattr(opening, "check_interval", lambda *_, **__: None)
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(server=server.address), encoding="utf-8")
    return path


def test_a_session_closes_its_loop_over_the_wire_and_goes_on_behind_a_gap(server, rig_file, tmp_path):
    out = tmp_path / "cell.h5"
    trials = []
    for trial in opening.attach(read(rig_file), opening.network(), sweeps=3, out=out).trials():
        trials.append(trial)
        assert server.output == 0.0
        server.faults = {7000: (-200361, 7001)} if len(trials) == 1 else {}
    assert [trial.posterior is not None for trial in trials] == [True, True, True]
    assert [trial.sweeps_used for trial in trials] == [1, 1, 2]
    assert trials[0].features["spike_count"] == 0 < trials[2].features["spike_count"]
    assert "samples were lost at" in trials[1].trust.reason
    with h5py.File(out) as file:
        sweep = file["sweeps/000001"]
        ((first, count),) = sweep["gaps"][()].tolist()
        assert 6600 < first <= 7000
        assert first + count <= sweep["response"].size == 20_000
        assert np.isnan(sweep["response"][first : first + count]).all()
        # Further channels lie beside the response, with its gaps.
        known = np.isfinite(sweep["response"][()])
        np.testing.assert_array_equal(sweep["ruler"][()], np.where(known, np.arange(20_000.0), np.nan))
        np.testing.assert_array_equal(sweep["bath"][()], np.where(known, 33.5, np.nan))
        assert dict(sweep["bath"].attrs) == {
            "unit": "degC", "conversion": 1.0, "gain": 33.5, "gain_unit": "degC/V", "gain_source": "rig file",
        }  # fmt: skip
        np.testing.assert_allclose(file["sweeps/000002/command"][10_000], 200.0, atol=1e-9)
    assert np.isfinite(trials[2].sweep.response).all()


def clamped(levels):
    """The cell behind an amplifier in voltage clamp at -70 mV: 20 mV/V at its command, 0.5 mV/pA at its output."""

    def answer(stimulus, rate, rng):
        levels.update(epoch.level for epoch in stimulus.epochs)
        epochs = tuple(Epoch(-70.0 + epoch.level / 400.0 * 20.0, epoch.duration) for epoch in stimulus.epochs)
        cell = CELLS["cortical"]
        current = cell.simulate(cell.typical, Electrode(), Stimulus("voltage", epochs), rate, rng)
        return current * 0.5 / 1000.0 * 100.0

    return answer


def test_no_step_reaches_a_cell_that_a_test_pulse_shows_in_voltage_clamp(nidaq_server, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "check_interval", lambda *_, **__: None)
    levels, path = set(), tmp_path / "rig.toml"
    with nidaq_server.NidaqServer(clamped(levels), np.inf) as server:
        path.write_text(RIG.format(server=server.address), encoding="utf-8")
        with pytest.raises(RigError, match=r"did not confirm current clamp.*looks like voltage clamp, so no step"):
            opening.attach(read(path), opening.network()).run()
        assert server.output == 0.0
    assert {round(level, 6) for level in levels} == {0.0, -20.0}


@pytest.mark.parametrize("entered", [True, False])
def test_who_entered_the_mode_has_confirmed_it(server, rig_file, monkeypatch, entered):
    confirmed = []
    monkeypatch.setattr(session, "confirm", lambda rig, is_over: confirmed.append(rig.rate))
    if entered:
        text = rig_file.read_text(encoding="utf-8") + '[amplifier]\nkind = "manual"\nmode = "current"\n'
        rig_file.write_text(text, encoding="utf-8")
    (trial,) = opening.attach(read(rig_file), opening.network(), sweeps=1).trials()
    assert trial.posterior is not None
    assert confirmed == ([] if entered else [20.0])


def test_a_gap_free_recording_comes_over_the_wire(server, rig_file, tmp_path):
    server.speed = 20.0
    text = rig_file.read_text(encoding="utf-8").replace("amplitudes_pA = [-50, 100, 200]", "gap_free_s = 2")
    rig_file.write_text(text, encoding="utf-8")
    out = tmp_path / "cell.h5"
    session = opening.attach(read(rig_file), opening.network(), out=out)
    session.run()
    assert (session.status.received, session.status.lost) == (40_000, 0)
    with h5py.File(out) as file:
        stretch = file["continuous/000000"]
        assert stretch["response"].size == 40_000
        np.testing.assert_array_equal(stretch["ruler"][()], np.arange(40_000.0))
        assert (stretch["bath"].attrs["unit"], stretch["bath"].attrs["gain_unit"]) == ("degC", "degC/V")
        assert (stretch["response"].attrs["unit"], stretch["response"].attrs["gain_unit"]) == ("volts", "mV/V")
