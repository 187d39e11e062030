"""The whole way, as a user goes it: the command line on a simulated cell and on recordings."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from estimators.pretrained import FIRST
from hardware.recorder import RecorderError
from rig_plugin import opening
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.rigs import model_cell
from rig_plugin.settings import CellSettings, ProtocolSettings, RecordingSettings, RigSettings, Settings, SettingsError
from simulators.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]


def rig_plugin(*arguments):
    """Run the command line in a process of its own: status, JSON objects, standard error."""
    code = f"import sys; from rig_plugin.__main__ import main; sys.exit(main({[str(a) for a in arguments]!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def told(trials):
    return [(trial["features"], trial["posterior"], trial["trust"]) for trial in trials]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    out = tmp_path_factory.mktemp("loop") / "cell.h5"
    return out, rig_plugin("run", "--sweeps", 4, "--seed", 3, "--speed", "max", "--out", out, "--json")


def test_a_headless_session_gives_a_trial_a_sweep_and_nothing_else(session):
    _, (status, trials, error) = session
    assert (status, error) == (0, "")
    assert [trial["trial"] for trial in trials] == [0, 1, 2, 3]
    assert all(trial["posterior"] for trial in trials)


@pytest.mark.long
def test_the_same_seed_gives_the_same_numbers(session):
    status, again, _ = rig_plugin("run", "--sweeps", 4, "--seed", 3, "--speed", "max", "--json")
    assert status == 0
    assert told(again) == told(session[1][1])


def test_what_was_recorded_replays_to_the_same_features(session):
    out, (_, trials, _) = session
    status, again, error = rig_plugin("replay", out, "--json")
    assert (status, error) == (0, "")
    assert [trial["features"] for trial in again] == [trial["features"] for trial in trials]
    assert [trial["stimulus"]["epochs"] for trial in again] == [trial["stimulus"]["epochs"] for trial in trials]


@pytest.mark.parametrize(
    ("name", "spikes"),
    [
        pytest.param(
            "LantyerEtAl2018_180817_ME_9_CC.nwb", [0, 0, 0, 9, 21, 27, 32, 37, 42, 46], marks=pytest.mark.long
        ),
        # tests/rig_plugin/test_recordings.py reads it in one process.
        pytest.param("171116sh_0018.abf", [0, 0, 0, 0, 0, 0, 1, 1, 3, 4, 5, 6, 6, 7, 8, 8, 9], marks=pytest.mark.long),
    ],
)
def test_a_real_recording_gives_its_spikes_and_a_posterior(data, name, spikes):
    status, trials, error = rig_plugin("replay", data / name, "--json")
    assert (status, error) == (0, "")
    assert [trial["features"]["spike_count"] for trial in trials] == spikes
    used = [trial["sweeps_used"] for trial in trials]
    assert used == sorted(used)
    assert all(trial["posterior"] or trial["trust"]["reason"] for trial in trials)
    assert trials[-1]["posterior"]


@pytest.mark.long
def test_a_damaged_recording_is_refused_in_one_line(data):
    status, trials, error = rig_plugin("replay", data / "damaged_Lantyer_trunc60.nwb", "--json")
    assert (status, trials, len(error.splitlines())) == (2, [], 1)


@pytest.fixture(scope="module")
def shipped():
    return opening.network()


def test_a_family_outside_the_networks_domain_is_refused_before_a_file_is_made(shipped, tmp_path):
    settings = Settings(protocol=ProtocolSettings(duration=5000.0), recording=RecordingSettings(folder=tmp_path))
    with pytest.raises(Refusal, match="outside the 200 to 1000 ms"):
        opening.attach(settings, shipped)
    assert list(tmp_path.iterdir()) == []


def test_a_family_that_leaves_the_domain_here_and_there_is_played(shipped):
    settings = Settings(rig=RigSettings(pace="max"), protocol=ProtocolSettings(amplitudes=(50.0, 900.0)))
    inside, outside = opening.attach(settings, shipped).trials()
    assert (inside.sweeps_used, outside.sweeps_used) == (1, 1)
    assert "outside the -250 to 500 pA" in outside.trust.reason


def test_a_file_that_is_there_is_not_recorded_over(shipped, tmp_path):
    taken = tmp_path / "cell.h5"
    taken.write_bytes(b"precious")
    with pytest.raises(RecorderError, match="not overwritten"):
        opening.attach(Settings(), shipped, out=taken)
    assert taken.read_bytes() == b"precious"


def test_a_recording_says_all_of_the_session_that_made_it(session):
    out, (_, trials, _) = session
    with h5py.File(out) as file:
        told = json.loads(file["metadata"][()])
        summaries = [json.loads(sweep["summary"][()]) for sweep in file["sweeps"].values()]
        origins = [json.loads(sweep.attrs["provenance"]) for sweep in file["sweeps"].values()]
    assert told["checkpoint"] == hashlib.sha256(FIRST.read_bytes()).hexdigest()
    assert (told["rig"], told["rate_kHz"], told["subject"]) == ("model-cell", 20.0, None)
    assert told["gains"]["response"] == {"value": 1.0, "unit": "1", "source": "simulated"}
    assert (told["protocol"]["name"], told["protocol"]["onset"]) == ("family", 200.0)
    assert all({"junction", "bridge", "holding_source"} <= set(origin) for origin in origins)
    for summary, trial in zip(summaries, trials, strict=True):
        assert summary["posterior"] == trial["posterior"]
        assert set(summary["latency_ms"]) == set(trial["latency_ms"])


def test_what_the_user_notes_goes_to_the_recording(shipped, tmp_path):
    noted = RecordingSettings(subject="mouse 12", cell="3", notes="CNQX")
    session = opening.attach(Settings(recording=noted), shipped, out=tmp_path / "cell.h5")
    session._recorder.close()
    with h5py.File(tmp_path / "cell.h5") as file:
        told = json.loads(file["metadata"][()])
    assert (told["subject"], told["cell"], told["notes"]) == ("mouse 12", "3", "CNQX")


def test_a_recording_that_is_not_there_is_refused(shipped, tmp_path):
    with pytest.raises(Refusal, match="does not exist"):
        opening.replay(ReplaySettings(tmp_path / "none.abf"), shipped)


def test_a_network_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refusal, match="is no file"):
        opening.network(tmp_path / "none.h5")


@pytest.mark.parametrize(
    ("theta", "said"), [({"g_Kv3": 1.0}, "g_Kv3 is unknown; known are C"), ({"C": 1e6}, "5 to 1000 pF was wanted")]
)
def test_a_cell_that_cannot_be_is_refused(theta, said):
    with pytest.raises(SettingsError, match=said):
        model_cell(Settings(cell=CellSettings(theta)))


def test_without_a_seed_every_cell_is_noisy_in_its_own_way():
    def answer(seed):
        from simulators.stimulus import step

        with model_cell(Settings(rig=RigSettings(seed=seed, pace="max"))) as rig:
            return np.concatenate(
                [block.response for block in rig.play(step(0.0, onset=50.0, duration=50.0, tail=50.0))]
            )

    assert np.array_equal(answer(1), answer(1))
    assert not np.array_equal(answer(None), answer(None))
